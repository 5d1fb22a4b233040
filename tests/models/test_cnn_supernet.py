"""The supernet: its size is that of the papers, its mixture that of equation 2, its derivation DARTS's."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import nn

from audionas.models import build_model, n_parameters
from audionas.models.cnn_supernet import CellWeights, CnnSupernet, batch_statistics
from audionas.search import build_supernet
from audionas.spaces import CnnCellSpace, load_search_space

TINY = CnnCellSpace(
    nodes=2, ops=("none", "skip_connect", "sep_conv_3x3", "avg_pool_3x3"), macro={"n_cells": 2, "channels": 2}
)


@pytest.fixture
def double_precision() -> Iterator[None]:
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def count(n_cells: int, channels: int, input_channels: int, n_classes: int) -> int:
    with torch.device("meta"):
        shape = (input_channels, 140, 140)
        space = load_search_space("darts_cnn")
        return n_parameters(
            build_supernet(space, input_shape=shape, n_classes=n_classes, n_cells=n_cells, channels=channels)
        )


@pytest.mark.parametrize(
    "n_cells,channels,mono,rgb",
    [
        # FACTS 1.1; the paper's table rounds them to 0.07M, 0.13M, 0.35M and 1.32M
        (3, 4, 72_248, 72_464),
        (3, 6, 132_274, 132_598),
        (4, 8, 346_092, 346_524),
        (6, 16, 1_320_084, 1_320_948),
        (8, 16, 1_928_212, None),
    ],
)
def test_a_supernet_has_as_many_parameters_as_in_emotionnas(n_cells: int, channels: int, mono: int, rgb: int) -> None:
    assert count(n_cells, channels, 1, 4) == mono
    assert rgb is None or count(n_cells, channels, 3, 4) == rgb


def test_a_supernet_for_cifar_has_as_many_parameters_as_in_naslib() -> None:
    assert count(8, 16, 3, 10) == 1_930_618  # NASLib's unit test of DARTS asserts 1.930618 million


def test_alphas_are_not_counted_but_belong_to_the_network() -> None:
    supernet = build_supernet(load_search_space("darts_cnn"), input_shape=(1, 8, 8), n_classes=4)
    everything = sum(parameter.numel() for parameter in supernet.parameters())
    assert everything - n_parameters(supernet) == 2 * 14 * 8
    assert [tuple(alphas.shape) for alphas in supernet.arch_parameters()] == [(14, 8), (14, 8)]


@pytest.mark.parametrize("n_cells,reduce_at", [(3, [1, 2]), (4, [1, 2]), (6, [2, 4]), (8, [2, 5])])
def test_cells_at_a_third_and_two_thirds_reduce(n_cells: int, reduce_at: list[int]) -> None:
    supernet = build_supernet(TINY, input_shape=(1, 8, 8), n_classes=2, n_cells=n_cells)
    assert [i for i, cell in enumerate(supernet.cells) if cell.kind == "reduce"] == reduce_at


def test_feature_maps_halve_and_channels_double_in_reduction_cells() -> None:
    # L=3, C=6, 4 nodes: 140 -> 70 -> 35 (FACTS 1.1)
    space = load_search_space("darts_cnn")
    with torch.device("meta"):
        supernet = build_supernet(space, input_shape=(1, 140, 140), n_classes=4)
        weights = {kind: CellWeights(torch.softmax(supernet.alphas(kind), -1)) for kind in ("normal", "reduce")}
        outputs = supernet.cell_outputs(torch.empty(2, 1, 140, 140), lambda kind: (weights[kind],))
    assert [tuple(y.shape[1:]) for y in outputs] == [(24, 140, 140), (48, 70, 70), (96, 35, 35)]


@pytest.mark.parametrize("shape", [(1, 1, 7), (2, 33, 5), (3, 32, 64)])
def test_any_input_shape_and_number_of_classes(shape: tuple[int, int, int]) -> None:
    supernet = build_supernet(TINY, input_shape=shape, n_classes=7)
    assert supernet(torch.randn(2, *shape)).shape == (2, 7)


def test_alphas_begin_near_zero_and_follow_the_seed() -> None:
    drawn = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        drawn.append(build_supernet(load_search_space("darts_cnn"), input_shape=(1, 8, 8), n_classes=2).alphas_normal)
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    assert 5e-4 < float(drawn[0].detach().std()) < 2e-3


@pytest.mark.usefixtures("double_precision")
def test_an_edge_is_the_sum_of_its_operations_weighted_by_the_softmax_of_its_alphas() -> None:
    space = CnnCellSpace(nodes=1, ops=TINY.ops, macro={"n_cells": 1, "channels": 2, "reduction_at": []})
    supernet = CnnSupernet(space, space.macro, (1, 5, 6), 3)
    alphas = np.array([[0.3, -1.0, 2.0, 0.5], [1.5, 0.1, -0.7, 0.2]])  # edges 0->2 and 1->2; ops as in TINY
    supernet.alphas_normal.data = torch.from_numpy(alphas)
    x = torch.randn(4, 1, 5, 6)
    cell = supernet.cells[0]
    inputs = [cell.preprocess0(supernet.stem(x)), cell.preprocess1(supernet.stem(x))]

    node = torch.zeros(4, 2, 5, 6)
    for edge in range(2):
        weights = np.exp(alphas[edge]) / np.exp(alphas[edge]).sum()  # equation 2; `none` takes its share of the sum
        skip, convolution, pool = (cell.cell.ops[edge].ops[k](inputs[edge]) for k in (1, 2, 3))
        node += weights[1] * skip + weights[2] * convolution + weights[3] * pool
    pooled = node.mean(dim=(2, 3))
    logits = pooled @ supernet.classifier.weight.T + supernet.classifier.bias
    torch.testing.assert_close(supernet(x), logits, rtol=1e-12, atol=1e-12)


def test_pools_are_normalised_and_nothing_in_a_cell_is_affine() -> None:
    supernet = build_supernet(TINY, input_shape=(1, 8, 8), n_classes=2)
    pool = supernet.cells[0].cell.ops[0].ops[TINY.ops.index("avg_pool_3x3")]
    assert [type(module) for module in pool] == [nn.AvgPool2d, nn.BatchNorm2d]
    norms = [module for cell in supernet.cells for module in cell.modules() if isinstance(module, nn.BatchNorm2d)]
    assert norms
    assert not any(norm.affine for norm in norms)


def test_a_node_keeps_the_two_inputs_whose_strongest_operation_weighs_most() -> None:
    space = CnnCellSpace(nodes=2, ops=TINY.ops)
    supernet = build_supernet(space, input_shape=(1, 8, 8), n_classes=2)
    # columns: none, skip_connect, sep_conv_3x3, avg_pool_3x3
    supernet.alphas_normal.data = torch.tensor([
        [9.0, 0.0, 1.0, 0.0],  # 0 -> 2: both inputs of the first node stay, whatever `none` weighs
        [0.0, 0.0, 0.0, 2.0],  # 1 -> 2
        [0.0, 3.0, 0.0, 0.0],  # 0 -> 3: softmax of skip = e3 / (e3 + 3) = 0.87, kept
        [5.0, 4.0, 0.0, 0.0],  # 1 -> 3: `none` takes the weight: e4 / (e5 + e4 + 2) = 0.27, dropped
        [0.0, 0.0, 1.0, 0.0],  # 2 -> 3: e1 / (e1 + 3) = 0.48, kept
    ])  # fmt: skip
    supernet.alphas_reduce.data = torch.zeros(5, 4)
    genotype = supernet.genotype()
    assert genotype.normal == (("sep_conv_3x3", 0), ("avg_pool_3x3", 1), ("skip_connect", 0), ("sep_conv_3x3", 2))
    # all equal: the first operation that is not `none`, and the first inputs
    assert genotype.reduce == (("skip_connect", 0), ("skip_connect", 1)) * 2
    space.check(genotype)


def test_none_is_never_kept_however_strong() -> None:
    supernet = build_supernet(TINY, input_shape=(1, 8, 8), n_classes=2)
    for alphas in supernet.arch_parameters():
        alphas.data[:, 0] = 50.0
    genotype = supernet.genotype()
    assert "none" not in {op for op, _ in genotype.normal + genotype.reduce}


def test_margins_are_the_lead_of_the_strongest_operation_over_the_next() -> None:
    space = CnnCellSpace(nodes=1, ops=TINY.ops)
    supernet = build_supernet(space, input_shape=(1, 8, 8), n_classes=2)
    supernet.alphas_normal.data = torch.log(torch.tensor([[0.4, 0.3, 0.2, 0.1], [0.1, 0.1, 0.3, 0.5]]))
    rows = supernet.strengths("normal")[2]
    assert [(source, op) for _, source, op, _ in rows] == [(0, "skip_connect"), (1, "avg_pool_3x3")]
    assert [row[0] for row in rows] == pytest.approx([0.3, 0.5])
    assert [row[3] for row in rows] == pytest.approx([0.1, 0.2])


def copy_chosen_weights(supernet: CnnSupernet, network: nn.Module, edges: list[tuple[int, int]], names: tuple) -> None:
    """Copy what the derived network keeps; its affine BN is at weight 1 and bias 0 as built."""
    for name in ("stem", "classifier"):
        getattr(network, name).load_state_dict(getattr(supernet, name).state_dict())
    for theirs, ours in zip(supernet.cells, network.cells, strict=True):
        ours.preprocess0.load_state_dict(theirs.preprocess0.state_dict(), strict=False)
        ours.preprocess1.load_state_dict(theirs.preprocess1.state_dict(), strict=False)
        kept = [(2 + n, op, source) for n, pair in enumerate(ours.cell.nodes) for op, source in pair]
        for (node, op, source), module in zip(kept, ours.cell.ops, strict=True):
            candidate = theirs.cell.ops[edges.index((node, source))].ops[names.index(op)]
            module.load_state_dict(candidate.state_dict(), strict=False)


@pytest.mark.usefixtures("double_precision")
def test_a_sub_network_of_the_supernet_is_the_derived_network_with_the_same_weights() -> None:
    # without pools: the supernet normalises them, the derived network does not
    space = CnnCellSpace(nodes=3, ops=("none", "skip_connect", "sep_conv_3x3", "dil_conv_5x5"))
    supernet = CnnSupernet(space, space.macro, (2, 9, 12), 3)
    genotype = space.random(np.random.default_rng(3))
    network = build_model(genotype, input_shape=(2, 9, 12), n_classes=3)
    copy_chosen_weights(supernet, network, list(space.edges), space.ops)
    x = torch.randn(4, 2, 9, 12)
    with torch.no_grad():
        torch.testing.assert_close(supernet(x, genotype=genotype), network(x), rtol=1e-10, atol=1e-10)
        other = space.random(np.random.default_rng(4))
        assert not torch.allclose(supernet(x, genotype=other), network(x))


def test_scoring_with_batch_statistics_leaves_running_statistics_and_modes_alone() -> None:
    supernet = build_supernet(TINY, input_shape=(1, 8, 8), n_classes=2).train()
    x = 5.0 + torch.randn(4, 1, 8, 8)
    before = {name: value.clone() for name, value in supernet.state_dict().items()}
    with batch_statistics(supernet), torch.no_grad():
        assert not supernet.training
        scored = supernet(x)
    for name, value in supernet.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert all(module.training for module in supernet.modules())
    with torch.no_grad():
        torch.testing.assert_close(scored, supernet(x))  # what training would see, not the running statistics


def test_running_statistics_come_back_after_an_error() -> None:
    supernet = build_supernet(TINY, input_shape=(1, 8, 8), n_classes=2)
    names = set(supernet.state_dict())
    with pytest.raises(ZeroDivisionError), batch_statistics(supernet):
        raise ZeroDivisionError
    assert set(supernet.state_dict()) == names
    assert all(m.track_running_stats for m in supernet.modules() if isinstance(m, nn.BatchNorm2d))
