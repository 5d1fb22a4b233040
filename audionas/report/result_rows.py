"""The rows of a results table, one a system, with nothing but what the runs have on record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from audionas.training.measures import MEASURES, Measure

SYSTEM, FUSION, BASELINE = "system", "fusion", "plain baseline"


@dataclass(frozen=True)
class Cost:
    """What a system took, search and retraining together; None where it was not counted.

    `what` says which runs are in it.
    """

    what: str = ""
    seconds: float | None = None
    device_seconds: float | None = None
    forward: int | None = None
    backward: int | None = None
    energy_joules: float | None = None


@dataclass(frozen=True)
class ResultRow:
    """One system: scores, mean and sd over seeds; None where something is not known.

    `ua` and `wa` are the main and the second score of the task. `macs_per_second` are multiply-accumulates a second of
    audio. `remark` says what a reader must know of the row, `rules` in which rules its run differs from the others of
    the table.
    """

    name: str
    kind: str
    ua: float
    ua_sd: float | None = None
    ua_interval: tuple[float, float] | None = None
    p: float | None = None
    wa: float | None = None
    wa_sd: float | None = None
    n_seeds: int | None = None
    parameters: int | None = None
    macs_per_second: float | None = None
    cost: Cost = Cost()
    n_groups: int | None = None
    n_clips: int | None = None
    run: str = ""
    remark: str = ""
    rules: str = ""


@dataclass(frozen=True)
class ResultTable:
    """Rows, best first unless `is_ranked` is False; `caption` says what the numbers are, `measures` the scores."""

    rows: tuple[ResultRow, ...]
    caption: str
    is_ranked: bool = True
    group_word: str = "speakers"
    measures: tuple[Measure, Measure] = MEASURES["classification"]

    @property
    def is_in_percent(self) -> bool:
        """Whether scores are shares: all but those of a regression."""
        return self.measures != MEASURES["regression"]


def scores(record: Mapping[str, Any], measures: tuple[Measure, Measure]) -> dict[str, Any]:
    """The score fields of a row from a summary of `metrics.json`; what an older run lacks is None."""
    main, second = (measure.key for measure in measures)
    bounds, chance = record.get(f"{main}_interval"), record.get("chance") or {}
    return {
        "ua": record[main],
        "ua_sd": record.get(f"{main}_sd"),
        "ua_interval": (bounds[0], bounds[1]) if bounds else None,
        "p": chance.get("p"),
        "wa": record.get(second),
        "wa_sd": record.get(f"{second}_sd"),
    }
