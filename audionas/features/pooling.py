"""Averages neighbouring frames, so that a network sees a whole utterance in few columns."""

from __future__ import annotations

import torch


def average_whole(frames: torch.Tensor, width: int) -> torch.Tensor:
    """Means of windows of `width` frames that do not overlap; a rest at the end is left out.

    (..., frames) to (..., frames // width).
    """
    n_windows = frames.shape[-1] // width
    kept = frames[..., : n_windows * width].transpose(-1, -2)  # as torch's STFT leaves them: features side by side
    return kept.reshape(*kept.shape[:-2], n_windows, width, kept.shape[-1]).mean(-2).transpose(-1, -2)


def average_all(frames: torch.Tensor, width: int) -> torch.Tensor:
    """As `average_whole`, and a rest at the end becomes one more window: the mean of its real frames."""
    whole = average_whole(frames, width)
    rest = frames[..., whole.shape[-1] * width :]
    return torch.cat([whole, rest.mean(-1, keepdim=True)], dim=-1) if rest.shape[-1] else whole


def average_to(frames: torch.Tensor, n_frames: int) -> torch.Tensor:
    """Adaptive average to exactly `n_frames` windows, which may overlap by one frame."""
    return torch.nn.functional.adaptive_avg_pool1d(frames, n_frames)
