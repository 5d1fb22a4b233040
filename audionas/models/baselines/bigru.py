"""`bigru`: torch's GRU in both directions with the attention pooling and the head of the frame stream."""

from __future__ import annotations

from audionas.models.baselines.baseline import ADAM, Baseline
from audionas.models.baselines.lstm import RnnSettings
from audionas.models.torch_rnn import TorchFrameNetwork


def build(settings: RnnSettings, input_shape: tuple[int, int, int], n_classes: int) -> TorchFrameNetwork:
    """GRU layers in two directions: (batch, channels, features, frames) float32, lengths -> logits (batch, classes).

    Source: Cho et al. 2014, as torch has it: the reset gate multiplies the product of the hidden state, not the state.
    """
    channels, n_features, _ = input_shape
    return TorchFrameNetwork(
        "gru", n_features, n_classes, bidirectional=True, n_channels=channels, **settings.model_dump()
    )


BIGRU = Baseline(
    summary="one layer of GRU in both directions, additive attention over frames, two linear layers",
    paper="",
    settings=RnnSettings,
    build=build,
    features="log_mel_frames",
    recipe=ADAM,
)
