"""`cnn_blstm`: convolutions over time, a BLSTM, structured self-attention, and gender beside emotion.

Source: Li, Zhao, Kawahara, "Improved End-to-End Speech Emotion Recognition Using Self Attention Mechanism and
Multitask Learning", Interspeech 2019, section 4 and Table 1; the attention is that of Lin et al. 2017, without its
penalty, which the paper does not mention. Readings where the paper is open:

    pooling            once, after both convolutions (the text goes from L to L / 3); `pool_each` pools after each
    last frames        L mod 3 of them are dropped, as Keras's MaxPooling1D does; a clip keeps one frame at least
    without attention  the mean over time
    initial weights    Keras's, in which the paper's network was written: Glorot's uniform, orthogonal from state to
                       state, biases 0, the forget gate's 1
    LSTM biases        torch has two a gate where Keras has one: 960 parameters more

Batch norm does not occur, so a clip never depends on the others of its batch.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

import torch
from pydantic import Field, field_validator
from torch import Tensor, nn
from torch.nn import functional

from audionas.kernels.exporting import is_exporting
from audionas.models.baselines.abilities import TaskLoss
from audionas.models.baselines.baseline import ADAM, Baseline
from audionas.models.baselines.joint_loss import joint_loss
from audionas.models.baselines.second_task_settings import SecondTaskSettings
from audionas.models.baselines.structured_attention import StructuredAttention
from audionas.models.frame_pooling import build_frame_pooling
from audionas.models.onnx_forms import onnx_layers
from audionas.models.recipe_cell import frame_mask
from audionas.models.torch_rnn import own_outputs

N_GATES = 4
FORGET_GATE = 1  # torch's order: input, forget, cell, output
Count = Annotated[int, Field(ge=1)]


class CnnBlstmSettings(SecondTaskSettings):
    """Defaults: Table 1 of the paper; the second task is gender with the weight 1."""

    filters: Count = 64
    window: Count = 3
    conv_layers: Count = 2
    pool: Count = 3
    pool_each: bool = False
    hidden: Count = 60
    n_layers: Count = 2
    dropout: float = Field(default=0.5, ge=0, lt=1)
    attention: bool = True
    attention_hidden: Count = 512
    heads: Count = 8

    @field_validator("window")
    @classmethod
    def _check_window(cls, window: int) -> int:
        if window % 2 == 0:
            raise ValueError("must be odd, so that it has a middle frame")
        return window


class CnnBlstm(nn.Module):
    """x (batch, channels, features, frames) -> logits; a frame is all channels side by side.

    Padding changes nothing: the convolutions repeat a clip's own last frame, the poolings, the BLSTM and the attention
    see its own frames only.
    """

    def __init__(self, settings: CnnBlstmSettings, input_shape: tuple[int, int, int], n_classes: int) -> None:
        super().__init__()
        channels, features, _ = input_shape
        self.n_second, self.second_weight = settings.n_second, settings.second_weight
        self.second_column, self.second_labels = settings.second_column, settings.second_labels
        self.convolutions = TimeConvolutions(settings, channels * features)
        self.blstm = nn.LSTM(
            settings.filters, settings.hidden, settings.n_layers, batch_first=True, bidirectional=True,
            dropout=settings.dropout if settings.n_layers > 1 else 0.0,
        )  # fmt: skip
        self.dropout = nn.Dropout(settings.dropout)
        width = 2 * settings.hidden
        self.pooling: nn.Module = build_frame_pooling("mean", width)
        if settings.attention:
            self.pooling = StructuredAttention(width, settings.attention_hidden, settings.heads)
        n_pooled = int(self.pooling.n_outputs)  # type: ignore[arg-type]
        self.output = nn.Linear(n_pooled, n_classes)
        self.second_output = nn.Linear(n_pooled, self.n_second) if self.n_second else None
        _initialise_as_keras(self)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Logits (batch, classes); in training (batch, classes + n_second)."""
        return self.both(x, lengths) if self.training else self.output(self._encoded(x, lengths))

    def both(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Logits of both tasks side by side, (batch, classes + n_second)."""
        encoded = self._encoded(x, lengths)
        logits: Tensor = self.output(encoded)
        return logits if self.second_output is None else torch.cat([logits, self.second_output(encoded)], dim=1)

    def loss(self, task_loss: TaskLoss, logits: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
        """The task's own loss plus that of the second task; see `joint_loss`."""
        return joint_loss(task_loss, self, logits, targets, weights)

    def states(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """What the attention reads, (batch, pooled frames, 2 * hidden), and each clip's own number of frames."""
        frames, own = self.convolutions(x.flatten(1, 2), lengths)
        return self.dropout(self._recurrent(frames.transpose(1, 2), own)), own

    def _encoded(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        return self.pooling(*self.states(x, lengths))  # type: ignore[no-any-return]

    def _recurrent(self, frames: Tensor, own: Tensor | None) -> Tensor:
        if is_exporting():
            return onnx_layers(self.blstm, frames, own)
        if own is None:
            return self.blstm(frames)[0]  # type: ignore[no-any-return]
        return own_outputs(self.blstm, frames, own)


class TimeConvolutions(nn.Module):
    """Convolutions over time with ReLU and repeated edges, then max pooling: (batch, width, frames)."""

    def __init__(self, settings: CnnBlstmSettings, width: int) -> None:
        super().__init__()
        widths = [width] + [settings.filters] * settings.conv_layers
        self.layers = nn.ModuleList(nn.Conv1d(i, o, settings.window) for i, o in pairwise(widths))
        self.window, self.pool, self.pool_each = settings.window, settings.pool, settings.pool_each

    def forward(self, x: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """The pooled frames, and how many of them are each clip's own."""
        for number, layer in enumerate(self.layers, start=1):
            x = functional.relu(layer(_repeat_edges(x, lengths, self.window // 2)))
            if self.pool_each or number == len(self.layers):
                x, lengths = _max_pool(x, lengths, self.pool)
        return x, lengths


def _repeat_edges(x: Tensor, lengths: Tensor | None, n: int) -> Tensor:
    """(batch, width, frames + 2n): each clip's first frame before it, its own last frame after it."""
    if lengths is None:
        return functional.pad(x, (n, n), mode="replicate")
    places = torch.arange(-n, x.shape[2] + n, device=x.device).clamp(min=0)
    own = torch.minimum(places, lengths[:, None] - 1)
    return x.gather(2, own[:, None, :].expand(-1, x.shape[1], -1))


def _max_pool(x: Tensor, lengths: Tensor | None, width: int) -> tuple[Tensor, Tensor | None]:
    """Whole windows of own frames; one window, filled up with zeros, of a clip that has not even one.

    x comes from a ReLU: zeros never win over a frame.
    """
    if lengths is not None:
        x = x * frame_mask(lengths, x.shape[2])[:, None, :]
        lengths = (lengths // width).clamp(min=1)
    return functional.max_pool1d(functional.pad(x, (0, max(0, width - x.shape[2]))), width), lengths


def _initialise_as_keras(network: CnnBlstm) -> None:
    for layer in [*network.convolutions.layers, network.output, network.second_output]:
        if layer is not None:
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    for name, parameter in network.blstm.named_parameters():
        if name.startswith("bias"):
            nn.init.zeros_(parameter)
            if name.startswith("bias_ih"):
                parameter.data.chunk(N_GATES)[FORGET_GATE].fill_(1.0)
        else:
            nn.init.orthogonal_(parameter) if name.startswith("weight_hh") else nn.init.xavier_uniform_(parameter)


CNN_BLSTM = Baseline(
    summary="two convolutions over time, two BLSTM layers, 8 heads of self-attention, a second task (gender)",
    paper="Li, Zhao, Kawahara 2019",
    settings=CnnBlstmSettings,
    build=CnnBlstm,
    features="cnn_blstm",
    recipe={
        **ADAM, "learning_rate": 1.0e-4, "schedule": "inverse_time", "time_decay": 1.0e-6, "gradient_clip": 1.0,
        "clip_by": "value",
    },
    epochs=100,
    batch_size=40,
    class_weighting="none",
)  # fmt: skip
