"""The batches of an epoch, gathered on the device on which the clips lie: one copy an epoch tells it the order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from audionas.training.resident_clips import ResidentClips, placed_on

Batch = tuple[Tensor, Tensor, Tensor, Tensor | None]  # x, targets, weights, lengths
Inputs = tuple[Tensor, Tensor | None]  # x, lengths
# Of one batch, (batch,) each: rows of the features, start frames, own frames; before them rows of the corpus.
Place = tuple[np.ndarray, np.ndarray, np.ndarray | None]
Cut = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]
# From the own frames of a batch to the frames that its network needs; None: all of its input.
WidthOf = Callable[[np.ndarray | None], int | None]


@dataclass(frozen=True)
class RowTables:
    """Of each row of a corpus, on one device: weight (rows,) float32, target, second class (rows,) int64."""

    weights: Tensor
    targets: Tensor
    second: Tensor | None

    def targets_of(self, rows: Tensor) -> Tensor:
        """The targets of these rows; with second classes (batch, 2)."""
        own = self.targets.index_select(0, rows)
        return own if self.second is None else torch.stack([own, self.second.index_select(0, rows)], dim=1)


def resident_batches(
    clips: ResidentClips, cuts: Sequence[Cut], tables: RowTables, width_of: WidthOf
) -> Iterator[Batch]:
    """The training batches of these cuts."""
    for rows, (x, lengths) in _taken(clips, [(cut[0], cut[1:]) for cut in cuts], width_of):
        yield x, tables.targets_of(rows), tables.weights.index_select(0, rows), lengths


def resident_inputs(clips: ResidentClips, places: Sequence[Place], width_of: WidthOf) -> Iterator[Inputs]:
    """What stands at these places: x (batch, channels, features, frames) and own frames (batch,)."""
    for _, inputs in _taken(clips, [(place[0], place) for place in places], width_of):
        yield inputs


def _taken(
    clips: ResidentClips, parts: Sequence[tuple[np.ndarray, Place]], width_of: WidthOf
) -> Iterator[tuple[Tensor, Inputs]]:
    """Each part's first array on the device, and what stands at its places; one copy tells all of them."""
    if not parts:
        return
    tables = [np.stack([first, *(each for each in place if each is not None)]) for first, place in parts]
    order = placed_on(torch.from_numpy(np.concatenate(tables, axis=1).astype(np.int64)), clips.device)
    begin = 0
    for first, place in parts:
        given, rows, starts, *own = order[:, begin : (begin := begin + len(first))].unbind()
        yield given, (clips.take(rows, starts, width_of(place[2])), own[0] if own else None)


def pinned(batch: Batch) -> Batch:
    """A batch of the host in memory from which a GPU copies without waiting."""
    x, targets, weights, lengths = batch
    return x.pin_memory(), targets.pin_memory(), weights.pin_memory(), None if lengths is None else lengths.pin_memory()
