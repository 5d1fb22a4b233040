"""Sizes of `lstm` and `bigru` by formula, and that padding never changes a score."""

from __future__ import annotations

import pytest
import torch

from audionas.models import n_parameters
from audionas.models.baselines import bigru, lstm
from audionas.models.baselines.lstm import RnnSettings

FEATURES, HIDDEN, CLASSES = 40, 128, 4
SHAPE = (1, FEATURES, 50)


def test_an_lstm_has_four_gates_with_two_biases_and_one_linear_layer() -> None:
    layer = 4 * HIDDEN * (FEATURES + HIDDEN + 2)
    attention = HIDDEN * HIDDEN + HIDDEN + HIDDEN
    assert n_parameters(lstm.build(RnnSettings(), SHAPE, CLASSES)) == layer + attention + HIDDEN * CLASSES + CLASSES


def test_a_bigru_has_three_gates_in_each_direction_and_a_head_of_two_layers() -> None:
    first = 2 * 3 * HIDDEN * (FEATURES + HIDDEN + 2)
    second = 2 * 3 * HIDDEN * (2 * HIDDEN + HIDDEN + 2)
    attention = (2 * HIDDEN) ** 2 + 2 * HIDDEN + 2 * HIDDEN
    head = 2 * HIDDEN * HIDDEN + HIDDEN + HIDDEN * CLASSES + CLASSES
    network = bigru.build(RnnSettings(n_layers=2), SHAPE, CLASSES)
    assert n_parameters(network) == first + second + attention + head


@pytest.mark.parametrize("build", [lstm.build, bigru.build], ids=["lstm", "bigru"])
def test_padding_never_changes_a_score(build: object) -> None:
    torch.manual_seed(0)
    network = build(RnnSettings(hidden=8, n_layers=2), (2, 5, 9), 3).double().eval()  # type: ignore[operator]
    x = torch.randn(3, 2, 5, 9, dtype=torch.float64)
    lengths = torch.tensor([9, 4, 1])
    together = network(x, lengths)
    assert together.shape == (3, 3)
    for clip, n in enumerate(lengths.tolist()):
        assert torch.allclose(together[clip], network(x[clip : clip + 1, :, :, :n])[0], atol=1e-12)


def test_one_direction_reads_no_later_frame_and_two_do() -> None:
    torch.manual_seed(0)
    x = torch.randn(1, 1, 5, 9)
    changed = x.clone()
    changed[..., 6:] += 1
    for build, knows_later in ((lstm.build, False), (bigru.build, True)):
        network = build(RnnSettings(hidden=8), (1, 5, 9), 3)
        before, after = (network.rnn(network.own_frames(each, None))[:, :6] for each in (x, changed))
        assert bool((before != after).any()) == knows_later
