"""Training of one genotype for one outer split and one seed; leaves predictions, weights and history.

`result.json` is written last: a folder that has it is finished, any other goes on from its checkpoint.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from audionas.audio.folds import divide_groups
from audionas.audio.manifest import Manifest
from audionas.errors import ManifestError
from audionas.experiment.corpus import Corpus
from audionas.models import build_model, n_parameters
from audionas.records import read_json, write_bytes, write_json
from audionas.seeding import seed_torch
from audionas.spaces import CnnGenotype
from audionas.training.batches import ClipTensors, EpochBatches, Normaliser
from audionas.training.fit import FitPlan, fit
from audionas.training.recipe import Recipe
from audionas.training.scoring import predict_clips
from audionas.training.tasks import ClassWeighting, TaskSeam, task_of

Select = Literal["last", "best"]
VALIDATION_SHARE = 0.2
MIN_VALIDATION_GROUPS = 2


@dataclass(frozen=True)
class TrainingPlan:
    """How every fold is trained."""

    recipe: Recipe
    epochs: int
    batch_size: int
    weighting: ClassWeighting = "balanced"
    select: Select = "last"
    auxiliary: bool = False
    device: str = "cpu"


@dataclass(frozen=True)
class FoldRows:
    """Rows of one training: what trains, what selects the epoch (may be empty), what is tested."""

    train: tuple[int, ...]
    validation: tuple[int, ...]
    test: tuple[int, ...]


def fold_rows(
    manifest: Manifest,
    search: Sequence[int],
    test: Sequence[int],
    dev: Sequence[int],
    select: Select,
    seed: int,
) -> FoldRows:
    """All search clips train; with `best`, the corpus's dev part or a fifth of the groups (two at least) selects.

    Raises:
        ManifestError: too few groups to set two aside.
    """
    if select == "last":
        return FoldRows(tuple(search), (), tuple(test))
    if dev:
        validating = set(dev)
        return FoldRows(tuple(row for row in search if row not in validating), tuple(dev), tuple(test))
    n_groups = len({manifest.clips[row].group for row in search})
    if n_groups < MIN_VALIDATION_GROUPS + 1:
        raise ManifestError(
            f"{manifest.root}: {n_groups} training groups; --select best needs {MIN_VALIDATION_GROUPS} to validate "
            "and one to train; use --select last"
        )
    share = max(VALIDATION_SHARE, MIN_VALIDATION_GROUPS / n_groups)
    for wanted in (share, 0.4, 0.5, 0.6):
        parts = divide_groups(manifest, search, {"train": 1 - wanted, "validation": wanted}, seed, "inner validation")
        if len({manifest.clips[row].group for row in parts["validation"]}) >= MIN_VALIDATION_GROUPS:
            return FoldRows(parts["train"], parts["validation"], tuple(test))
    raise ManifestError(f"{manifest.root}: groups too uneven to set two aside for --select best; use --select last")


def train_fold(
    genotype: CnnGenotype,
    corpus: Corpus,
    rows: FoldRows,
    plan: TrainingPlan,
    folder: Path,
    seed: int,
    on_epoch: Callable[[int, dict[str, float]], None] | None = None,
) -> dict[str, Any]:
    """Train, score the test rows, write everything; returns the record in `result.json`."""
    done = folder / "result.json"
    if done.exists():
        return dict(read_json(done, "result"))
    manifest, task = corpus.manifest, task_of(corpus.manifest)
    tensors, normaliser = corpus.tensors(rows.train)
    seed_torch(seed, "retrain", "weights")
    network = build_model(
        genotype, input_shape=corpus.input_shape, n_classes=task.n_outputs(manifest), auxiliary=plan.auxiliary
    )
    best = _Best(folder / "best.safetensors", network, tensors, manifest, rows.validation, task)
    best.resume()

    def after_epoch(epoch: int, record: dict[str, float]) -> None:
        if rows.validation:
            best.look(record)
        if on_epoch is not None:
            on_epoch(epoch, record)

    fit_plan = FitPlan(task, plan.recipe, plan.epochs, seed, "retrain", plan.device, folder)
    history = fit(
        network,
        lambda epoch: _batches(tensors, manifest, rows.train, task, plan, seed, epoch),
        fit_plan,
        after_epoch,
    )
    if not history:
        raise AssertionError("a training has at least one epoch")
    _restore(network, folder, best, history)
    network.eval().to(plan.device)
    if rows.test:
        predictions = predict_clips(network, tensors, manifest, rows.test, task, device=plan.device)
        predictions.write(folder / "predictions.csv")
    _save_weights(network, normaliser, folder / "weights.safetensors")
    result = {
        "seed": seed,
        "epochs": plan.epochs,
        "epoch_used": best.chosen(history) if rows.validation else plan.epochs - 1,
        "parameters": n_parameters(network),
        "n_train": len(rows.train),
        "n_validation": len(rows.validation),
        "n_test": len(rows.test),
        "seconds": round(sum(record["seconds"] for record in history), 3),
    }
    write_json(done, result)
    shutil.rmtree(folder / "checkpoint", ignore_errors=True)
    return result


def _batches(
    tensors: ClipTensors,
    manifest: Manifest,
    rows: Sequence[int],
    task: TaskSeam,
    plan: TrainingPlan,
    seed: int,
    epoch: Callable[[], int],
) -> EpochBatches:
    return EpochBatches(
        tensors,
        rows,
        task.clip_weights(manifest.targets[list(rows)], plan.weighting),
        batch_size=plan.batch_size,
        seed=seed,
        purpose="retrain",
        epoch=epoch,
        balanced_sampling=plan.weighting == "sampler",
    )


class _Best:
    """Keeps the weights of the best validation epoch: highest UA, of equals the first."""

    def __init__(
        self,
        path: Path,
        network: nn.Module,
        tensors: ClipTensors,
        manifest: Manifest,
        rows: Sequence[int],
        task: TaskSeam,
    ) -> None:
        self.path, self._network, self._tensors, self._manifest = path, network, tensors, manifest
        self._rows, self._task = rows, task
        self._highest = -1.0

    def look(self, record: dict[str, float]) -> None:
        """Score the validation rows; keep the weights if they are the best so far."""
        self._network.eval()
        device = next(self._network.parameters()).device
        found = predict_clips(self._network, self._tensors, self._manifest, self._rows, self._task, device=device)
        self._network.train()
        record["validation_ua"] = self._task.metrics(found.truth, found.scores, found.labels).ua
        if record["validation_ua"] > self._highest:
            self._highest = record["validation_ua"]
            state = _contiguous(self._network)
            state["validation_ua"] = torch.tensor(self._highest, dtype=torch.float64)
            write_bytes(self.path, save(state))

    def resume(self) -> None:
        """Remember, after a restart, how good the kept weights are."""
        if self.path.exists():
            self._highest = float(load_file(self.path)["validation_ua"])

    @staticmethod
    def chosen(history: list[dict[str, float]]) -> int:
        """The epoch that was kept."""
        return int(max(history, key=lambda record: (record["validation_ua"], -record["epoch"]))["epoch"])


def _restore(network: nn.Module, folder: Path, best: _Best, history: list[dict[str, float]]) -> None:
    """Put the chosen weights into the network: the best epoch's, or (after a late kill) the checkpoint's."""
    from audionas.training.checkpoint import FILE_NAME, load_checkpoint

    if "validation_ua" in history[-1]:
        state = load_file(best.path)
        state.pop("validation_ua")
        network.load_state_dict(state)
        return
    saved = load_checkpoint(folder / "checkpoint" / FILE_NAME)
    if saved is not None and saved["epoch"] == len(history):
        network.load_state_dict({name.removeprefix("_model."): value for name, value in saved["module"].items()})


def _save_weights(network: nn.Module, normaliser: Normaliser, path: Path) -> None:
    state = _contiguous(network)
    state["normaliser.mean"] = torch.from_numpy(np.ascontiguousarray(normaliser.mean))
    state["normaliser.std"] = torch.from_numpy(np.ascontiguousarray(normaliser.std))
    write_bytes(path, save(state))


def _contiguous(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
