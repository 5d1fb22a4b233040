"""The plans of a retraining's trainings, read from its run.json, and what tells of their epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from audionas.audio.folds import OuterSplit, split_folder
from audionas.experiment.corpus import Corpus
from audionas.experiment.fold_rows import fold_rows
from audionas.experiment.fold_training import OnEpoch, TrainingPlan
from audionas.experiment.genotype_sources import Source
from audionas.experiment.pretrained_start import pretrained_place
from audionas.experiment.run_folder import RunFolder
from audionas.experiment.talk import Talk
from audionas.experiment.tracked_training import tracked_training
from audionas.experiment.tuning import Grid, Setting, tuned
from audionas.quantities import count_text
from audionas.records import validate
from audionas.training.ledger import step
from audionas.training.precision import precision_of_record
from audionas.training.recipe import Recipe


def training_plan(record: Mapping[str, Any]) -> TrainingPlan:
    """How every fold is trained, as the run.json of a retraining has it."""
    options = record["options"]
    return TrainingPlan(
        recipe=validate(Recipe, options["recipe"], "run.json"),
        epochs=record["epochs"],
        batch_size=options["batch_size"],
        weighting=options["class_weighting"],
        select=record["select"],
        auxiliary=options["auxiliary"],
        device=record["device"],
        precision=precision_of_record(record.get("precision"), record["device"]),
        compiles=record.get("compile", False),
        inner_folds=options.get("inner_folds", 0),  # a run of before inner folds has none
    )


def split_plans(
    run: RunFolder,
    corpora: Mapping[str, Corpus],
    splits: Sequence[OuterSplit],
    sources: Mapping[str, Source],
    plan: TrainingPlan,
    talk: Talk,
) -> dict[str, TrainingPlan]:
    """The plan of each split: the common one, or with what inner folds of the split's training clips choose."""
    record = run.record.get("tuning")  # a run of before tuning has none
    plans = {split.name: with_pretrained(run, split.name, plan) for split in splits}
    if not record:
        return plans
    grid = Grid.from_record(record)
    for split in splits:
        corpus, folder = corpora[split.name], run.path / split_folder(split.name)
        rows = fold_rows(corpus.manifest, split.search, split.test, split.dev, "last", 0)
        talk.say(f"split {split.name}: choosing among {count_text(len(grid.settings), 'setting')}")

        def tell(setting: Setting, k: int, name: str = split.name) -> OnEpoch:
            return epoch_teller(talk, f"split {name}, {setting}", replace(plan, inner_folds=grid.inner_folds), k)

        with step("tuning"):
            chosen = tuned(sources[split.name].genotype, corpus, rows, plans[split.name], grid, folder, tell)
        talk.say(f"split {split.name}: learning rate {chosen.recipe.learning_rate:g}, {chosen.epochs} epochs")
        plans[split.name] = chosen
    return plans


def with_pretrained(run: RunFolder, split: str, plan: TrainingPlan) -> TrainingPlan:
    """The plan with the weights that the trainings of a split begin with, if there are some."""
    return replace(plan, pretrained=pretrained_place(run.path / split_folder(split)))


def epoch_teller(talk: Talk, what: str, plan: TrainingPlan, inner_fold: int) -> OnEpoch:
    """Tells the epochs of one training; inner fold 0 is the split's own training."""
    name = f"{what}, inner fold {inner_fold}/{plan.inner_folds}" if inner_fold else what

    def tell(epoch: int, _: Mapping[str, float]) -> None:
        talk.progress(name, epoch + 1, plan.epochs)

    return tell


def tracked_teller(talk: Talk, what: str, plan: TrainingPlan, folder: Path, inner_fold: int) -> OnEpoch:
    """The same; the split's own training is told to the trackers too."""
    tell = epoch_teller(talk, what, plan, inner_fold)
    return tell if inner_fold else tracked_training(tell, folder, plan.recipe, plan.epochs)
