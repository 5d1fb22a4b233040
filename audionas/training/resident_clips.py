"""All clips as tensors of one device: copied there once, so that a batch is gathered where it is computed on.

A batch that is cut on the host has to be copied for every step, and the device waits for it. Memory: the clips' own
frames, float32; where they do not fit in a share of what is free, they stay on the host.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

SHARE = 0.5  # of the free memory: the rest is the network's
_n_sharing = 1
WIDTH_STEP = 32  # frames; few different widths, so that the memory of one batch serves the next


class ResidentClips:
    """Clips on one device; see `whole` and `frame_by_frame`.

    Args:
        values: (rows, channels, features, frames), or (all frames + 1, channels, features), the last one padding.
        offsets: (rows,) int64, the first frame of each row, and `spans` (rows,) int64, how many it has; None: whole.
    """

    def __init__(self, values: Tensor, frames: int, offsets: Tensor | None = None, spans: Tensor | None = None) -> None:
        self._values, self._frames, self._offsets, self._spans = values, frames, offsets, spans

    @property
    def device(self) -> torch.device:
        """Where the clips lie."""
        return self._values.device

    @staticmethod
    def whole(block: Callable[[int], np.ndarray], n_rows: int, device: torch.device) -> ResidentClips:
        """Clips that are never cut: `block(row)` is (channels, features, frames) float32, alike for all rows."""
        first = block(0)
        values = torch.empty((n_rows, *first.shape), device=device)
        for row in range(n_rows):
            values[row] = torch.from_numpy(np.ascontiguousarray(block(row)))
        return ResidentClips(values, first.shape[2])

    @staticmethod
    def frame_by_frame(
        own: Callable[[int], np.ndarray], spans: np.ndarray, frames: int, padding: np.ndarray, device: torch.device
    ) -> ResidentClips:
        """Clips that are cut to `frames`.

        Args:
            own: gives a row's frames, (channels, features, span) float32.
            padding: (channels, features), what stands beyond a row's span.
        """
        offsets = np.cumsum([0, *spans])
        values = torch.empty((int(offsets[-1]) + 1, *padding.shape), device=device)
        for row, (begin, end) in enumerate(zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)):
            values[begin:end] = torch.from_numpy(np.ascontiguousarray(own(row).transpose(2, 0, 1)))
        values[-1] = torch.from_numpy(np.ascontiguousarray(padding))
        placed = placed_on(torch.from_numpy(np.stack([offsets[:-1], spans]).astype(np.int64)), device)
        return ResidentClips(values, frames, placed[0], placed[1])

    def take(self, rows: Tensor, starts: Tensor, width: int | None = None) -> Tensor:
        """The rows (batch,) from their start frames (batch,) on: (batch, channels, features, frames) float32.

        Args:
            width: give so many frames of each, in place of all of the network's input.
        """
        width = self._frames if width is None else width
        if self._offsets is None or self._spans is None:
            return self._values[..., :width].index_select(0, rows)
        place = starts[:, None] + torch.arange(width, device=rows.device)
        is_own = place < self._spans.index_select(0, rows)[:, None]
        index = torch.where(is_own, place + self._offsets.index_select(0, rows)[:, None], self._values.shape[0] - 1)
        taken = self._values.index_select(0, index.flatten())
        return taken.view(*index.shape, *taken.shape[1:]).permute(0, 2, 3, 1).contiguous()


def placed_on(values: Tensor, device: torch.device) -> Tensor:
    """A tensor of the host on the device, in one copy that neither side waits for."""
    if device.type != "cuda":
        return values.to(device)
    return values.pin_memory().to(device, non_blocking=True)


def one_device(device: torch.device | str) -> torch.device:
    """The device with its number: `cuda` is `cuda:0`."""
    found = torch.device(device)
    return torch.device("cuda", 0) if found.type == "cuda" and found.index is None else found


def is_resident_on(device: torch.device) -> bool:
    """Whether clips are copied to such a device: to all but the CPU, where they lie already."""
    return device.type != "cpu"


def fits(n_bytes: int, device: torch.device) -> bool:
    """Whether so much is at most `SHARE` of what a process can still have of a GPU's memory.

    Of several processes (`share_device`) each may have its part of the share: they ask at the same time.
    """
    if device.type != "cuda":
        return True
    free, _ = torch.cuda.mem_get_info(device)
    unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return n_bytes <= SHARE / _n_sharing * (free + unused)


def placed_if_it_fits(n_bytes: int, device: torch.device, place: Callable[[], ResidentClips]) -> ResidentClips | None:
    """What `place` gives, of so many bytes; None where it does not fit, or another process was faster."""
    if not fits(n_bytes, device):
        return None
    try:
        return place()
    except torch.OutOfMemoryError:
        return None


def share_device(n_processes: int) -> None:
    """Tell this process that so many, itself included, work on its device."""
    global _n_sharing
    _n_sharing = n_processes


def trimmed_width(longest: int, frames: int) -> int:
    """Frames that hold the longest clip of a batch, rounded up so that few widths occur.

    >>> trimmed_width(5, 100), trimmed_width(33, 100), trimmed_width(98, 100)
    (32, 64, 100)
    """
    return min(frames, -(-longest // WIDTH_STEP) * WIDTH_STEP)
