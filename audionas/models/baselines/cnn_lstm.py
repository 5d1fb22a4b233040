"""`cnn_lstm`: convolutions over a spectrogram of 3 s, a bidirectional LSTM over time, softmax.

A re-implementation of Satt, Rozenberg, Hoory 2017, "Efficient emotion recognition from speech using deep learning on
spectrograms": log-spectrograms up to 4 kHz (Hamming window of 40 ms every 10 ms) of at most 3 s, padded with zeros,
convolutions, then an LSTM. Known differences: a longer clip gives one random part an epoch, and in test overlapping
parts, where the paper cuts it into parts without overlap. Open, with the reading taken here: the sizes of the layers
(we had the paper's abstract only); of its two frequency grids the one of 20 Hz, at half the cost; batch norm; the
states after both ends of the part go to the classifier. The 62.0 % UA that Sun et al. 2022 cite is, as Li et al. 2018
list it, of the paper's two-step predictor; the network itself has 59.4 %.
"""

from __future__ import annotations

from pydantic import Field
from torch import Tensor, nn

from audionas.models.baselines.baseline import Baseline, Shape
from audionas.models.baselines.own_frames_rnn import OwnFramesRnn, frames_of
from audionas.models.baselines.own_positions import ConvBlock, n_steps, own_maps
from audionas.records import Record

KERNELS = ((12, 16), (8, 12), (5, 7))  # features x frames
STRIDES = (2, 1, 1)  # of each convolution; max pooling 2x2 follows each


class CnnLstmSettings(Record):
    """`channels` of the three convolutions, `hidden` units of the LSTM in each direction."""

    channels: tuple[int, int, int] = (16, 24, 32)
    hidden: int = Field(default=128, ge=1, le=4096)
    bidirectional: bool = True
    dropout: float = Field(default=0.3, ge=0, lt=1)


class CnnLstm(nn.Module):
    """x (batch, channels, features, frames) float32, lengths (batch,) int64 -> logits (batch, classes).

    Raises:
        SettingsError: other features than those that it was built for, or lengths that do not fit.
    """

    trims_padding = True

    def __init__(self, settings: CnnLstmSettings, input_shape: Shape, n_classes: int) -> None:
        super().__init__()
        self.n_channels, self.n_features, _ = input_shape
        widths = (self.n_channels, *settings.channels)
        self.blocks = nn.ModuleList(
            [
                ConvBlock(widths[i], widths[i + 1], KERNELS[i], stride=STRIDES[i], pool=(2, 2))
                for i in range(len(KERNELS))
            ]
        )
        n_inputs = widths[-1] * n_steps(self.n_features, *STRIDES, 2, 2, 2)
        self.rnn = OwnFramesRnn("lstm", n_inputs, settings.hidden, bidirectional=settings.bidirectional)
        self.head = nn.Sequential(nn.Dropout(settings.dropout), nn.Linear(self.rnn.n_outputs, n_classes))

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Logits; what lies beyond a clip's length changes nothing in eval mode."""
        x, lengths = own_maps(x, lengths, self.n_channels, self.n_features)
        for block in self.blocks:
            x, lengths = block(x, lengths)
        outputs = self.rnn(frames_of(x), lengths)
        return self.head(self.rnn.last_states(outputs, lengths))  # type: ignore[no-any-return]


CNN_LSTM = Baseline(
    summary="three large convolutions and a bidirectional LSTM over spectrograms of 3 s",
    paper="Satt, Rozenberg, Hoory 2017",
    settings=CnnLstmSettings,
    build=CnnLstm,
    features="spectrogram_3s",
)
