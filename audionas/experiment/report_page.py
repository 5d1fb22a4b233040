"""The page of a run, or of several; networks of the same rules stand beside its own: those named, and those inside."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from audionas.audio.folds import outer_splits
from audionas.audio.manifest import Manifest
from audionas.errors import RunError, SettingsError
from audionas.experiment.finished_runs import FinishedRun, finished_run
from audionas.experiment.retrain_metrics import read_fold_scores
from audionas.experiment.same_rules import differences
from audionas.experiment.side_by_side import same_rules, side_runs, unlike
from audionas.experiment.talk import Silent, Talk
from audionas.records import read_json, write_text
from audionas.report import write_report
from audionas.report.beside import Beside
from audionas.report.run_files import read_run
from audionas.report.run_reading import DATA_ERRORS
from audionas.report.side_by_side import side_page, side_sections
from audionas.run_places import BASELINES_RETRAINED, RUN_FILE
from audionas.training.tasks import task_of

SIDE_FILE = "side_by_side.html"
SILENT = Silent()
_OF_THE_SEARCH = ("scored folds", "search augment")  # the others are scored on this run's folds, and search nothing


def report_page(
    run: Path, others: Sequence[Path] = (), out: Path | None = None, talk: Talk = SILENT, *, clips: bool = False
) -> Path:
    """Write the page of a run; with `others` that of all of them side by side, and give back where it lies.

    Where all others are retrainings under the rules of the first run's, the page is the first run's own, and their
    scores stand beside its own. Else it is a page of the runs alone, by default `side_by_side.html` in the first.

    Args:
        clips: embed a few of its test clips, which may be private.

    Raises:
        SettingsError: a run is named twice.
        RunError: a folder holds no run (of several only if none of them does), or `out` cannot be written.
    """
    scored = _scored(run)
    named = _named(run, others, scored)
    if not others:
        _tell_faults(run, talk)
        found, left_out = _lying_inside(run, scored, named)
        return write_report(run, out, found, left_out, clips=clips)
    runs = side_runs([run, *others])
    for each in runs:
        for fault in each.files.faults if each.files else [each.fault]:
            talk.warn(fault)
    if all(each.files is None for each in runs):
        raise RunError(runs[0].fault)
    tested, notes = same_rules(runs)
    beside_all = _all_beside(scored, others)
    if beside_all is None:
        target = out or run / SIDE_FILE
        write_text(target, side_page(runs, tested, notes, unlike(runs)))
        return target
    inside, left_out = _lying_inside(run, scored, named)
    side = side_sections(runs, tested, notes)
    return write_report(run, out, [*beside_all, *inside], left_out, side, clips=clips)


def _named(run: Path, others: Sequence[Path], scored: FinishedRun | None) -> set[Path]:
    """The folders named, each once.

    Raises:
        SettingsError: one is named twice.
    """
    named = {run.resolve(), *([scored.path.resolve()] if scored else [])}
    for place in others:
        if place.resolve() in named:
            raise SettingsError(f"{place}: given twice; name each run once")
        named.add(place.resolve())
    return named


def _tell_faults(run: Path, talk: Talk) -> None:
    for fault in read_run(run, salvages=True).faults:
        talk.warn(fault)


def _all_beside(scored: FinishedRun | None, others: Sequence[Path]) -> list[Beside] | None:
    """The others as networks beside the first one's; None where one of them cannot stand there."""
    if scored is None:
        return None
    try:
        return [beside(scored, place) for place in others]
    except DATA_ERRORS:  # of other rules, of another kind, not finished or damaged: the page of several tells it
        return None


def _lying_inside(run: Path, scored: FinishedRun | None, named: set[Path]) -> tuple[list[Beside], list[str]]:
    """Networks in `baselines_retrained` of a run, and a line for each that cannot stand beside its own."""
    found, left_out = list[Beside](), list[str]()
    if scored is None:
        return found, left_out
    for place in sorted((run / BASELINES_RETRAINED).glob(f"*/{RUN_FILE}")):
        if place.parent.resolve() in named:
            continue
        try:
            found.append(beside(scored, place.parent))
        except DATA_ERRORS as why:  # not finished, damaged, or trained by other rules: told on the page
            left_out.append(str(why))
    return found, left_out


def beside(scored: FinishedRun, place: Path) -> Beside:
    """The networks of another retraining, scored on the folds on which a run is.

    Raises:
        RunError: it is not finished, is no retraining, or had other rules.
    """
    other = finished_run(place)
    if other.is_fusion:
        raise RunError(f"{place}: is a fusion; beside a network stand networks, see audionas report --csv")
    unlike = differences([scored.path, other.path], leaving_out=_OF_THE_SEARCH)
    if unlike:
        raise RunError(f"{place}: cannot stand beside {scored.given}, they differ in {'; '.join(unlike)}")
    manifest, names = Manifest.read(other.path), list(scored.scores["splits"])
    splits = [split for split in outer_splits(manifest) if split.name in names]
    seeds = other.record["seeds"]
    scores = read_fold_scores(other.path, splits, seeds, {}, task_of(manifest))
    each = tuple(dict(scores.of_seed(seed, names).as_record()) for seed in seeds)
    return Beside(_name(other), other.metrics["parameters"], each)


def _scored(run: Path) -> FinishedRun | None:
    """The finished retraining that the page of a run shows; None where there is none, or a damaged one."""
    try:
        retraining = read_run(run).retraining
        if retraining is None or retraining.metrics is None or retraining.run.get("status") != "done":
            return None
        return finished_run(retraining.folder)
    except DATA_ERRORS:
        return None


def _name(other: FinishedRun) -> str:
    """A hand-made system's own name; of a found network that of its folder."""
    file = sorted(other.path.glob("split_*/genotype.json"))[0]
    document = read_json(file, "genotype")
    return str(document["name"]) if document.get("kind") == "baseline" else other.given.name
