"""Pre-training without labels: a network learns to predict the next frame, until the validation error stops falling.

Source: Lian et al. 2019, section 2.1 and 4.1 (Adam, rate 0.001, batches of 32, early stopping). The paper names no
loss: mean squared error is taken, over all predicted values of a batch alike; `l1` is a switch. Nor does it say how
many epochs are waited for: see `patience`. The rate stays as it is; gradients are cut to a norm of 5 as everywhere
here. Can be killed at any moment and goes on from its checkpoint.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from audionas.features.fop_network import NextFrame, own_frames
from audionas.models.baselines.abilities import TaskLoss
from audionas.records import write_bytes
from audionas.training.checkpoint import FILE_NAME, load_checkpoint
from audionas.training.fit import FitPlan, fit
from audionas.training.frame_batches import FrameClips, ShuffledFrames
from audionas.training.ledger import count
from audionas.training.recipe import Recipe
from audionas.training.tasks import TASKS

LOSSES = ("mse", "l1")
PURPOSE = "pretrain"
VALIDATION = "validation_loss"
BEST_FILE = "best.safetensors"


@dataclass(frozen=True)
class PretrainingPlan:
    """How a pre-training runs: to `patience` epochs after the lowest validation error, for `epochs` at most.

    `loss`: mse or l1.
    """

    epochs: int
    patience: int = 5
    batch_size: int = 32
    learning_rate: float = 1.0e-3
    loss: str = "mse"
    seed: int = 0
    device: str = "cpu"

    @property
    def recipe(self) -> Recipe:
        """Adam at one rate."""
        return Recipe(
            optimiser="adam", learning_rate=self.learning_rate, schedule="constant", momentum=0.0, weight_decay=0.0
        )  # fmt: skip


class PredictionErrors(nn.Module):
    """A network with the error of its predictions: (batch, 1, bands, frames) and lengths to (batch, 2).

    Of each clip the sum of errors over frames 2 to its last one, and how many values those are.
    """

    def __init__(self, network: NextFrame, loss: str) -> None:
        super().__init__()
        self.network, self._loss = network, loss

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Sums and counts; what follows a clip's own frames counts for nothing."""
        frames = own_frames(x, lengths)
        distance = self.network(frames)[:, :-1] - frames[:, 1:]
        errors = distance.square() if self._loss == "mse" else distance.abs()
        is_own = torch.arange(1, frames.shape[1], device=x.device)[None, :] < lengths[:, None]
        sums = torch.where(is_own, errors.sum(dim=2), 0.0).sum(dim=1)
        return torch.stack([sums, is_own.sum(dim=1) * frames.shape[2]], dim=1)

    def loss(self, task_loss: TaskLoss, logits: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
        """The mean error over the predicted values of a batch; there is no other task."""
        return logits[:, 0].sum() / logits[:, 1].sum().clamp(min=1)


def pretrain_network(
    network: NextFrame,
    clips: FrameClips,
    train: Sequence[int],
    validation: Sequence[int],
    plan: PretrainingPlan,
    folder: Path,
    on_epoch: Callable[[int, dict[str, float]], None] | None = None,
) -> list[dict[str, float]]:
    """Train `network` in place and leave it, in eval mode, with the weights of its best epoch; returns the history.

    Args:
        validation: rows that choose the epoch; none: the last epoch is taken.
        folder: holds checkpoint, best weights and `history.jsonl`.

    Raises:
        NonFiniteLossError: the loss is NaN or infinite.
        KeyboardInterrupt: the user stopped it; its checkpoint is kept.
    """
    scored = PredictionErrors(network, plan.loss)
    best = _LowestError(folder / BEST_FILE, scored)

    def after_epoch(epoch: int, record: dict[str, float]) -> None:
        if validation:
            best.look(record, validation_error(scored, clips, validation, plan))
        if on_epoch is not None:
            on_epoch(epoch, record)

    history = fit(
        scored,
        lambda epoch: ShuffledFrames(
            clips, train, batch_size=plan.batch_size, seed=plan.seed, purpose=PURPOSE, epoch=epoch
        ),
        FitPlan(TASKS["regression"], plan.recipe, plan.epochs, plan.seed, PURPOSE, plan.device, folder),
        after_epoch,
        lambda records: is_enough(records, plan.patience),
    )
    _restore(scored, best, folder, has_best=bool(validation))
    network.eval()
    return history


def is_enough(records: Sequence[dict[str, float]], patience: int) -> bool:
    """Whether the last `patience` epochs have brought no lower validation error than those before."""
    errors = [record[VALIDATION] for record in records if VALIDATION in record]
    return len(errors) > patience and min(errors[:-patience]) <= min(errors[-patience:])


def validation_error(scored: PredictionErrors, clips: FrameClips, rows: Sequence[int], plan: PretrainingPlan) -> float:
    """The mean error over all predicted values of these rows, without dropout."""
    scored.eval()
    device = next(scored.parameters()).device
    total = torch.zeros(2, dtype=torch.float64)
    with torch.no_grad():
        for x, _, _, lengths in clips.in_order(rows, plan.batch_size):
            assert lengths is not None
            count(forward=len(x))
            total += scored(x.to(device), lengths.to(device)).double().sum(dim=0).cpu()
    scored.train()
    return float(total[0] / total[1].clamp(min=1))


class _LowestError:
    """Keeps the weights of the epoch with the lowest validation error, of equals the first."""

    def __init__(self, path: Path, scored: nn.Module) -> None:
        self.path, self._scored = path, scored
        kept = load_file(path) if path.exists() else None
        self._lowest = float(kept[VALIDATION]) if kept else math.inf

    def look(self, record: dict[str, float], error: float) -> None:
        """Note the error; keep the weights if it is the lowest so far."""
        record[VALIDATION] = error
        if error < self._lowest:
            self._lowest = error
            state = {name: value.detach().cpu().contiguous() for name, value in self._scored.state_dict().items()}
            write_bytes(self.path, save(state | {VALIDATION: torch.tensor(error, dtype=torch.float64)}))

    def state(self) -> dict[str, Any]:
        """The kept weights."""
        state = load_file(self.path)
        del state[VALIDATION]
        return dict(state)


def _restore(scored: nn.Module, best: _LowestError, folder: Path, *, has_best: bool) -> None:
    """Put the chosen weights into the network; after a late kill those of the last epoch are the checkpoint's."""
    if has_best:
        scored.load_state_dict(best.state())
        return
    saved = load_checkpoint(folder / "checkpoint" / FILE_NAME)
    if saved is not None:
        scored.load_state_dict({name.removeprefix("_model."): value for name, value in saved["module"].items()})
