"""The network of Future Observation Prediction: counts of the paper, causality, its formulas written out."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from audionas.features.fop_network import AttentionLayer, FopEncoder, NextFrame, own_frames, positions


def n_parameters(module: nn.Module) -> int:
    return sum(weight.numel() for weight in module.parameters())


@pytest.fixture
def small() -> NextFrame:
    torch.manual_seed(0)
    return NextFrame(FopEncoder(n_bands=5, width=8, n_heads=2, inner=7, n_layers=2, dropout=0.2)).eval()


def test_the_paper_s_sizes_have_the_counted_parameters() -> None:
    network = NextFrame(FopEncoder(80, 256, 4, 513, 2, 0.2))
    assert n_parameters(network.encoder.embedding) == 80 * 256 + 256 == 20_736
    assert [n_parameters(layer) for layer in network.encoder.layers] == [527_617, 527_617]
    assert n_parameters(network.output) == 256 * 80 + 80 == 20_560
    assert n_parameters(network) == 1_096_530


@pytest.mark.parametrize("changed", [0, 3, 8])
def test_a_frame_changes_no_prediction_before_its_own(small: NextFrame, changed: int) -> None:
    """Place t holds the prediction of frame t + 1, which frame t is the last to enter."""
    frames = torch.randn(2, 9, 5)
    other = frames.clone()
    other[:, changed] += 1.0
    with torch.no_grad():
        moved = (small(frames) - small(other)).abs().amax(dim=(0, 2))
    assert (moved[:changed] == 0).all()
    assert (moved[changed:] > 1e-6).all()


def test_positions_are_the_paper_s_sines_and_cosines() -> None:
    table = positions(7, 6)
    assert table.shape == (7, 6)
    for place in (0, 1, 6):
        for i in range(3):
            angle = place / 10_000 ** (2 * i / 6)
            assert table[place, 2 * i].item() == pytest.approx(math.sin(angle), abs=1e-6)
            assert table[place, 2 * i + 1].item() == pytest.approx(math.cos(angle), abs=1e-6)


def formula(layer: AttentionLayer, x: Tensor, n_heads: int) -> Tensor:
    """Vaswani et al. 2017, section 3.2, on (frames, width), head by head and frame by frame."""
    frames, width = x.shape
    each = width // n_heads
    joint_weight, joint_bias = layer.queries_keys_values.weight, layer.queries_keys_values.bias
    query, key, value = (
        x @ joint_weight[k * width : (k + 1) * width].T + joint_bias[k * width : (k + 1) * width] for k in range(3)
    )
    rows = []
    for t in range(frames):
        heads = []
        for head in range(n_heads):
            own = slice(head * each, (head + 1) * each)
            energy = torch.stack([query[t, own] @ key[s, own] / math.sqrt(each) for s in range(t + 1)])
            share = energy.exp() / energy.exp().sum()
            heads.append(sum(share[s] * value[s, own] for s in range(t + 1)))
        rows.append(torch.cat(heads))
    attended = torch.stack(rows) @ layer.joined.weight.T + layer.joined.bias
    x = nn.functional.layer_norm(x + attended, (width,))
    inner = (x @ layer.inner.weight.T + layer.inner.bias).clamp(min=0)
    return nn.functional.layer_norm(x + inner @ layer.outer.weight.T + layer.outer.bias, (width,))


def test_a_layer_is_its_formula(small: NextFrame) -> None:
    layer = small.encoder.layers[0]
    x = torch.randn(2, 6, 8)
    with torch.no_grad():
        expected = torch.stack([formula(layer, clip, 2) for clip in x])
        torch.testing.assert_close(layer(x), expected, atol=1e-5, rtol=1e-5)


def test_levels_are_embedding_and_layers_in_turn(small: NextFrame) -> None:
    encoder, frames = small.encoder, torch.randn(1, 4, 5)
    with torch.no_grad():
        embedded, first, second = encoder.levels(frames)
        torch.testing.assert_close(embedded, frames @ encoder.embedding.weight.T + encoder.embedding.bias)
        torch.testing.assert_close(first, encoder.layers[0](embedded + positions(4, 8)))
        torch.testing.assert_close(second, encoder.layers[1](first))
        torch.testing.assert_close(small(frames), small.output(second))


def test_dropout_acts_in_training_alone(small: NextFrame) -> None:
    frames = torch.randn(1, 4, 5)
    with torch.no_grad():
        assert torch.equal(small(frames), small(frames))
        small.train()
        assert not torch.equal(small(frames), small(frames))


def test_another_corpus_s_statistics_give_the_same_levels(small: NextFrame) -> None:
    raw = 3 + 2 * torch.randn(1, 6, 5)
    old_mean, old_std = torch.randn(5), torch.rand(5) + 0.5
    mean, std = torch.randn(5), torch.rand(5) + 0.5
    with torch.no_grad():
        before = small((raw - old_mean) / old_std)
        small.encoder.move_input(mean, std, old_mean, old_std)
        torch.testing.assert_close(small((raw - mean) / std), before, atol=1e-4, rtol=1e-4)


def test_own_frames_drops_what_is_padding_in_every_clip() -> None:
    x = torch.arange(24.0).view(2, 1, 3, 4)
    assert torch.equal(own_frames(x, None)[1, 2], x[1, 0, :, 2])
    assert own_frames(x, torch.tensor([1, 3])).shape == (2, 3, 3)


def test_a_minute_needs_no_table_of_frames_by_frames() -> None:
    """6,000 x 6,000 weights of one head in float32 would be 144 MB; nothing of half that size is ever made."""
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_leaves

    class Largest(TorchDispatchMode):
        n_values = 0

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            result = func(*args, **(kwargs or {}))
            sizes = [leaf.numel() for leaf in tree_leaves(result) if isinstance(leaf, Tensor)]
            Largest.n_values = max(Largest.n_values, *sizes, 0)
            return result

    network = NextFrame(FopEncoder(4, 8, 1, 9, 1, 0.2))
    with Largest():
        predicted = network(torch.randn(1, 6000, 4))
        predicted.square().mean().backward()
    assert predicted.shape == (1, 6000, 4)
    assert Largest.n_values < 6000 * 3000
