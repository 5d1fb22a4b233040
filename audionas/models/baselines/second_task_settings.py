"""The settings of a second task, for the settings of any system that has one."""

from __future__ import annotations

from pydantic import Field

from audionas.records import Record

USUAL_CLASSES = 2


class SecondTaskSettings(Record):
    """`second_weight` 0 trains the main task alone.

    `second_labels` are the classes of the manifest's column `second_column`, sorted. Retraining fills them in, and they
    stand in the genotype's file, as the weights mean nothing without them. Until then there are `USUAL_CLASSES`.
    """

    second_column: str = Field(default="gender", min_length=1)
    second_weight: float = Field(default=1.0, ge=0)
    second_labels: tuple[str, ...] = ()

    @property
    def n_second(self) -> int:
        """Classes of the second task; 0 without one."""
        return (len(self.second_labels) or USUAL_CLASSES) if self.second_weight > 0 else 0
