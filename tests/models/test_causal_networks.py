"""`causal: true`: later frames change nothing earlier, in networks of both kinds; and what stays as it was without."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from audionas.errors import SettingsError
from audionas.models import FrameNetwork, GenotypeNetwork, build_model
from audionas.models.cnn_supernet import CellWeights, CnnSupernet
from audionas.ops import CNN_OPS
from audionas.spaces import CnnCellSpace, CnnMacro, RecurrentMacro
from audionas.spaces.cnn_genotype import macro_values
from audionas.spaces.reference_recipes import reference_recipe

SHAPE = (1, 8, 21)


def cnn_space(causal: bool) -> CnnCellSpace:
    macro = CnnMacro(n_cells=3, channels=3, reduction_at=("1/3", "2/3"), causal=causal)
    return CnnCellSpace(nodes=3, ops=tuple(CNN_OPS), macro=macro)


def shaken(network: nn.Module) -> nn.Module:
    """In eval mode, with running statistics that are not the initial ones."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None
            module.running_mean.normal_()
    return network.eval()


def changed_from(x: torch.Tensor, frame: int) -> torch.Tensor:
    later = x.clone()
    later[..., frame:] = torch.randn_like(later[..., frame:])
    return later


def cnn(causal: bool, seed: int) -> GenotypeNetwork:
    torch.manual_seed(seed)
    genotype = cnn_space(causal).random(np.random.default_rng(seed))
    network = build_model(genotype, input_shape=SHAPE, n_classes=4)
    assert isinstance(network, GenotypeNetwork)
    return shaken(network)  # type: ignore[return-value]


@pytest.mark.parametrize("seed", range(6))
def test_no_frame_of_a_causal_cell_reads_a_later_one(seed: int) -> None:
    network, x = cnn(True, seed), torch.randn(2, *SHAPE)
    stride = network.macro.frame_stride
    assert stride == 4
    before, logits = network.cell_outputs(x)[-1], network.running_logits(x)
    for frame in (1, 4, 5, 9, 20):
        unchanged = -(-frame // stride)  # output frames j with stride * j < frame
        after = network.cell_outputs(changed_from(x, frame))[-1]
        torch.testing.assert_close(after[..., :unchanged], before[..., :unchanged])
        running = network.running_logits(changed_from(x, frame))
        torch.testing.assert_close(running[:, :unchanged], logits[:, :unchanged])


def test_without_causal_later_frames_do_change_earlier_ones() -> None:
    network, x = cnn(False, 0), torch.randn(2, *SHAPE)
    before, after = network.cell_outputs(x)[-1], network.cell_outputs(changed_from(x, 9))[-1]
    assert not torch.allclose(after[..., :2], before[..., :2])


def test_the_last_of_the_running_logits_are_those_of_the_clip() -> None:
    network, x = cnn(True, 1), torch.randn(2, *SHAPE)
    running = network.running_logits(x)
    assert tuple(running.shape) == (2, 6, 4)  # 21 frames, halved twice, rounded up
    torch.testing.assert_close(running[:, -1], network(x))


def test_a_causal_supernet_mixes_causal_operations_only() -> None:
    torch.manual_seed(0)
    space = cnn_space(True)
    network, x = CnnSupernet(space, space.macro, SHAPE, 4), torch.randn(2, *SHAPE)
    shaken(network)

    def outputs(x: torch.Tensor) -> torch.Tensor:
        weights = {kind: CellWeights(torch.softmax(network.alphas(kind), dim=-1)) for kind in ("normal", "reduce")}
        return network.cell_outputs(x, lambda kind: (weights[kind], None))[-1]

    torch.testing.assert_close(outputs(changed_from(x, 9))[..., :3], outputs(x)[..., :3])


def recurrent(**macro: Any) -> FrameNetwork:
    torch.manual_seed(0)
    genotype = reference_recipe("gru").within(RecurrentMacro(hidden=6, n_layers=2, **macro))
    network = build_model(genotype, input_shape=SHAPE, n_classes=4)
    assert isinstance(network, FrameNetwork)
    return network.eval()


@pytest.mark.parametrize("pooling", ["attention", "attention_query", "mean", "max", "last", "statistics"])
def test_a_causal_recurrent_network_reads_forwards_only(pooling: str) -> None:
    network, x = recurrent(bidirectional=False, causal=True, pooling=pooling), torch.randn(2, *SHAPE)
    later = changed_from(x, 9)
    torch.testing.assert_close(network.frame_outputs(later)[:, :9], network.frame_outputs(x)[:, :9])
    running = network.running_logits(x)
    torch.testing.assert_close(network.running_logits(later)[:, :9], running[:, :9])
    torch.testing.assert_close(running[:, -1], network(x))


def test_a_bidirectional_network_reads_later_frames() -> None:
    network, x = recurrent(), torch.randn(2, *SHAPE)
    assert not torch.allclose(network.frame_outputs(changed_from(x, 9))[:, :9], network.frame_outputs(x)[:, :9])


def test_causal_and_bidirectional_exclude_each_other() -> None:
    genotype = reference_recipe("gru").within(RecurrentMacro(bidirectional=False, causal=True))
    with pytest.raises(SettingsError, match="causal: got True, needs bidirectional: false, as a backward cell reads"):
        build_model(genotype, input_shape=SHAPE, n_classes=4, bidirectional=True)


def test_causal_is_part_of_a_genotype_where_it_is_true() -> None:
    plain, causal = (cnn_space(is_causal).random(np.random.default_rng(0)) for is_causal in (False, True))
    assert plain.normal == causal.normal
    assert plain.hash != causal.hash
    assert "causal" not in macro_values(plain.macro)  # hashes of before `causal` stay valid
    assert macro_values(causal.macro)["causal"] is True
