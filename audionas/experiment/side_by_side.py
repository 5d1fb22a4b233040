"""Several runs read for one page, and tests between those that are finished, clean and of the same rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

from audionas.audio.folds import split_folder
from audionas.errors import AudionasError
from audionas.experiment.chosen_on_test import is_chosen_on_test
from audionas.experiment.finished_runs import FinishedRun, finished_run
from audionas.experiment.same_rules import differences
from audionas.report.run_files import RunFiles, read_run
from audionas.report.side_by_side import PairTest, SameRules, SideRun
from audionas.statistics.claims import why_no_claim
from audionas.statistics.holm import holm
from audionas.statistics.intervals import difference_estimate
from audionas.statistics.scores import score_of
from audionas.statistics.sign_flip import sign_flip
from audionas.statistics.system import System
from audionas.training.measures import measures_of
from audionas.training.predictions import Predictions, joined


def side_runs(places: Sequence[Path]) -> list[SideRun]:
    """The runs in these folders, named as shortly as tells them apart; a folder without a run says so."""
    return [_side_run(name, place) for name, place in zip(short_names(places), places, strict=True)]


def short_names(places: Sequence[Path]) -> list[str]:
    """The last part of each path, with as many parts before it as it takes to differ."""
    parts = [place.resolve().parts for place in places]
    for n in range(1, max(map(len, parts), default=1) + 1):
        names = ["/".join(each[-n:]) for each in parts]
        if len(set(names)) == len(names):
            return names
    return [str(place) for place in places]


def same_rules(runs: Sequence[SideRun]) -> tuple[list[SameRules], list[str]]:
    """Groups of two and more runs that may be tested against each other, and a line for each run that may not."""
    systems: list[tuple[FinishedRun, System]] = []
    notes = []
    for run in runs:
        if run.files is None:
            continue
        try:
            systems.append(_system(run.name, run.files))
        except (AudionasError, LookupError, TypeError, ValueError) as why:  # not finished, or damaged: told
            notes.append(f"Not tested, {run.name}: {why}")
    groups: list[list[tuple[FinishedRun, System]]] = []
    for found in systems:
        home = next((group for group in groups if not differences([group[0][0].path, found[0].path])), None)
        if home is None:
            groups.append([found])
        else:
            home.append(found)
    tested = [_tested([system for _, system in group], group[0][0]) for group in groups if len(group) > 1]
    notes += [
        f"Not tested, {group[0][1].name}: no other of these runs has its rules." for group in groups if len(group) == 1
    ]
    return tested, notes


def unlike(runs: Sequence[SideRun]) -> list[str]:
    """The rules in which the finished ones differ, as `differences` tells them."""
    found = []
    for run in runs:
        try:
            found.append(_finished(run.files).path if run.files else None)
        except AudionasError:
            continue
    return differences([path for path in found if path])


def _side_run(name: str, place: Path) -> SideRun:
    try:
        return SideRun(name, place, read_run(place, salvages=True))
    except AudionasError as why:
        return SideRun(name, place, None, str(why))


def _finished(files: RunFiles) -> FinishedRun:
    """The finished run whose scores stand for a folder.

    Raises:
        RunError: there is none.
    """
    place = files.retraining.folder if files.retraining and files.searches else files.folder
    return replace(finished_run(place), given=files.folder)


def _system(name: str, files: RunFiles) -> tuple[FinishedRun, System]:
    """The predictions behind the headline of a run.

    Raises:
        RunError: it is not finished, or not clean.
        AudionasError: a file of it is damaged.
    """
    run = _finished(files)
    if not run.metrics["headline"]:
        raise AudionasError("its search has read clips of every test fold")
    if not run.is_fusion and is_chosen_on_test(run.path, run.record):
        raise AudionasError("its epochs were chosen on the test folds")
    seeds = [
        joined([Predictions.read(_table(run.path, split, seed)) for split in run.scores["splits"]], "test")
        for seed in run.scores["seeds"]
    ]
    known = bool(run.metrics["speaker_independence_checked"])
    return run, System(name, tuple(seeds), score_of(seeds[0].task), known)


def _table(run: Path, split: str, seed: int) -> Path:
    return run / split_folder(split) / f"seed_{seed}" / "predictions.csv"


def _tested(systems: Sequence[System], run: FinishedRun) -> SameRules:
    """Every pair, with Holm's correction over all."""
    pairs = list(combinations(systems, 2))
    tests = [sign_flip(first, second) for first, second in pairs]
    estimates = [difference_estimate(first, second) for first, second in pairs]
    found = tuple(
        PairTest(first.name, second.name, estimate.value, estimate.interval, test.p, adjusted, why_no_claim(first))
        for (first, second), test, estimate, adjusted in zip(
            pairs, tests, estimates, holm([test.p for test in tests]), strict=True
        )
    )
    how = tests[0].how
    score = measures_of(run.metrics)[0].name
    return SameRules(tuple(system.name for system in systems), score, found, f"{how[:1].upper()}{how[1:]}")
