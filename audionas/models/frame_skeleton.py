"""What stands around recurrent layers of any kind: frames out of feature caches, pooling over frames, classifier.

Source: Sun et al. 2022 (EmotionNAS), section 2.2. The head is one layer where the pooled width is the hidden
size, else two (to the hidden size, ReLU, to the classes): the reading that gives the paper's sizes.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from audionas.errors import SettingsError
from audionas.kernels.exporting import is_exporting
from audionas.models.frame_pooling import build_frame_pooling


class FrameSkeleton(nn.Module):
    """x, lengths (batch,) -> logits (batch, classes), with the recurrent layers still to be given.

    x is (batch, frames, inputs), or (batch, channels, features, frames) as feature caches hold it: then a frame
    is all channels side by side, or, with `channels="weighted_sum"`, their learned average (the layers of a
    pretrained encoder; Yang et al. 2021, SUPERB, section 3).

    Args:
        make_rnn: width of a frame -> the recurrent layers; their `n_outputs` is the width of what they give.
        n_inputs: features of a frame; of each channel.
        hidden: width of a hidden state.

    Raises:
        SettingsError: `pooling` is unknown.
    """

    trims_padding = True

    def __init__(
        self,
        make_rnn: Callable[[int], nn.Module],
        n_inputs: int,
        n_classes: int,
        hidden: int,
        pooling: str,
        n_channels: int,
        channels: str,
    ) -> None:
        super().__init__()
        self.n_inputs, self.n_channels = n_inputs, n_channels
        self.layer_weights = nn.Parameter(torch.zeros(n_channels)) if channels == "weighted_sum" else None
        self.rnn = make_rnn(n_inputs if channels == "weighted_sum" else n_inputs * n_channels)
        self.pooling = build_frame_pooling(pooling, int(self.rnn.n_outputs))  # type: ignore[arg-type]
        pooled = int(self.pooling.n_outputs)  # type: ignore[arg-type]
        self.head: nn.Module
        if pooled == hidden:
            self.head = nn.Linear(pooled, n_classes)
        else:
            self.head = nn.Sequential(nn.Linear(pooled, hidden), nn.ReLU(), nn.Linear(hidden, n_classes))

    def classify(self, values: Tensor, lengths: Tensor | None) -> Tensor:
        """What the recurrent layers gave, (batch, frames, n_outputs) -> logits (batch, classes)."""
        return self.head(self.pooling(values, lengths))  # type: ignore[no-any-return]

    def own_frames(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """(batch, frames, width) up to the last frame of the longest clip; on a GPU all frames, see `trims_padding`.

        Raises:
            SettingsError: frames of another width, no frames, or a length below 1 or above the frames given.
        """
        frames = self._frames(x)
        if lengths is None or is_exporting() or not lengths.is_cpu:
            return frames
        _check_lengths(lengths, frames.shape[1])
        return frames[:, : int(lengths.max())]

    def _frames(self, x: Tensor) -> Tensor:
        if x.dim() == 3:
            x = x.transpose(1, 2)[:, None]
        if x.dim() != 4 or x.shape[1:3] != (self.n_channels, self.n_inputs) or x.shape[3] < 1:
            raise SettingsError(
                f"frames (batch, channels, features, frames) {tuple(x.shape)}: this network expects {self.n_channels} "
                f"channel(s) of {self.n_inputs} features and at least one frame; use the features of its search"
            )
        if self.layer_weights is not None:
            share = torch.softmax(self.layer_weights, dim=0)
            return torch.einsum("c,bcft->btf", share, x)
        return x.flatten(1, 2).transpose(1, 2)


def _check_lengths(lengths: Tensor, n_frames: int) -> None:
    least, most = int(lengths.min()), int(lengths.max())
    if least < 1 or most > n_frames:
        raise SettingsError(f"lengths from {least} to {most}, must be 1 to {n_frames}: a clip needs at least one frame")
