"""The page of a run with other networks beside its own: those named, and those that lie in `baselines_retrained`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from audionas.audio.folds import outer_splits
from audionas.audio.manifest import Manifest
from audionas.errors import RunError, SettingsError
from audionas.experiment.finished_runs import FinishedRun, finished_run
from audionas.experiment.retrain_metrics import read_fold_scores
from audionas.experiment.same_rules import differences
from audionas.records import read_json
from audionas.report import write_report
from audionas.report.beside import Beside
from audionas.report.run_files import read_run
from audionas.run_places import BASELINES_RETRAINED, RUN_FILE
from audionas.training.tasks import task_of

_OF_THE_SEARCH = ("scored folds", "search augment")  # the others are scored on this run's folds, and search nothing


def report_page(run: Path, others: Sequence[Path] = (), out: Path | None = None, *, clips: bool = False) -> Path:
    """Write the page of a run; `others` are retrainings under the same rules, whose scores stand beside its own.

    Args:
        clips: embed a few of its test clips, which may be private.

    Raises:
        SettingsError: a run is named twice.
        RunError: `run` holds no run; `others` are given and it has no finished retraining; or one of them is not
            finished, is no retraining, or had other rules.
        AudionasError: a file of a run is damaged.
    """
    scored = _scored(run)
    if others and scored is None:
        raise RunError(f"{run}: has no finished retraining beside whose scores others could stand")
    if scored is None:
        return write_report(run, out, clips=clips)
    named = {place.resolve() for place in (run, scored.path)}
    for place in others:
        if place.resolve() in named:
            raise SettingsError(f"{place}: given twice; name each run once")
        named.add(place.resolve())
    found, left_out = [beside(scored, place) for place in others], []
    for place in sorted((run / BASELINES_RETRAINED).glob(f"*/{RUN_FILE}")):
        if place.parent.resolve() in named:
            continue
        try:
            found.append(beside(scored, place.parent))
        except RunError as why:  # not finished, or trained by other rules: told on the page
            left_out.append(str(why))
    return write_report(run, out, found, left_out, clips=clips)


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
    """The finished retraining that the page of a run shows."""
    retraining = read_run(run).retraining
    if retraining is None or retraining.metrics is None or retraining.run.get("status") != "done":
        return None
    return finished_run(retraining.folder)


def _name(other: FinishedRun) -> str:
    """A hand-made system's own name; of a found network that of its folder."""
    file = sorted(other.path.glob("split_*/genotype.json"))[0]
    document = read_json(file, "genotype")
    return str(document["name"]) if document.get("kind") == "baseline" else other.given.name
