"""Learning rate and epochs of a retraining, chosen inside each outer split by grouped inner folds.

Every setting of the grid is trained on all but one of the inner folds of the split's training clips, with seed 0, and
scored on the one left out; the setting with the highest UA (the task's main score) over all of these clips is taken (of
equals the one with the lower loss, then the earlier). No test clip of the split is read. What was compared is kept in
`tuning.json`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from audionas.audio.folds import outer_splits, split_folder
from audionas.audio.manifest import Manifest
from audionas.errors import ManifestError, RunError, SettingsError
from audionas.experiment.corpus import Corpus
from audionas.experiment.fold_rows import FoldRows
from audionas.experiment.fold_training import OnEpoch, TrainingPlan
from audionas.experiment.inner_folds import inner_out_of_fold
from audionas.experiment.run_folder import RunFolder
from audionas.records import read_json, write_json
from audionas.spaces import Genotype
from audionas.training.ledger import count
from audionas.training.measures import measure_of_key
from audionas.training.tasks import task_of

FILE_NAME = "tuning.json"
INNER_FOLDS = 3
SEED = 0


@dataclass(frozen=True)
class Setting:
    """One point of the grid."""

    learning_rate: float
    epochs: int

    def put_into(self, plan: TrainingPlan) -> TrainingPlan:
        """The plan with this rate and number of epochs."""
        recipe = plan.recipe.model_copy(update={"learning_rate": self.learning_rate})
        return replace(plan, recipe=recipe, epochs=self.epochs)

    def __str__(self) -> str:
        return f"learning rate {self.learning_rate:g}, {self.epochs} epochs"


@dataclass(frozen=True)
class Grid:
    """Every pair of a learning rate and a number of epochs."""

    learning_rates: tuple[float, ...]
    epochs: tuple[int, ...]
    inner_folds: int = INNER_FOLDS

    @property
    def settings(self) -> tuple[Setting, ...]:
        """The pairs, in the order given."""
        return tuple(Setting(rate, epochs) for rate in self.learning_rates for epochs in self.epochs)

    @staticmethod
    def from_record(record: dict[str, Any]) -> Grid:
        """The grid that `run.json` keeps."""
        return Grid(tuple(record["learning_rates"]), tuple(record["epochs"]), record["inner_folds"])


def checked_grid(learning_rates: tuple[float, ...], epochs: tuple[int, ...], select: str) -> Grid | None:
    """The grid, or None where there is nothing to choose.

    Raises:
        SettingsError: a value is given twice or out of range, or the epoch is to be chosen in two ways.
    """
    for flag, values, is_right in (
        ("--learning-rate", learning_rates, all(rate > 0 for rate in learning_rates)),
        ("--epochs", epochs, all(number >= 1 for number in epochs)),
    ):
        given = ",".join(f"{value:g}" for value in values)
        if not is_right:
            raise SettingsError(f"{flag}: got {given}, must be {'1 or more' if flag == '--epochs' else 'above 0'}")
        if len(set(values)) < len(values):
            raise SettingsError(f"{flag}: got {given}, a value stands there twice")
    if max(len(learning_rates), len(epochs)) < 2:
        return None
    if select != "last":
        raise SettingsError(
            f"--select {select} and several values of --learning-rate or --epochs: both choose the epoch; give one "
            "value, or use --select last"
        )
    return Grid(learning_rates, epochs, INNER_FOLDS)


def check_groups(grid: Grid, manifest: Manifest) -> None:
    """Refuse, before anything is trained, a split with fewer groups than inner folds.

    Raises:
        ManifestError: there is one.
    """
    for split in outer_splits(manifest):
        n_groups = len({manifest.clips[row].group for row in split.search})
        if n_groups < grid.inner_folds:
            raise ManifestError(
                f"{manifest.root}: split {split.name} has {n_groups} training group(s), fewer than the "
                f"{grid.inner_folds} inner folds that choose rate or epochs; give one --learning-rate and one "
                "--epochs, or add groups"
            )


@dataclass(frozen=True)
class TakenSettings:
    """What another retraining chose in each split, to be used again: two retrainings then differ in nothing else."""

    grid: Grid
    documents: dict[str, dict[str, Any]]

    @staticmethod
    def of(run: Path, manifest: Manifest) -> TakenSettings:
        """Read them.

        Raises:
            RunError: the folder is no finished retraining, chose nothing, or has other clips or folds.
        """
        found = RunFolder.open(run, "retrain")
        record = found.record
        if record["status"] != "done" or not record.get("tuning"):
            raise RunError(
                f"{run}: --settings-of: not a finished retraining that chose learning rates or epochs "
                f"(status {record['status']}); give one that was made with several of them"
            )
        if record["data"]["manifest_sha256"] != manifest.sha256:
            raise RunError(f"{run}: --settings-of: has other clips or folds; its choices were made on other clips")
        names = [split.name for split in outer_splits(manifest)]
        documents = {name: read_json(run / split_folder(name) / FILE_NAME, "tuning") for name in names}
        return TakenSettings(Grid.from_record(record["tuning"]), documents)

    def write(self, out: Path) -> None:
        """Put each split's choice into a new retraining."""
        for name, document in self.documents.items():
            write_json(out / split_folder(name) / FILE_NAME, document)


def tuned(
    genotype: Genotype,
    corpus: Corpus,
    rows: FoldRows,
    plan: TrainingPlan,
    grid: Grid,
    folder: Path,
    on_epoch: Callable[[Setting, int], OnEpoch],
) -> TrainingPlan:
    """The plan with the setting that does best on the training rows; a finished choice is read.

    Args:
        folder: of the outer split; inner trainings lie in `tuning/` below it.
        on_epoch: gives what to call after an epoch of a setting's inner training k.
    """
    done = folder / FILE_NAME
    if not done.exists():
        write_json(done, _compared(genotype, corpus, rows, plan, grid, folder / "tuning", on_epoch))
    chosen: int = read_json(done, "tuning")["chosen"]
    return grid.settings[chosen].put_into(plan)


def _compared(
    genotype: Genotype,
    corpus: Corpus,
    rows: FoldRows,
    plan: TrainingPlan,
    grid: Grid,
    folder: Path,
    on_epoch: Callable[[Setting, int], OnEpoch],
) -> dict[str, Any]:
    records, task = [], task_of(corpus.manifest)
    for number, setting in enumerate(grid.settings):
        trial = replace(setting.put_into(plan), inner_folds=grid.inner_folds, select="last")
        place = folder / f"setting_{number}"

        def teller(k: int, setting: Setting = setting) -> OnEpoch:
            return on_epoch(setting, k)

        count(compared=int(not place.exists()))
        found = inner_out_of_fold(genotype, corpus, rows, trial, place, SEED, teller)
        metrics = task.metrics(found.truth, found.scores, found.labels)
        loss, _ = task.losses(found.truth, found.scores)
        records.append({**asdict(setting), task.main: metrics.primary.value, "loss": loss})
    chosen = max(range(len(records)), key=lambda i: (records[i][task.main], -records[i]["loss"], -i))
    return {
        "schema_version": 1,
        "what": f"pooled {measure_of_key(task.main).name} of the training clips, each predicted by a network "
        f"that was trained without its group ({grid.inner_folds} grouped inner folds, seed {SEED}); used to choose, "
        "not a result",
        "inner_folds": grid.inner_folds,
        "n_clips": len({corpus.manifest.clips[row].clip for row in rows.train}),
        "settings": records,
        "chosen": chosen,
    }
