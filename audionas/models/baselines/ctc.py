"""Connectionist temporal classification (CTC) of a whole clip: the likelihood of each class as the only label.

A network gives for each frame the probabilities of the classes and of a blank ("Null", a frame without emotion).
The label sequence of a clip is [its class], so the alignments are: blanks, at least one frame of the class in one
run, blanks. Source: Graves, Fernandez, Gomez, Schmidhuber 2006, equations 3 and 8.
"""

from __future__ import annotations

import torch
from torch import Tensor

from audionas.errors import SettingsError
from audionas.kernels.exporting import is_exporting
from audionas.models.onnx_forms import scan_frames
from audionas.models.recipe_cell import frame_mask

BLANK = 0  # its place among the frame's outputs; class c is output 1 + c


def class_log_likelihoods(log_probabilities: Tensor, lengths: Tensor | None) -> Tensor:
    """ln P([c] | clip) of every class c: (batch, classes), of the dtype given.

    With b_t and p_t the log-probabilities of blank and class, a run from frame i + 1 to frame j adds up to
    sum(b) + D_j - D_i, where D_k is the sum of p_t - b_t up to frame k; the likelihood is the sum over 0 <= i < j <= T.
    Sums are in float64: those of thousands of frames cancel.

    Args:
        log_probabilities: (batch, frames, 1 + classes), the blank first.
        lengths: (batch,) own frames, each at least 1; None: all.
    """
    wide = log_probabilities.double()
    n_frames = wide.shape[1]
    blank, classes = wide[..., BLANK, None], wide[..., BLANK + 1 :]
    own = None if lengths is None else frame_mask(lengths, n_frames)[:, :, None]
    if own is not None:
        blank, classes = torch.where(own, blank, 0.0), torch.where(own, classes, 0.0)
    gains = classes - blank
    until = gains.cumsum(dim=1)
    runs = until + _log_sums_until(gains - until)  # the runs that end at a frame; gains - until is -D before it
    if own is not None:
        runs = runs.masked_fill(~own, -torch.inf)
    return (blank.sum(dim=1) + torch.logsumexp(runs, dim=1)).to(log_probabilities.dtype)


def _log_sums_until(x: Tensor) -> Tensor:
    """The logarithm of the sum of exp(x) up to each frame: (batch, frames, classes) to the same."""
    if not is_exporting():
        return torch.logcumsumexp(x, dim=1)

    def step(sums: list[Tensor], frame: Tensor) -> tuple[list[Tensor], Tensor]:
        largest = torch.maximum(sums[0], frame)
        new = largest + torch.log(torch.exp(sums[0] - largest) + torch.exp(frame - largest))
        return [new], new

    return scan_frames(step, [torch.full_like(x[:, 0], -torch.inf)], x)


def ctc_loss(logits: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """The negative log-likelihood of the true classes, averaged with the clips' weights.

    Args:
        logits: (batch, classes), as `class_log_likelihoods` gives them; no softmax over classes is taken.
        targets: (batch,) int64.
        weights: (batch,).

    Raises:
        SettingsError: targets are not one class a clip.
    """
    if targets.dim() != 1 or targets.is_floating_point():
        raise SettingsError(
            f"CTC: targets {tuple(targets.shape)} of {targets.dtype}: this system tells one class a clip; "
            "for several labels or for numbers take another one"
        )
    each = -logits.gather(1, targets[:, None])[:, 0]
    return (each * weights).sum() / weights.sum()
