"""The hard limits of a search as its `run.json` keeps them: what is read again may have been edited by hand."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field

from audionas.records import Record, validate


class LimitsRecord(Record):
    """The most that a network may cost; a limit that is not set is left out, or null."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    max_parameters: int | None = Field(default=None, gt=0)
    max_macs_per_second: float | None = Field(default=None, gt=0)
    max_latency_ms: float | None = Field(default=None, gt=0)
    max_memory_mb: float | None = Field(default=None, gt=0)


def read_limits(record: object, where: str) -> dict[str, Any]:
    """The limits that are set; none where nothing is on record.

    Args:
        record: the value of `limits` in a run.json, None where it has none.
        where: the file, for errors.

    Raises:
        SettingsError: it is no mapping, or a limit is unknown, no number, or not above 0.
    """
    found = validate(LimitsRecord, {} if record is None else record, f"{where}: limits")
    return found.model_dump(exclude_none=True)
