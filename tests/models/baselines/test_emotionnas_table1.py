"""The five systems of EmotionNAS's Table 1: sizes derived by hand, padding, clips of any length, gradients."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from audionas.errors import SettingsError
from audionas.models.baselines import BASELINES, ClosedForm, OwnLoss
from audionas.models.baselines.pcnse_sadrn_ctc import PcnseSadrnCtcSettings

SPECTROGRAM, CEPSTRA, LOG_MEL = (1, 200, 300), (2, 16, 300), (3, 40, 300)
SHAPES = {
    "cnn_lstm": SPECTROGRAM, "cnn_gru": SPECTROGRAM, "ctc_rnn": CEPSTRA, "rnn_elm": CEPSTRA, "pcnse_sadrn_ctc": LOG_MEL,
}  # fmt: skip
SMALL: dict[str, dict[str, Any]] = {
    "cnn_lstm": {"channels": (2, 3, 4), "hidden": 5},
    "cnn_gru": {"channels": (2, 3, 4, 5), "hidden": 4, "dense": 6},
    "ctc_rnn": {"hidden": 5},
    "rnn_elm": {"hidden": 5, "elm_hidden": 30},
    "pcnse_sadrn_ctc": {"channels": (2, 4), "width": 8, "reduction": 4, "n_heads": 2},
}
SMALL_INPUT = {name: (shape[0], 21, 50) for name, shape in SHAPES.items()}


def small(name: str, n_classes: int = 3) -> nn.Module:
    line = BASELINES[name]
    torch.manual_seed(0)
    return line.build(line.settings(**SMALL[name]), SMALL_INPUT[name], n_classes)


def trained_a_little(name: str) -> nn.Module:
    """A small network whose batch norms have seen a batch, and whose learning machine is solved."""
    network = small(name)
    x = torch.randn(6, *SMALL_INPUT[name])
    for _ in range(3):
        network(x, torch.tensor([50, 40, 30, 20, 10, 1]))
    network.eval()
    if isinstance(network, ClosedForm):
        network.solve([(x, torch.arange(6) % 3, torch.ones(6), None)])
    return network


def conv(n_inputs: int, n_outputs: int, area: int) -> int:
    """Weights without bias, and the scale and shift of batch norm."""
    return n_inputs * n_outputs * area + 2 * n_outputs


def lstm(n_inputs: int, hidden: int) -> int:
    """Four gates; torch has two biases for each; two directions."""
    return 2 * 4 * (n_inputs * hidden + hidden * hidden + 2 * hidden)


def gru(n_inputs: int, hidden: int) -> int:
    return 2 * 3 * (n_inputs * hidden + hidden * hidden + 2 * hidden)


def linear(n_inputs: int, n_outputs: int) -> int:
    return n_inputs * n_outputs + n_outputs


# Rows of the spectrogram: 200 -> 100 -> 50 -> 25 -> 13 -> 7 by halvings, rounded up; bands: 40 -> 20 -> 10.
SIZES = {
    "cnn_lstm": conv(1, 16, 12 * 16) + conv(16, 24, 8 * 12) + conv(24, 32, 5 * 7) + lstm(32 * 13, 128) + linear(256, 4),
    "cnn_gru": conv(1, 16, 25) + conv(16, 32, 9) + conv(32, 48, 9) + conv(48, 64, 9)
    + gru(64 * 7, 128) + linear(256, 64) + linear(64, 4),
    "ctc_rnn": lstm(32, 128) + lstm(256, 128) + linear(256, 5),
    "rnn_elm": lstm(32, 128) + lstm(256, 128) + linear(256, 5),
    "pcnse_sadrn_ctc": 3 * (conv(3, 16, 9) + conv(16, 32, 9)) + linear(96, 6) + linear(6, 96)
    + conv(96 * 10, 128, 1) + 4 * 2 * conv(128, 128, 3)
    + 3 * linear(128, 128) + linear(128, 128) + 2 * 128 + linear(128, 5),
}  # fmt: skip
WRITTEN = {
    "cnn_lstm": 627_092, "cnn_gru": 507_412, "ctc_rnn": 562_437, "rnn_elm": 562_437, "pcnse_sadrn_ctc": 602_011,
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_the_number_of_parameters_is_that_of_the_layers_written_out(name: str) -> None:
    line = BASELINES[name]
    assert (
        sum(p.numel() for p in line.build(line.settings(), SHAPES[name], 4).parameters())
        == SIZES[name]
        == WRITTEN[name]
    )


@pytest.mark.parametrize("name", SHAPES)
def test_a_padded_clip_scores_as_it_scores_alone_whatever_the_padding_holds(name: str) -> None:
    network = trained_a_little(name)
    x = torch.randn(4, *SMALL_INPUT[name])
    lengths = torch.tensor([50, 37, 2, 1])
    with torch.no_grad():
        together = network(x, lengths)
        assert together.shape == (4, 3)
        for clip, n in enumerate(lengths.tolist()):
            alone = network(x[clip : clip + 1, :, :, :n])
            assert torch.allclose(together[clip], alone[0], rtol=1e-5, atol=1e-5)
        x[1, :, :, 37:] = torch.nan
        x[3, :, :, 1:] = torch.inf
        assert torch.allclose(network(x, lengths), together, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", SHAPES)
def test_a_clip_of_more_than_a_minute_is_scored_and_trained_on(name: str) -> None:
    network = trained_a_little(name)
    x = torch.randn(2, *SMALL_INPUT[name][:2], 6_100)
    with torch.no_grad():
        assert torch.isfinite(network(x, torch.tensor([6_100, 5]))).all()
    network.train()
    network(x[..., :3_100], torch.tensor([3_100, 5])).sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in network.parameters())


@pytest.mark.parametrize("name", SHAPES)
def test_two_clips_of_one_frame_train(name: str) -> None:
    network = small(name)
    logits = network(torch.randn(2, *SMALL_INPUT[name]), torch.tensor([1, 1]))
    logits.sum().backward()
    assert torch.isfinite(logits).all()
    assert all(torch.isfinite(p.grad).all() for p in network.parameters())


@pytest.mark.parametrize("name", SHAPES)
def test_gradients_reach_every_parameter(name: str) -> None:
    network = small(name)
    logits = network(torch.randn(8, *SMALL_INPUT[name]), torch.tensor([50, 40, 30, 20, 50, 50, 9, 8]))
    targets, weights = torch.arange(8) % 3, torch.ones(8)
    if isinstance(network, OwnLoss):
        network.loss(task_loss, logits, targets, weights).backward()
    else:
        task_loss(logits, targets, weights).backward()
    assert [n for n, p in network.named_parameters() if p.grad is None or p.grad.abs().sum() == 0] == []


def task_loss(logits: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    each = torch.nn.functional.cross_entropy(logits, targets, reduction="none")
    return (each * weights).sum() / weights.sum()


@pytest.mark.parametrize("name", ["ctc_rnn", "rnn_elm", "pcnse_sadrn_ctc"])
def test_the_loss_of_the_ctc_systems_is_the_negative_logit_of_the_true_class(name: str) -> None:
    network = small(name)
    logits = network(torch.randn(3, *SMALL_INPUT[name]))
    loss = network.loss(task_loss, logits, torch.tensor([2, 0, 1]), torch.tensor([1.0, 1.0, 2.0]))
    assert torch.allclose(loss, -(logits[0, 2] + logits[1, 0] + 2 * logits[2, 1]) / 4)


@pytest.mark.parametrize("name", SHAPES)
def test_the_settings_survive_their_text_form(name: str) -> None:
    settings = BASELINES[name].settings
    record = settings(**SMALL[name])
    assert settings.model_validate(record.model_dump(mode="json")) == record


@pytest.mark.parametrize("name", SHAPES)
def test_other_features_are_refused(name: str) -> None:
    with pytest.raises(SettingsError, match=r"expects \d channel\(s\) of 21 features"):
        small(name)(torch.zeros(2, SMALL_INPUT[name][0], 22, 10))


def test_a_width_that_the_heads_cannot_share_is_refused() -> None:
    with pytest.raises(ValueError, match="width 10 must be a multiple of n_heads 4"):
        PcnseSadrnCtcSettings(width=10)
