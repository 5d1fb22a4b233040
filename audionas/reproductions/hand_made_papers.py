"""The papers of hand-made systems: their variants with the scores that they print, their corpus and protocol.

Scores are the papers', in percent, on IEMOCAP; they stand beside ours and are never ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from audionas.spaces.baseline_genotype import Setting


@dataclass(frozen=True)
class Variant:
    """One system of a paper; `wa` and `ua` as the paper prints them, None where it does not."""

    baseline: str
    settings: Mapping[str, Setting] = field(default_factory=dict)
    wa: float | None = None
    ua: float | None = None
    select: Literal["last", "best", "best_on_test"] = "last"


@dataclass(frozen=True)
class HandMadePaper:
    """A paper whose systems are hand-made.

    `dataset` is the subset of IEMOCAP, `protocol` what tests there; `emodb_protocol` the same for EMO-DB.
    """

    title: str
    citation: str
    dataset: Literal["iemocap", "iemocap_excited", "iemocap_all"]
    protocol: str
    emodb_protocol: str
    variants: Mapping[str, Variant]
    notes: tuple[str, ...] = ()


PAPERS: dict[str, HandMadePaper] = {}
