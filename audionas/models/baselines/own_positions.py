"""Feature maps whose last frames may be padding: trimming, masks, batch norm over own positions, convolution blocks.

Whatever lies beyond a clip's own frames is 0 before and after every layer here. A convolution then sees there what
it sees beyond the edge of a clip that stands alone, so that a clip's score does not depend on its batch.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from audionas.errors import SettingsError
from audionas.kernels.exporting import is_exporting
from audionas.kernels.mixed_precision import full_precision
from audionas.models.masked_maps import masked, strided
from audionas.models.recipe_cell import frame_mask

Pair = tuple[int, int]  # of features and of frames
Maps = tuple[Tensor, Tensor | None]  # (batch, channels, features, frames) and own frames (batch,) int64, or None: all


def own_maps(x: Tensor, lengths: Tensor | None, n_channels: int, n_features: int) -> Maps:
    """The maps up to the last frame of the longest clip, 0 in the padding; on a GPU all frames, see `trims_padding`.

    Raises:
        SettingsError: other channels or features, no frames, or a length below 1 or above the frames given.
    """
    if x.dim() != 4 or x.shape[1:3] != (n_channels, n_features) or x.shape[3] < 1:
        raise SettingsError(
            f"features (batch, channels, features, frames) {tuple(x.shape)}: this system expects {n_channels} "
            f"channel(s) of {n_features} features and at least one frame; use the features that it was built for"
        )
    if lengths is None:
        return x, None
    if is_exporting() or not lengths.is_cpu:
        return masked(x, lengths), lengths
    least, most = int(lengths.min()), int(lengths.max())
    if least < 1 or most > x.shape[3]:
        raise SettingsError(f"lengths from {least} to {most}, must be 1 to {x.shape[3]}: a clip has at least one frame")
    return masked(x[..., :most], lengths), lengths


class OwnBatchNorm(nn.BatchNorm2d):
    """Batch norm whose statistics in training are those of own positions; maps are 0 in the padding."""

    def of_own(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """(batch, channels, features, frames), 0 in the padding; in eval mode as torch's."""
        own = _own(x, lengths)
        if own is None or not self.training:
            return masked(self(x), lengths)
        x = full_precision(x)
        n_own = own.sum() * x.shape[2]
        mean = x.sum(dim=(0, 2, 3)) / n_own
        centred = torch.where(own, x - mean[:, None, None], 0.0)
        variance = centred.square().sum(dim=(0, 2, 3)) / n_own
        self._remember(mean.detach(), variance.detach() * n_own / (n_own - 1).clamp(min=1))
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return torch.where(own, centred * scale[:, None, None] + self.bias[:, None, None], 0.0)

    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), self.momentum)
        self.running_var.lerp_(variance.to(self.running_var.dtype), self.momentum)
        self.num_batches_tracked.add_(1)


class ConvBlock(nn.Module):
    """Convolution without bias, batch norm, ReLU, max pooling; sizes are rounded up, from one frame on.

    Zeros are put around so that stride 1 keeps the size; of an even kernel the larger half comes after.
    """

    def __init__(
        self, n_inputs: int, n_outputs: int, kernel: Pair, *, stride: int = 1, pool: Pair = (1, 1), dilation: int = 1
    ) -> None:
        super().__init__()
        self.stride, self.pool = stride, pool
        spans = [dilation * (size - 1) for size in kernel]
        self.zeros = (spans[1] // 2, spans[1] - spans[1] // 2, spans[0] // 2, spans[0] - spans[0] // 2)
        self.conv = nn.Conv2d(n_inputs, n_outputs, kernel, stride=stride, dilation=dilation, bias=False)
        self.norm = OwnBatchNorm(n_outputs)

    def forward(self, x: Tensor, lengths: Tensor | None) -> Maps:
        """Maps that are 0 in the padding, and >= 0 elsewhere."""
        lengths = strided(lengths, self.stride)
        x = masked(self.conv(functional.pad(x, self.zeros)), lengths)
        x = self.norm.of_own(x, lengths).relu()
        if self.pool == (1, 1):
            return x, lengths
        # A last odd frame is pooled with zeros of the padding, which no value of a ReLU is below.
        return functional.max_pool2d(x, self.pool, ceil_mode=True), strided(lengths, self.pool[1])


def n_steps(n: int, *steps: int) -> int:
    """Rows or frames that are left of `n` after these strides and poolings, each rounded up.

    >>> n_steps(200, 2, 2, 2), n_steps(1, 2)
    (25, 1)
    """
    for step in steps:
        n = -(-n // step)
    return n


def _own(x: Tensor, lengths: Tensor | None) -> Tensor | None:
    return None if lengths is None else frame_mask(lengths, x.shape[3])[:, None, None, :]
