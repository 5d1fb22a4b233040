"""`cnn_gru`: convolutions over a spectrogram of any length, a bidirectional GRU over time, padding masked.

A re-implementation of Ma, Wu, Jia, Xu, Meng, Cai 2018, "Emotion recognition from variable-length speech segments
using deep learning on spectrograms": whole utterances as they are, CNN, then RNN; what pads a batch is masked in every
layer. Open, with the reading taken here: the sizes of the layers (we had the paper's abstract only); spectrograms as
`cnn_lstm` has them; batch norm over own positions; the states after both ends of the clip go to a fully connected
layer with ReLU and dropout, and it to the classifier. A clip above the input's length is cut at random in training,
and in test its windows are averaged, so that a recording of an hour fits in memory.
"""

from __future__ import annotations

from pydantic import Field
from torch import Tensor, nn

from audionas.models.baselines.baseline import Baseline, Shape
from audionas.models.baselines.own_frames_rnn import OwnFramesRnn, frames_of
from audionas.models.baselines.own_positions import ConvBlock, n_steps, own_maps
from audionas.records import Record


class CnnGruSettings(Record):
    """`channels` of the convolutions (5x5, then 3x3), `hidden` units of the GRU in each direction, `dense` after it."""

    channels: tuple[int, int, int, int] = (16, 32, 48, 64)
    hidden: int = Field(default=128, ge=1, le=4096)
    dense: int = Field(default=64, ge=1, le=4096)
    dropout: float = Field(default=0.5, ge=0, lt=1)


class CnnGru(nn.Module):
    """x (batch, channels, features, frames) float32, lengths (batch,) int64 -> logits (batch, classes).

    Raises:
        SettingsError: other features than those that it was built for, or lengths that do not fit.
    """

    trims_padding = True

    def __init__(self, settings: CnnGruSettings, input_shape: Shape, n_classes: int) -> None:
        super().__init__()
        self.n_channels, self.n_features, _ = input_shape
        widths = (self.n_channels, *settings.channels)
        self.blocks = nn.ModuleList(
            [
                ConvBlock(widths[0], widths[1], (5, 5), stride=2, pool=(2, 2)),
                ConvBlock(widths[1], widths[2], (3, 3), pool=(2, 2)),
                ConvBlock(widths[2], widths[3], (3, 3), pool=(2, 2)),
                ConvBlock(widths[3], widths[4], (3, 3), pool=(2, 1)),
            ]
        )
        self.rnn = OwnFramesRnn("gru", widths[-1] * n_steps(self.n_features, 2, 2, 2, 2, 2), settings.hidden)
        self.head = nn.Sequential(
            nn.Linear(self.rnn.n_outputs, settings.dense),
            nn.ReLU(),
            nn.Dropout(settings.dropout),
            nn.Linear(settings.dense, n_classes),
        )

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Logits; what lies beyond a clip's length changes nothing in eval mode."""
        x, lengths = own_maps(x, lengths, self.n_channels, self.n_features)
        for block in self.blocks:
            x, lengths = block(x, lengths)
        outputs = self.rnn(frames_of(x), lengths)
        return self.head(self.rnn.last_states(outputs, lengths))  # type: ignore[no-any-return]


CNN_GRU = Baseline(
    summary="four convolutions and a bidirectional GRU over spectrograms of any length",
    paper="Ma, Wu, Jia, Xu, Meng, Cai 2018",
    settings=CnnGruSettings,
    build=CnnGru,
    features="spectrogram_any_length",
)
