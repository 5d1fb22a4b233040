"""The network of wav2vec 1.0: a convolutional encoder (z) and a causal convolutional aggregator (c).

Source: Schneider, Baevski, Collobert, Auli 2019, "wav2vec: Unsupervised Pre-training for Speech
Recognition"; layers, padding (the first frame repeated) and names of weights as in fairseq's `wav2vec_large.pt`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor, nn

Layers = tuple[tuple[int, int, int], ...]  # (width, kernel, stride) each


@dataclass(frozen=True)
class Wav2vecShape:
    """Layers and switches; the defaults are those of wav2vec-large."""

    encoder: Layers = (
        (512, 10, 5), (512, 8, 4), (512, 4, 2), (512, 4, 2), (512, 4, 2), (512, 1, 1), (512, 1, 1),
    )  # fmt: skip
    aggregator: Layers = tuple((512, kernel, 1) for kernel in range(2, 14))
    log_compression: bool = True
    skips_in_encoder: bool = False
    skips_in_aggregator: bool = True
    residual_scale: float = 0.5
    has_affine_norm: bool = True
    has_aggregator_bias: bool = True
    pads_with_zeros: bool = False
    activation: str = "relu"

    @property
    def hop_samples(self) -> int:
        """Samples from frame to frame."""
        return math.prod(stride for _, _, stride in self.encoder)

    @property
    def field_samples(self) -> int:
        """Samples that the encoder needs for its first frame."""
        field, step = 1, 1
        for _, kernel, stride in self.encoder:
            field += (kernel - 1) * step
            step *= stride
        return field


class Wav2vecNetwork(nn.Module):
    """Encoder and aggregator."""

    def __init__(self, shape: Wav2vecShape) -> None:
        super().__init__()
        self.feature_extractor = _Encoder(shape)
        self.feature_aggregator = _Aggregator(shape)

    def frames(self, waveforms: Tensor) -> tuple[Tensor, Tensor]:
        """Waveforms (batch, samples), float32, to z and c, each (batch, hidden, frames), float32."""
        z = self.feature_extractor(waveforms)
        return z, self.feature_aggregator(z)


class _Encoder(nn.Module):
    def __init__(self, shape: Wav2vecShape) -> None:
        super().__init__()
        self.shape = shape
        widths = [1, *(width for width, _, _ in shape.encoder)]
        blocks = [
            # the second is the place of fairseq's dropout: names of weights count places
            nn.Sequential(nn.Conv1d(n_in, n_out, kernel, stride, bias=False), nn.Identity(), *_norm(shape, n_out))
            for n_in, (n_out, kernel, stride) in zip(widths, shape.encoder, strict=False)
        ]
        self.conv_layers = nn.ModuleList(blocks)

    def forward(self, waveforms: Tensor) -> Tensor:
        x = waveforms.unsqueeze(1)
        for block in self.conv_layers:
            y = block(x)
            if self.shape.skips_in_encoder and y.shape[1] == x.shape[1]:
                kept = x[..., :: x.shape[2] // y.shape[2]][..., : y.shape[2]]
                y = (y + kept) * math.sqrt(self.shape.residual_scale)
            x = y
        return (x.abs() + 1).log() if self.shape.log_compression else x


class _Aggregator(nn.Module):
    def __init__(self, shape: Wav2vecShape) -> None:
        super().__init__()
        self.shape = shape
        widths = [shape.encoder[-1][0], *(width for width, _, _ in shape.aggregator)]
        places = list(zip(widths, shape.aggregator, strict=False))
        self.conv_layers = nn.ModuleList([
            nn.Sequential(
                nn.ZeroPad1d((kernel - 1, 0)) if shape.pads_with_zeros else nn.ReplicationPad1d((kernel - 1, 0)),
                nn.Conv1d(n_in, n_out, kernel, stride, bias=shape.has_aggregator_bias),
                nn.Identity(),
                *_norm(shape, n_out),
            )
            for n_in, (n_out, kernel, stride) in places
        ])  # fmt: skip
        self.residual_proj = nn.ModuleList([
            nn.Conv1d(n_in, n_out, 1, bias=False) if shape.skips_in_aggregator and n_in != n_out else nn.Identity()
            for n_in, (n_out, _, _) in places
        ])  # fmt: skip

    def forward(self, z: Tensor) -> Tensor:
        for project, block in zip(self.residual_proj, self.conv_layers, strict=True):
            y = block(z)
            z = (y + project(z)) * math.sqrt(self.shape.residual_scale) if self.shape.skips_in_aggregator else y
        return z


def _norm(shape: Wav2vecShape, width: int) -> tuple[nn.Module, nn.Module]:
    """One group: mean and deviation over all channels and frames of a clip; then the activation."""
    activation = nn.GELU() if shape.activation == "gelu" else nn.ReLU()
    return nn.GroupNorm(1, width, affine=shape.has_affine_norm), activation
