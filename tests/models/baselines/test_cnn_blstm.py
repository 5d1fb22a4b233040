"""The CNN-BLSTM of Li, Zhao, Kawahara 2019: its sizes, its equations, and that padding changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from audionas.errors import SettingsError
from audionas.models.baselines.abilities import second_task
from audionas.models.baselines.cnn_blstm import CnnBlstm, CnnBlstmSettings, TimeConvolutions
from audionas.models.macs import n_macs
from audionas.records import validate

SHAPE = (3, 128, 301)
SMALL = {"filters": 6, "hidden": 5, "attention_hidden": 7, "heads": 2}


def network(shape: tuple[int, int, int] = (2, 4, 30), n_classes: int = 4, **settings: object) -> CnnBlstm:
    torch.manual_seed(0)
    return CnnBlstm(CnnBlstmSettings.model_validate({**SMALL, **settings}), shape, n_classes)


def size(part: nn.Module | None) -> int:
    return sum(p.numel() for p in part.parameters()) if part is not None else 0


def keras_size(part: nn.Module) -> int:
    """Without the second bias that torch's LSTM has."""
    return sum(p.numel() for name, p in part.named_parameters() if "bias_hh" not in name)


def test_the_parameters_are_the_papers_part_by_part() -> None:
    full = CnnBlstm(CnnBlstmSettings(), SHAPE, 4)
    assert size(full.convolutions) == 86_144
    by_layer = [
        {n: p for n, p in full.blstm.named_parameters() if f"_l{k}" in n and "bias_hh" not in n} for k in (0, 1)
    ]
    assert [sum(p.numel() for p in layer.values()) for layer in by_layer] == [60_000, 86_880]
    assert size(full.pooling) == 65_536
    assert size(full.output) + size(full.second_output) == 5_766
    assert keras_size(full) == 304_326
    assert size(full) == 304_326 + 960


def test_the_ablations_lack_the_attention_or_the_second_output_and_nothing_else() -> None:
    without_attention = CnnBlstm(CnnBlstmSettings(attention=False), SHAPE, 4)
    outputs = 120 * 4 + 4 + 120 * 2 + 2
    assert keras_size(without_attention) == 86_144 + 60_000 + 86_880 + outputs
    alone = CnnBlstm(CnnBlstmSettings(second_weight=0), SHAPE, 4)
    assert keras_size(alone) == 304_326 - (960 * 2 + 2)
    assert second_task(alone) is None


def test_macs_are_those_of_the_formula() -> None:
    blstm = 100 * 2 * 4 * 60 * (64 + 60 + 120 + 60)
    attention = 100 * 120 * 512 + 100 * 512 * 8 + 8 * 100 * 120
    assert (
        n_macs(CnnBlstm(CnnBlstmSettings(), SHAPE, 4), SHAPE) == 301 * 64 * 3 * (384 + 64) + blstm + attention + 3_840
    )


def test_convolutions_repeat_the_edges_and_the_pool_keeps_whole_windows() -> None:
    layers = TimeConvolutions(CnnBlstmSettings(filters=2), 3)
    x = torch.randn(1, 3, 11)
    found, own = layers(x, None)
    frames = x[0].numpy().T  # (frames, width)
    for layer in layers.layers:
        weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
        edged = np.concatenate([frames[:1], frames, frames[-1:]])
        # Equations 1 to 3: filter j is the inner product of its matrix with the window around frame i.
        sums = [[(weight[j].T * edged[i : i + 3]).sum() + bias[j] for j in range(2)] for i in range(len(frames))]
        frames = np.maximum(np.array(sums), 0)
    pooled = np.array([frames[3 * i : 3 * i + 3].max(axis=0) for i in range(11 // 3)])
    np.testing.assert_allclose(found[0].detach().numpy().T, pooled, atol=1e-5)
    assert own is None


def test_the_attention_is_that_of_the_equations() -> None:
    full = network().eval()
    x = torch.randn(2, 2, 4, 30)
    states, _ = full.states(x)
    first, second = full.pooling.first.weight.T, full.pooling.second.weight  # type: ignore[union-attr]
    heads = [(torch.softmax(torch.tanh(states @ first) @ w, dim=1)[..., None] * states).sum(dim=1) for w in second]
    z = torch.cat(heads, dim=1)
    assert z.shape == (2, 2 * 2 * 5)
    torch.testing.assert_close(full(x), full.output(z))


@pytest.mark.parametrize("settings", [{}, {"attention": False}, {"pool_each": True}, {"window": 5, "n_layers": 1}])
def test_a_padded_clip_gets_what_it_gets_alone(settings: dict[str, object]) -> None:
    net = network(**settings).eval()
    lengths = torch.tensor([30, 17, 9, 4, 2, 1])
    x = torch.randn(6, 2, 4, 30) + 3.0
    padded = x.clone()
    for row, n in enumerate(lengths.tolist()):
        padded[row, :, :, n:] = 100.0 * torch.randn(2, 4, 30 - n)
    found = net.both(padded, lengths)
    for row, n in enumerate(lengths.tolist()):
        alone = net.both(x[row : row + 1, :, :, :n])
        torch.testing.assert_close(found[row], alone[0], rtol=1e-5, atol=1e-6)


def test_without_lengths_padding_counts() -> None:
    net = network().eval()
    x = torch.randn(1, 2, 4, 30)
    x[..., 12:] = 0
    assert not torch.allclose(net(x), net(x, torch.tensor([12])), atol=1e-4)


def test_training_gives_both_tasks_and_evaluation_the_classes_alone() -> None:
    net = network(n_classes=3, second_labels=("a", "b", "c", "d"))
    x, lengths = torch.randn(5, 2, 4, 30), torch.tensor([30, 3, 30, 8, 9])
    assert net.train()(x, lengths).shape == (5, 7)
    net.eval()
    assert net(x, lengths).shape == (5, 3)
    torch.testing.assert_close(net.both(x, lengths)[:, :3], net(x, lengths))


def test_gradients_reach_every_parameter_from_the_task_that_it_serves() -> None:
    net = network()
    logits = net(torch.randn(4, 2, 4, 30), torch.tensor([30, 8, 22, 30]))
    logits.square().sum().backward()
    lacking = [name for name, p in net.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert lacking == []


def test_dropout_stands_after_each_blstm_layer() -> None:
    net = network(dropout=0.5)
    assert (net.blstm.dropout, net.dropout.p) == (0.5, 0.5)
    states = net.train().states(torch.randn(2, 2, 4, 30))[0]
    assert 0.3 < float((states == 0).float().mean()) < 0.7


def test_weights_begin_as_those_of_keras() -> None:
    blstm = network(hidden=5).blstm
    weight: Tensor = blstm.weight_hh_l1_reverse
    torch.testing.assert_close(weight.T @ weight, torch.eye(5), atol=1e-5, rtol=0)
    bias = blstm.bias_ih_l0 + blstm.bias_hh_l0
    assert bias.tolist() == [0.0] * 5 + [1.0] * 5 + [0.0] * 10


def test_an_even_window_is_refused() -> None:
    with pytest.raises(SettingsError, match="window: got 4, must be odd, so that it has a middle frame"):
        validate(CnnBlstmSettings, {"window": 4}, "--set")
