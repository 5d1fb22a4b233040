"""`FrontEnd`: what a genotype of a macro space says of its features and of SpecAugment."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from audionas.records import Record


class FrontEnd(Record):
    """Settings that replace those of the space's features and recipe; None leaves them.

    `spec_augment` is the largest share of frames and of features that training masks (Park et al. 2019).
    """

    n_mels: int | None = Field(default=None, ge=1, le=1024)
    hop_ms: float | None = Field(default=None, gt=0, le=1000)
    spec_augment: float | None = Field(default=None, ge=0, le=1)

    @property
    def features(self) -> dict[str, Any]:
        """The settings of the extractor that it replaces."""
        return {key: value for key, value in self.as_record().items() if key != "spec_augment"}

    @property
    def key(self) -> str:
        """Names the features: equal for front-ends that differ in SpecAugment only; empty where all is left.

        >>> FrontEnd(n_mels=40, hop_ms=8.0, spec_augment=0.1).key
        'n_mels 40, hop_ms 8'
        """
        return ", ".join(f"{name} {value:g}" for name, value in self.features.items())

    def as_record(self) -> dict[str, Any]:
        """JSON form, without what is left as it is."""
        return self.model_dump(mode="json", exclude_none=True)
