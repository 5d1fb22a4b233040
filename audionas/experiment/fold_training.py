"""Training of one genotype for one outer split and one seed; leaves predictions, weights and history.

`result.json` is written last: a folder that has it is finished, any other goes on from its checkpoint.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from torch import nn

from audionas.audio.manifest import Manifest
from audionas.experiment.best_epoch import VALIDATION, BestEpoch, restore, weights
from audionas.experiment.chosen_on_test import CHOSEN_ON, ON_TEST, TEST
from audionas.experiment.corpus import Corpus
from audionas.experiment.fold_rows import FoldRows, Select
from audionas.experiment.known_macs import known_macs
from audionas.experiment.leaks import refuse_leak
from audionas.experiment.pretrained_start import begin_pretrained
from audionas.experiment.second_task_scores import TABLE, second_record
from audionas.models import build_model, n_parameters, parameter_parts
from audionas.models.baselines import ClosedForm, second_task, trims_padding
from audionas.records import read_json, write_bytes, write_json
from audionas.seeding import seed_torch
from audionas.spaces import Genotype
from audionas.training.batches import ClipTensors, EpochBatches, Normaliser
from audionas.training.fit import FitPlan, NonFiniteLossError, fit
from audionas.training.front_end_recipe import retraining_recipe_of
from audionas.training.ledger import count
from audionas.training.memory import Economy, has_batch_norm
from audionas.training.predictions import Predictions, average_windows, write_predictions
from audionas.training.recipe import Recipe
from audionas.training.scoring import predict_clips
from audionas.training.second_task import predict_second, second_targets
from audionas.training.tasks import ClassWeighting, TaskSeam, task_of

OnEpoch = Callable[[int, dict[str, float]], None]


@dataclass(frozen=True)
class TrainingPlan:
    """How every fold is trained; `inner_folds` 0: without inner out-of-fold predictions.

    `pretrained`: a file of weights that networks begin with. `precision` and `compiles`: see
    `FitPlan`.
    """

    recipe: Recipe
    epochs: int
    batch_size: int
    weighting: ClassWeighting = "balanced"
    select: Select = "last"
    auxiliary: bool = False
    device: str = "cpu"
    inner_folds: int = 0
    pretrained: Path | None = None
    precision: str | None = None
    compiles: bool = False


@dataclass(frozen=True)
class Trained:
    """A trained network with what it was trained on; `epoch_used` counts from 0.

    `failures` says why a training diverged. It is then scored as chance, so that one bad seed neither ends a
    retraining nor drops out of its mean. `economy` is how it saved memory on the device.
    """

    network: nn.Module
    corpus: Corpus
    tensors: ClipTensors
    normaliser: Normaliser
    epoch_used: int
    seconds: float
    device: str
    task: TaskSeam
    failures: list[str] = field(default_factory=list)
    economy: Economy = field(default_factory=Economy)

    def predict(self, rows: Sequence[int], part: str) -> Predictions:
        """Predictions of the clips of these rows; those of guessing where the training has diverged."""
        manifest, task = self.corpus.manifest, self.task
        if not self.failures:
            try:
                return predict_clips(self.network, self.tensors, manifest, rows, task, part=part, device=self.device)
            except NonFiniteLossError as why:
                self.failures.append(str(why))
        guess = task.chance(task.n_outputs(manifest))
        return average_windows(manifest, rows, np.tile(guess, (len(rows), 1)), part)

    def predict_second(self, rows: Sequence[int]) -> Predictions | None:
        """Predictions of the second class; None without a second task, or where no clip has a second class."""
        ability = second_task(self.network)
        if ability is None:
            return None
        manifest, has_diverged = self.corpus.manifest, bool(self.failures)
        return predict_second(ability, self.tensors, manifest, rows, self.device, has_diverged=has_diverged)


def train_fold(
    genotype: Genotype,
    corpus: Corpus,
    rows: FoldRows,
    plan: TrainingPlan,
    folder: Path,
    seed: int,
    on_epoch: OnEpoch | None = None,
    inner_oof: Predictions | None = None,
) -> dict[str, Any]:
    """Train, score test, training and validation rows, write everything; returns the record in `result.json`.

    Args:
        inner_oof: predictions that inner trainings made; they are put into the same table.
    """
    done = folder / "result.json"
    if done.exists():
        return dict(read_json(done, "result"))
    trained = train_network(genotype, corpus, rows, plan, folder, seed, on_epoch)
    if rows.test:
        parts = {"test": rows.test, "train": rows.train, "validation": rows.validation}
        found = [trained.predict(part, name) for name, part in parts.items() if part]
        write_predictions(folder / "predictions.csv", [*found, *([inner_oof] if inner_oof else [])])
    second = trained.predict_second(rows.test)
    if second is not None:
        second.write(folder / TABLE)
    if not trained.failures:
        _save_weights(trained, folder / "weights.safetensors")
    n_outputs = trained.task.n_outputs(corpus.manifest)
    macs = known_macs(genotype, trained.network, corpus.input_shape, n_outputs, plan.auxiliary)
    result = {
        "seed": seed,
        "epochs": plan.epochs,
        "epoch_used": trained.epoch_used,
        "parameters": n_parameters(trained.network),
        "parameter_parts": parameter_parts(trained.network),
        "macs": macs,
        "macs_per_second": macs / corpus.length_s,
        "n_train": len(rows.train),
        "n_validation": len(rows.validation),
        "n_test": len(rows.test),
        "seconds": trained.seconds,
        "failed": trained.failures[0] if trained.failures else None,
    }
    if trained.economy != Economy():
        result["out_of_memory"] = trained.economy.as_record() | {
            "told": trained.economy.text(has_batch_norm=has_batch_norm(trained.network))
        }
    if plan.select == ON_TEST:
        result[CHOSEN_ON] = TEST
    if (ability := second_task(trained.network)) is not None and rows.test:
        result["second_task"] = second_record(ability.second_column, second)
    write_json(done, result)
    shutil.rmtree(folder / "checkpoint", ignore_errors=True)
    return result


def train_network(
    genotype: Genotype,
    corpus: Corpus,
    rows: FoldRows,
    plan: TrainingPlan,
    folder: Path,
    seed: int,
    on_epoch: OnEpoch | None = None,
) -> Trained:
    """Train one network, in eval mode afterwards; its checkpoint in `folder` stays until the caller removes it."""
    manifest = corpus.manifest
    task = task_of(manifest).fitted(manifest.targets[list(rows.train)])
    tensors, normaliser = corpus.tensors(rows.train)
    read = {"training": rows.train, "validation": rows.validation, "normalisation": normaliser.rows}
    refuse_leak(manifest, rows.test, read)
    seed_torch(seed, "retrain", "weights")
    options = {"auxiliary": True} if plan.auxiliary else {}
    network = build_model(genotype, input_shape=corpus.input_shape, n_classes=task.n_outputs(manifest), **options)
    begin_pretrained(network, genotype, plan.pretrained, normaliser)
    is_on_test = plan.select == ON_TEST  # the one way in which test clips may choose
    choosing = rows.test if is_on_test else rows.validation
    part = TEST if is_on_test else VALIDATION
    best = BestEpoch(folder / "best.safetensors", network, tensors, manifest, choosing, task, part)
    best.resume()
    second = _second_targets(network, manifest, rows.train)
    deal = partial(_batches, tensors, corpus, rows.train, plan, seed, second, trims_padding(network))

    def after_epoch(epoch: int, record: dict[str, float]) -> None:
        if choosing:
            best.look(record)
        if on_epoch is not None:
            on_epoch(epoch, record)

    fit_plan = FitPlan(
        task, retraining_recipe_of(genotype, plan.recipe), plan.epochs, seed, "retrain", plan.device, folder,
        precision=plan.precision, compiles=plan.compiles,
    )  # fmt: skip
    try:
        history = fit(network, deal, fit_plan, after_epoch)
    except NonFiniteLossError as why:
        return Trained(network, corpus, tensors, normaliser, 0, 0.0, plan.device, task, [str(why)])
    if not history:
        raise AssertionError("a training has at least one epoch")
    restore(network, folder, best, history)
    network.eval().to(plan.device)
    if isinstance(network, ClosedForm):
        _solve(network, deal(lambda: plan.epochs), plan.device)
    epoch_used = best.epoch if choosing else plan.epochs - 1
    seconds = round(sum(record["seconds"] for record in history), 3)
    economy = Economy.of_record(history[-1])
    return Trained(network, corpus, tensors, normaliser, epoch_used, seconds, plan.device, task, economy=economy)


def _solve(network: ClosedForm, batches: EpochBatches, device: str) -> None:
    """Solve the last layer from one pass over the training clips."""
    count(forward=sum(len(targets) for _, targets, _, _ in batches))
    moved = (tuple(None if part is None else part.to(device) for part in batch) for batch in batches)
    with torch.no_grad():
        network.solve(moved)  # type: ignore[arg-type]


def _batches(
    tensors: ClipTensors,
    corpus: Corpus,
    rows: Sequence[int],
    plan: TrainingPlan,
    seed: int,
    second: np.ndarray | None,
    trims: bool,
    epoch: Callable[[], int],
) -> EpochBatches:
    return EpochBatches(
        tensors,
        rows,
        task_of(corpus.manifest).clip_weights(corpus.manifest.targets[list(rows)], plan.weighting),
        batch_size=plan.batch_size,
        seed=seed,
        purpose="retrain",
        epoch=epoch,
        balanced_sampling=plan.weighting == "sampler",
        second=second,
        device=plan.device,
        trims_padding=trims,
    )


def _second_targets(network: nn.Module, manifest: Manifest, rows: Sequence[int]) -> np.ndarray | None:
    """Second classes of the training clips, and of no others; None without a second task."""
    ability = second_task(network)
    if ability is None:
        return None
    return second_targets(manifest, ability.second_column, ability.second_labels, rows)


def _save_weights(trained: Trained, path: Path) -> None:
    """Weights with what they are useless without: the normaliser, and of a regression the scale of the targets."""
    state = weights(trained.network)
    extra = {"normaliser.mean": trained.normaliser.mean, "normaliser.std": trained.normaliser.std}
    extra |= {f"targets.{name}": value for name, value in trained.task.state().items()}
    state |= {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in extra.items()}
    write_bytes(path, save(state))
