"""One checkpoint of a training: weights, optimisers, schedules, next epoch; replaced atomically.

The name is fixed, so a kill leaves either the old or the new one. Read with `weights_only=True`: a file
that somebody else wrote cannot run code here.
"""

from __future__ import annotations

import pickle
import struct
import time
from collections import OrderedDict
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import pytorch_lightning as pl
import torch

from audionas.errors import RunError
from audionas.records import write_bytes

FILE_NAME = "last.pt"
# what torch's restricted unpickler raises on damaged files, found by feeding it some
_UNREADABLE = (
    RuntimeError, pickle.UnpicklingError, EOFError, OSError, ValueError, LookupError, TypeError, AttributeError,
    AssertionError, struct.error,
)  # fmt: skip


def load_checkpoint(path: Path) -> dict[str, Any] | None:
    """The checkpoint at `path`, or None if there is none.

    Raises:
        RunError: the file is not a checkpoint of ours.
    """
    if not path.exists():
        return None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except _UNREADABLE as why:
        raise RunError(f"{path}: not a readable checkpoint; delete it to start this training anew") from why
    if not isinstance(state, dict) or not all(type(state.get(key)) in kinds for key, kinds in _KINDS.items()):
        raise RunError(f"{path}: not a checkpoint of audionas; delete it to start this training anew")
    return cast(dict[str, Any], state)


_KINDS = {"epoch": (int,), "module": (dict, OrderedDict), "optimisers": (list,), "schedules": (list,)}


class EpochCheckpoint(pl.Callback):
    """Restores a training at its start and saves it after epochs, at most every `every_s` seconds.

    Raises:
        RunError: the file is not a checkpoint of ours; at the training's start, it is of another training.
    """

    def __init__(self, path: Path, every_s: float = 0.0) -> None:
        self._path, self._every_s = path, every_s
        self._state = load_checkpoint(path)
        self._saved_at = time.monotonic()

    @property
    def next_epoch(self) -> int:
        """The first epoch that is still to be trained."""
        return int(self._state["epoch"]) if self._state else 0

    def start(self, trainer: pl.Trainer) -> None:
        """Let the trainer count from `next_epoch`; call before `fit`."""
        progress = trainer.fit_loop.epoch_progress.current
        for counter in ("ready", "started", "processed", "completed"):
            setattr(progress, counter, self.next_epoch)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Put weights, optimisers and schedules back; by now Lightning has built them."""
        if self._state is None:
            return
        try:
            pl_module.load_state_dict(self._state["module"])
            for optimiser, state in zip(trainer.optimizers, self._state["optimisers"], strict=True):
                optimiser.load_state_dict(state)
                _check_shapes(optimiser)
            for config, state in zip(trainer.lr_scheduler_configs, self._state["schedules"], strict=True):
                config.scheduler.load_state_dict(state)
        except (RuntimeError, LookupError, TypeError, ValueError, AttributeError) as why:
            raise RunError(f"{self._path}: of another training than this; delete it to start this one anew") from why

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save; runs after every callback listed before this one."""
        epoch = trainer.current_epoch + 1
        is_last = epoch >= (trainer.max_epochs or 0) or trainer.should_stop
        if not is_last and time.monotonic() - self._saved_at < self._every_s:
            return
        state = {
            "epoch": epoch,
            "module": pl_module.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in trainer.optimizers],
            "schedules": [config.scheduler.state_dict() for config in trainer.lr_scheduler_configs],
        }
        data = BytesIO()
        torch.save(state, data)
        write_bytes(self._path, data.getvalue())
        self._saved_at = time.monotonic()


def _check_shapes(optimiser: torch.optim.Optimizer) -> None:
    """Torch takes moments of any shape and fails at the first step."""
    for weight, state in optimiser.state.items():
        for value in state.values():
            if isinstance(value, torch.Tensor) and value.ndim and value.shape != weight.shape:
                raise ValueError(f"a moment of shape {tuple(value.shape)} for a weight of {tuple(weight.shape)}")
