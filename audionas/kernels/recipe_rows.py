"""The rows of a batch of clips: packed frame by frame, clips of more frames first, so that no row is padding."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property, lru_cache

import torch
from torch import Tensor

Frames = tuple[int, int]  # the first, and the one behind the last


@dataclass(frozen=True)
class Rows:
    """Which row holds which frame of which clip.

    `offsets`, (frames + 1,) int64: the first row of each frame. `index`, (rows,) int64: where in the batch a row comes
    from, clip * frames + frame; None where every clip fills all frames and runs forwards.
    """

    n_clips: int
    n_frames: int
    offsets: Tensor
    index: Tensor | None

    @cached_property
    def starts(self) -> list[int]:
        """`offsets` as numbers."""
        return [int(offset) for offset in self.offsets.tolist()]

    @property
    def n_rows(self) -> int:
        """Frames of all clips together."""
        return self.starts[-1]

    @property
    def n_initial(self) -> int:
        """Clips that have a frame: so many rows of initial states stand before the states of all rows."""
        return self.starts[1]

    @cached_property
    def places(self) -> Tensor:
        """`index`, also where it is None."""
        if self.index is not None:
            return self.index
        return (torch.arange(self.n_frames)[:, None] + torch.arange(self.n_clips) * self.n_frames).flatten()

    def range(self, frames: Frames) -> Frames:
        """The first row of these frames, and the one behind their last."""
        return self.starts[frames[0]], self.starts[frames[1]]

    def pieces(self, n_rows: int) -> list[Frames]:
        """All frames that have rows, in pieces of at least so many rows, as far as they go."""
        pieces, first, end = [], 0, bisect_left(self.starts, self.n_rows)
        while first < end:
            last = min(end, bisect_left(self.starts, self.starts[first] + n_rows))
            pieces.append((first, last))
            first = last
        return pieces

    def gather(self, x: Tensor, frames: Frames) -> Tensor:
        """x (batch, frames, values) -> (rows, values) of these frames."""
        if self.index is None:
            return x[:, slice(*frames)].transpose(0, 1).reshape(-1, x.shape[2])
        return x.reshape(-1, x.shape[2]).index_select(0, self.index[slice(*self.range(frames))])

    def scatter(self, values: Tensor) -> Tensor:
        """(rows, values) of all frames -> (batch, frames, values), 0 in the padding; a view if nothing has to move."""
        shape = self.n_clips, self.n_frames, values.shape[1]
        if self.index is None:
            return values.view(self.n_frames, self.n_clips, -1).transpose(0, 1)
        padded = values.new_zeros(self.n_clips * self.n_frames, values.shape[1])
        return padded.index_copy_(0, self.index, values).view(shape)

    def before(self, frames: Frames, states: Tensor) -> Tensor:
        """The states with which rows of these frames begin: initial ones, then those of all rows.

        (blocks, clips + all rows, values) -> (blocks, rows, values).
        """
        if self.starts[-1] == self.n_initial * self.n_frames:
            return states[:, slice(*self.range(frames))]
        sizes, (begin, end) = self.offsets.diff(), self.range(frames)
        frame = torch.repeat_interleave(torch.arange(*frames), sizes[slice(*frames)])
        starts = torch.cat([self.offsets.new_zeros(1), self.n_initial + self.offsets[:-2]])
        return states.index_select(1, starts[frame] + torch.arange(begin, end) - self.offsets[frame])


def rows_of(n_clips: int, n_frames: int, lengths: Tensor | None, is_reversed: bool) -> Rows:
    """The rows of a batch.

    Args:
        lengths: (batch,) int64, frames of each clip; None: all of them.
        is_reversed: a clip's last own frame comes first.
    """
    if lengths is None and not is_reversed:
        return _full_rows(n_clips, n_frames)
    lengths = torch.full((n_clips,), n_frames) if lengths is None else lengths.cpu().clamp(0, n_frames)
    order = torch.argsort(lengths, descending=True, stable=True)
    is_running = torch.arange(n_frames)[:, None] < lengths[order]
    frame, place = is_running.nonzero(as_tuple=True)
    clip = order[place]
    if is_reversed:
        frame = lengths[clip] - 1 - frame
    offsets = torch.cat([torch.zeros(1, dtype=torch.int64), is_running.sum(1).cumsum(0)])
    return Rows(n_clips, n_frames, offsets, clip * n_frames + frame)


@lru_cache(maxsize=8)  # what batch after batch has
def _full_rows(n_clips: int, n_frames: int) -> Rows:
    return Rows(n_clips, n_frames, torch.arange(n_frames + 1) * n_clips, None)
