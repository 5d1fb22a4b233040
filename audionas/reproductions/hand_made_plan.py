"""The plan of a reproduction of hand-made systems: what the user asked for, and the settings that follow from it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from audionas.errors import SettingsError, unknown
from audionas.models.baselines import BASELINES
from audionas.records import Record
from audionas.reproductions.hand_made_papers import PAPERS

CORPORA = ("iemocap", "emodb")


@dataclass(frozen=True)
class HandMadeRequest:
    """What the user asked for; None and defaults as `audionas reproduce --help` says."""

    paper: str
    data: Path | None = None
    corpus: str = "iemocap"
    smoke: bool = False
    protocol: str | None = None
    epochs: int | None = None
    seeds: int = 3
    device: str = "cpu"
    threads: int | None = None
    out: Path | None = None
    argv: tuple[str, ...] = ("reproduce",)


class HandMadePlan(Record):
    """Every setting of a reproduction, as its `run.json` keeps it; `epochs` by variant."""

    paper: str
    corpus: Literal["iemocap", "emodb"]
    protocol: str
    epochs: dict[str, int]
    seeds: int
    device: str
    threads: int | None
    is_smoke: bool


def make_plan(request: HandMadeRequest) -> HandMadePlan:
    """The paper's protocol and epochs, those that the user names, or a miniature of one epoch and one seed.

    Raises:
        SettingsError: the paper or the corpus is unknown, or a number is out of range.
    """
    if request.paper not in PAPERS:
        raise SettingsError(unknown("paper", request.paper, PAPERS))
    if request.corpus not in CORPORA:
        raise SettingsError(f"--corpus: {unknown('corpus', request.corpus, CORPORA)}")
    for flag, number in (("--seeds", request.seeds), ("--epochs", request.epochs)):
        if number is not None and number < 1:
            raise SettingsError(f"{flag}: got {number}, must be 1 or more")
    paper = PAPERS[request.paper]
    usual = paper.protocol if request.corpus == "iemocap" else paper.emodb_protocol
    asked = 1 if request.smoke else request.epochs
    return HandMadePlan(
        paper=request.paper,
        corpus=request.corpus,
        protocol=request.protocol or ("folds" if request.smoke else usual),
        epochs={name: asked or BASELINES[each.baseline].epochs for name, each in paper.variants.items()},
        seeds=1 if request.smoke else request.seeds,
        device=request.device,
        threads=request.threads,
        is_smoke=request.smoke,
    )
