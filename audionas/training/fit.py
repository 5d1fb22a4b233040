"""Trains one plain network with Lightning; can be killed at any moment and goes on from its checkpoint."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from torch import nn

from audionas.errors import AudionasError
from audionas.records import append_jsonl, read_jsonl, rewrite_jsonl
from audionas.training.batches import EpochBatches
from audionas.training.checkpoint import EpochCheckpoint
from audionas.training.devices import gpu_index
from audionas.training.frame_batches import ShuffledFrames
from audionas.training.memory import Economy
from audionas.training.precision import PRECISIONS, usual_precision
from audionas.training.recipe import Recipe
from audionas.training.silence import quiet
from audionas.training.surviving import SurvivingModule
from audionas.training.tasks import TaskSeam


class NonFiniteLossError(AudionasError):
    """A loss became NaN or infinite; for a trial this is a failed trial, for a search the end."""


@dataclass(frozen=True)
class FitPlan:
    """Everything about one training but the network and its data.

    `precision` is a key of `PRECISIONS`; None is what the device usually has. `compiles`: by torch.compile.
    """

    task: TaskSeam
    recipe: Recipe
    epochs: int
    seed: int
    purpose: str
    device: str = "cpu"
    folder: Path | None = None
    checkpoint_every_s: float = 5.0
    precision: str | None = None
    compiles: bool = False


def fit(
    network: nn.Module,
    batches: Callable[[Callable[[], int]], EpochBatches | ShuffledFrames],
    plan: FitPlan,
    on_epoch: Callable[[int, dict[str, float]], None] | None = None,
    stop: Callable[[list[dict[str, float]]], bool] | None = None,
) -> list[dict[str, float]]:
    """Train `network` in place; returns one record an epoch: epoch, train_loss, seconds and what `on_epoch` adds.

    Args:
        batches: makes the epoch's batches, given a function that names the epoch.
        on_epoch: called after every epoch with its number and record, may add numbers to the record.
        stop: asked after every epoch, and before the first one of a resumed training, whether the records so far
            are enough.

    Raises:
        NonFiniteLossError: the loss is NaN or infinite.
        KeyboardInterrupt: the user stopped the training; its checkpoint is kept.
    """
    module = SurvivingModule(plan.task, plan.recipe, epochs=plan.epochs, seed=plan.seed, purpose=plan.purpose)
    module.set_model(network)
    if plan.compiles:
        module.compile_network()
    history = _History(plan.folder, on_epoch, stop)
    callbacks: list[pl.Callback] = [history]
    checkpoint = None
    if plan.folder is not None:
        checkpoint = EpochCheckpoint(plan.folder / "checkpoint" / "last.pt", plan.checkpoint_every_s)
        callbacks.append(checkpoint)
        history.cut_back(checkpoint.next_epoch)
        if history.records:
            module.economy = Economy.of_record(history.records[-1])
        if stop is not None and stop(history.records):
            return history.records
    with quiet():
        trainer = pl.Trainer(
            max_epochs=plan.epochs, callbacks=callbacks, gradient_clip_val=plan.recipe.gradient_clip,
            gradient_clip_algorithm=plan.recipe.clip_by,
            **trainer_settings(plan.device, precision=plan.precision),
        )  # fmt: skip
        if checkpoint is not None:
            checkpoint.start(trainer)
        run_interruptibly(trainer, lambda: trainer.fit(module, batches(lambda: trainer.current_epoch)))
    return history.records


def trainer_settings(device: str, *, mixed_precision: bool = True, precision: str | None = None) -> dict[str, Any]:
    """Arguments of a silent Lightning trainer on one device.

    Args:
        mixed_precision: whether the device's usual precision is taken where none is given; else float32.
        precision: a key of `PRECISIONS`.

    Raises:
        SettingsError: the device does not exist here.
    """
    settings: dict[str, Any] = {
        "logger": False, "enable_checkpointing": False, "enable_progress_bar": False,
        "enable_model_summary": False, "num_sanity_val_steps": 0, "limit_val_batches": 0,
    }  # fmt: skip
    index = gpu_index(device)
    if precision is None:
        precision = usual_precision(device) if mixed_precision else "32"
    settings["precision"] = PRECISIONS[precision]
    if index is None:
        return settings | {"accelerator": "cpu", "devices": 1}
    return settings | {"accelerator": "gpu", "devices": [index]}


def run_interruptibly(trainer: pl.Trainer, run: Callable[[], object]) -> None:
    """Call `run`; an interruption that Lightning swallowed or turned into an exit is raised again."""
    from pytorch_lightning.trainer.states import TrainerStatus

    try:
        run()
    except SystemExit as why:
        raise KeyboardInterrupt from why
    if trainer.state.status == TrainerStatus.INTERRUPTED:
        raise KeyboardInterrupt


class _History(pl.Callback):
    """Keeps `history.jsonl`, stops on a loss that is not finite."""

    def __init__(
        self,
        folder: Path | None,
        on_epoch: Callable[[int, dict[str, float]], None] | None,
        stop: Callable[[list[dict[str, float]]], bool] | None,
    ) -> None:
        self._path = folder / "history.jsonl" if folder is not None else None
        self._on_epoch, self._stop = on_epoch, stop
        self._started = 0.0
        self.records: list[dict[str, float]] = []

    def cut_back(self, epoch: int) -> None:
        """Forget epochs that the checkpoint does not hold."""
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self.records = read_jsonl(self._path)[:epoch]
        rewrite_jsonl(self._path, self.records)

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._started = time.perf_counter()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        assert isinstance(pl_module, SurvivingModule)
        loss = pl_module.mean_loss("train")
        if not math.isfinite(loss):
            raise NonFiniteLossError(
                f"epoch {trainer.current_epoch}: the training loss is {loss}; lower the learning rate"
            )
        seconds = time.perf_counter() - self._started
        record = {"epoch": trainer.current_epoch, "train_loss": loss, "seconds": round(seconds, 3)}
        record |= pl_module.economy.as_record()
        if self._on_epoch is not None:
            self._on_epoch(trainer.current_epoch, record)
        self.records.append(record)
        if self._path is not None:
            append_jsonl(self._path, record)
        if self._stop is not None and self._stop(self.records):
            trainer.should_stop = True


__all__ = ["FitPlan", "NonFiniteLossError", "fit", "quiet", "run_interruptibly", "trainer_settings"]
