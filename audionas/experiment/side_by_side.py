"""Several runs read for one page, and tests between those that are finished, clean and of the same rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

from audionas.audio.folds import split_folder
from audionas.errors import AudionasError, RunError
from audionas.experiment.chosen_on_test import is_chosen_on_test
from audionas.experiment.finished_runs import FinishedRun, finished_run
from audionas.experiment.same_rules import differences
from audionas.report.run_files import RunFiles, read_run
from audionas.report.run_reading import DATA_ERRORS
from audionas.report.side_by_side import PairTest, SameRules, SideRun
from audionas.statistics.claims import why_no_claim
from audionas.statistics.holm import holm
from audionas.statistics.intervals import difference_estimate
from audionas.statistics.scores import score_of
from audionas.statistics.sign_flip import sign_flip
from audionas.statistics.system import System
from audionas.training.measures import measures_of
from audionas.training.predictions import Predictions, joined

FOLDS = ("scored folds",)  # a search leaves out some, a hand-made network none


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
    """Groups of two and more runs that may be tested against each other, and a line for each run that may not.

    Runs of a group have the same rules but for the scored folds; they are tested on the folds that are clean in all.
    """
    groups: list[list[tuple[str, FinishedRun]]] = []
    notes = []
    for run in runs:
        try:
            found = (run.name, _clean(run.files)) if run.files else None
            home = _home(groups, found) if found else None
        except DATA_ERRORS as why:  # not finished, not clean or damaged: told
            notes.append(f"Not tested, {run.name}: {why}")
            continue
        if found and home is None:
            groups.append([found])
        elif found and home is not None:
            home.append(found)
    tested = []
    for group in groups:
        try:
            tested += [_tested(group)] if len(group) > 1 else []
        except DATA_ERRORS as why:
            notes.append(f"Not tested, {', '.join(name for name, _ in group)}: {why}")
    notes += [
        f"Not tested, {group[0][0]}: no other of these runs has its rules." for group in groups if len(group) == 1
    ]
    return tested, notes


def _home(
    groups: Sequence[list[tuple[str, FinishedRun]]], found: tuple[str, FinishedRun]
) -> list[tuple[str, FinishedRun]] | None:
    """The group whose rules a run has."""
    path = found[1].path
    return next((group for group in groups if not differences([group[0][1].path, path], leaving_out=FOLDS)), None)


def unlike(runs: Sequence[SideRun]) -> list[str]:
    """The rules in which the finished ones differ, as `differences` tells them, but for the scored folds."""
    places: dict[Path, str] = {}
    for run in runs:
        try:
            places |= {_finished(run.files).path: run.name} if run.files else {}
            differences(list(places))
        except DATA_ERRORS:  # not finished, or damaged: told among the tests
            places = {path: name for path, name in places.items() if name != run.name}
    return [_by_name(line, places) for line in differences(list(places), leaving_out=FOLDS)]


def _by_name(line: str, places: Mapping[Path, str]) -> str:
    """A line with the names of the runs in the place of their folders."""
    for path in sorted(places, key=lambda path: -len(str(path))):
        line = line.replace(str(path), places[path])
    return line


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


def _clean(files: RunFiles) -> FinishedRun:
    """The finished run of a folder, if its scores are clean.

    Raises:
        RunError: it is not finished, or not clean.
        AudionasError: a file of it is damaged.
    """
    run = _finished(files)
    if not run.metrics["headline"]:
        raise RunError("its search has read clips of every test fold")
    if not run.is_fusion and is_chosen_on_test(run.path, run.record):
        raise RunError("its epochs were chosen on the test folds")
    return run


def _tested(group: Sequence[tuple[str, FinishedRun]]) -> SameRules:
    """Every pair of a group, with Holm's correction over all.

    Raises:
        RunError: no fold is clean in all of them.
        AudionasError: their predictions cannot be read, or not be compared.
    """
    folds = [set(run.scores["splits"]) for _, run in group]
    common = [str(split) for split in group[0][1].scores["splits"] if all(split in own for own in folds)]
    if not common:
        raise RunError("no test fold is clean in all of them")
    systems = [_system(name, run, common) for name, run in group]
    pairs = list(combinations(systems, 2))
    tests = [sign_flip(first, second) for first, second in pairs]
    estimates = [difference_estimate(first, second) for first, second in pairs]
    found = tuple(
        PairTest(first.name, second.name, estimate.value, estimate.interval, test.p, adjusted, why_no_claim(first))
        for (first, second), test, estimate, adjusted in zip(
            pairs, tests, estimates, holm([test.p for test in tests]), strict=True
        )
    )
    how, score = tests[0].how, measures_of(group[0][1].metrics)[0].name
    where = f"On test {'fold' if len(common) == 1 else 'folds'} {', '.join(common)}, clean in all of them"
    return SameRules(tuple(name for name, _ in group), score, found, f"{where}: {how}")


def _system(name: str, run: FinishedRun, splits: Sequence[str]) -> System:
    """The predictions of a run on these folds."""
    tables = [
        [Predictions.read(run.path / split_folder(split) / f"seed_{seed}" / "predictions.csv") for split in splits]
        for seed in run.scores["seeds"]
    ]
    seeds = tuple(joined(parts, "test") for parts in tables)
    return System(name, seeds, score_of(seeds[0].task), bool(run.metrics["speaker_independence_checked"]))
