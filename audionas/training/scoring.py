"""Scores of a network on clips: probabilities averaged over the windows of each row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from audionas.audio.manifest import Manifest
from audionas.models.baselines.abilities import trims_padding
from audionas.training.batches import ClipTensors, Inputs
from audionas.training.fit import NonFiniteLossError
from audionas.training.ledger import count
from audionas.training.memory import is_out_of_memory
from audionas.training.predictions import Predictions, average_windows
from audionas.training.resident_batches import resident_inputs
from audionas.training.tasks import TaskSeam

Forward = Callable[..., Tensor]  # (x) or, where padding is masked, (x, lengths) -> logits


def score_rows(
    forward: Forward,
    tensors: ClipTensors,
    rows: Sequence[int],
    task: TaskSeam,
    *,
    batch_size: int,
    device: torch.device | str = "cpu",
) -> np.ndarray:
    """Scores (rows, outputs) float64 of `forward` (inputs, lengths -> logits); the caller sets eval mode.

    Where the clips lie on the device the host does not wait for it until all are scored. A GPU without memory for so
    many at a time scores fewer.
    """
    pairs = [(position, row, start) for position, row in enumerate(rows) for start in tensors.windows(row)]
    stacked = None
    while stacked is None:
        try:
            stacked = _scores(forward, tensors, pairs, task, batch_size, torch.device(device))
        except RuntimeError as why:
            if not is_out_of_memory(why) or batch_size == 1:
                raise
            batch_size //= 2
    count(forward=len(pairs))
    owner = np.array([position for position, _, _ in pairs])  # ascending: the windows of a row stand together
    starts_at = np.searchsorted(owner, np.arange(len(rows)))
    return np.asarray(np.add.reduceat(stacked, starts_at, axis=0) / np.bincount(owner)[:, None])


def _scores(
    forward: Forward,
    tensors: ClipTensors,
    pairs: Sequence[tuple[int, int, int]],
    task: TaskSeam,
    batch_size: int,
    device: torch.device,
) -> np.ndarray:
    """Scores of each of the windows, (windows, outputs) float64."""
    scores = []
    with torch.no_grad():
        for x, lengths in _chunks(tensors, pairs, batch_size, device, trims_padding(forward)):
            logits = forward(x) if lengths is None else forward(x, lengths)
            scores.append(task.scores(logits).double())
    return np.asarray(torch.cat(scores).cpu().numpy())


def _chunks(
    tensors: ClipTensors,
    pairs: Sequence[tuple[int, int, int]],
    batch_size: int,
    device: torch.device,
    is_trimmed: bool,
) -> Iterator[Inputs]:
    """The windows of `pairs` (position, row, start) on the device, so many at a time."""
    resident, cuts = tensors.resident(device), []
    for first in range(0, len(pairs), batch_size):
        _, rows, starts = zip(*pairs[first : first + batch_size], strict=True)
        if resident is None:
            x, lengths = tensors.at(rows, starts)
            yield x.to(device), None if lengths is None else lengths.to(device)
        else:
            at = np.asarray(starts)
            cuts.append((np.asarray(rows), at, tensors.own_lengths(rows, at)))
    if resident is not None:
        yield from resident_inputs(resident, cuts, tensors.width_of if is_trimmed else lambda _: None)


def predict_clips(
    forward: Forward,
    tensors: ClipTensors,
    manifest: Manifest,
    rows: Sequence[int],
    task: TaskSeam,
    *,
    part: str = "test",
    batch_size: int = 64,
    device: torch.device | str = "cpu",
) -> Predictions:
    """Predictions of the clips that these rows belong to.

    Raises:
        NonFiniteLossError: a score is NaN or infinite.
    """
    scores = score_rows(forward, tensors, rows, task, batch_size=batch_size, device=device)
    if not np.isfinite(scores).all():
        raise NonFiniteLossError(f"a score of the {part} clips is not finite; lower the learning rate")
    return average_windows(manifest, rows, scores, part)
