"""The CNN supernet under other mixings than the softmax: edge weights, sparse draws, what an epoch logs of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch

from audionas.models import build_supernet, mixed_cell, n_parameters, source_terms
from audionas.models.cnn_supernet import CnnSupernet
from audionas.models.mixed_cell import CellWeights
from audionas.models.mixing import BinaryGates, GumbelMixing, PartialMixing, PathMixing, SigmoidMixing
from audionas.models.source_terms import Term
from audionas.spaces import CnnCellSpace

OPS = ("none", "skip_connect", "sep_conv_3x3", "avg_pool_3x3")
SPACE = CnnCellSpace(nodes=3, ops=OPS, macro={"n_cells": 2, "channels": 4, "reduction_at": ["1/2"]})
SHAPE = (1, 8, 8)


@pytest.fixture(autouse=True)
def _double_precision() -> Iterator[None]:
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


class Computed(list[Term]):
    """Terms of all cells, and the weights that they were computed for."""

    weights: list[CellWeights]


@contextmanager
def computed() -> Iterator[Computed]:
    """Notes what the cells compute within."""
    found = Computed()
    found.weights = []

    class Noting(mixed_cell._Terms):
        def __init__(self, cell: mixed_cell.MixedCell, weights: CellWeights) -> None:
            super().__init__(cell, weights)
            found.weights.append(weights)

    def terms_of_source(*given: Any) -> list[Term]:
        terms = source_terms.terms_of_source(*given)
        found.extend(terms)
        return terms

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(mixed_cell, "terms_of_source", terms_of_source)
        patched.setattr(mixed_cell, "_Terms", Noting)
        yield found


def softmax(x: np.ndarray) -> np.ndarray:
    return np.asarray(np.exp(x) / np.exp(x).sum(-1, keepdims=True))


def pc_darts() -> CnnSupernet:
    supernet = build_supernet(SPACE, SHAPE, 3, PartialMixing(4))
    assert isinstance(supernet, CnnSupernet)
    for parameter in supernet.arch_parameters():
        parameter.data.normal_()
    return supernet


def release_gene(alphas: np.ndarray, betas: np.ndarray) -> list[tuple[str, int]]:
    """`_parse` and the weights before it in the release of PC-DARTS, for 3 nodes: W = alpha softmax x beta softmax."""
    strengths, gene, start = softmax(alphas), [], 0
    for n in range(3):
        edges = strengths[start : start + n + 2] * softmax(betas[start : start + n + 2])[:, None]
        order = sorted(range(n + 2), key=lambda j: -max(edges[j][k] for k in range(1, len(OPS))))[:2]
        for j in sorted(order):
            gene.append((OPS[1 + int(np.argmax(edges[j][1:]))], j))
        start += n + 2
    return gene


@pytest.mark.parametrize("seed", range(20))
def test_pc_darts_derives_by_the_product_of_both_softmaxes(seed: int) -> None:
    torch.manual_seed(seed)
    supernet = pc_darts()
    alphas, _, betas, _ = (parameter.detach().numpy() for parameter in supernet.arch_parameters())
    assert list(supernet.genotype().normal) == release_gene(alphas, betas)


def test_edge_weights_change_what_is_derived() -> None:
    supernet = pc_darts()
    supernet.alphas_normal.data.zero_()
    supernet.betas_normal.data = torch.tensor([0.0, 0.0, 0.0, 1.0, 2.0, 5.0, 0.0, 0.0, 6.0])
    assert [source for _, source in supernet.genotype().normal] == [0, 1, 1, 2, 0, 3]


def test_a_node_of_pc_darts_sums_its_edges_weighted_by_the_softmax_of_their_betas() -> None:
    space = CnnCellSpace(nodes=1, ops=OPS, macro={"n_cells": 1, "channels": 4, "reduction_at": []})
    supernet = CnnSupernet(space, space.macro, (1, 6, 6), 2, PartialMixing(2))
    supernet.betas_normal.data = torch.tensor([0.3, 1.7])
    x = torch.randn(4, 1, 6, 6)
    cell, weights = supernet.cells[0], softmax(supernet.alphas_normal.detach().numpy())
    inputs = [cell.preprocess0(supernet.stem(x)), cell.preprocess1(supernet.stem(x))]
    shares = softmax(np.array([0.3, 1.7]))
    node = sum(shares[e] * cell.cell.ops[e](inputs[e], torch.from_numpy(weights[e])) for e in range(2))
    logits = supernet.classifier(node.mean(dim=(2, 3)))
    torch.testing.assert_close(supernet(x), logits)


def test_betas_are_architecture_parameters_and_counted_as_such() -> None:
    supernet = pc_darts()
    assert [tuple(p.shape) for p in supernet.arch_parameters()] == [(9, 4), (9, 4), (9,), (9,)]
    everything = sum(parameter.numel() for parameter in supernet.parameters())
    assert everything - n_parameters(supernet) == 2 * 9 * 4 + 2 * 9


def test_a_sparse_draw_gives_what_all_operations_with_one_hot_weights_would() -> None:
    outputs, calls = [], []
    for is_sparse in (True, False):
        torch.manual_seed(1)
        supernet = build_supernet(SPACE, SHAPE, 3, GumbelMixing(is_sparse=True))
        if not is_sparse:
            drawn, mixing = {}, GumbelMixing(is_sparse=True)
            mixing.draw_from(5)
            for kind in ("normal", "reduce"):
                drawn[id(supernet.alphas(kind))] = mixing(supernet.alphas(kind))

            class Given(SigmoidMixing):
                def decided(self, alphas: torch.Tensor, drawn: dict = drawn) -> torch.Tensor:
                    return drawn[id(alphas)]

            supernet.mixing = Given()
        else:
            supernet.mixing.draw_from(5)
        x = torch.randn(4, *SHAPE, generator=torch.Generator().manual_seed(2))
        with computed() as terms:
            outputs.append(supernet(x))
        calls.append(sum(OPS[term.op] == "sep_conv_3x3" for term in terms))
    torch.testing.assert_close(outputs[0], outputs[1])
    assert calls[0] < calls[1] == 18, "2 cells of 9 edges"


def test_scoring_draws_nothing() -> None:
    supernet = build_supernet(SPACE, SHAPE, 3, GumbelMixing()).eval()
    x = torch.randn(2, *SHAPE)
    assert torch.equal(supernet(x), supernet(x))


def test_margins_of_sigmoids_are_differences_of_sigmoids_and_the_log_holds_the_weights() -> None:
    space = CnnCellSpace(nodes=1, ops=OPS, macro={"n_cells": 2, "channels": 2})
    supernet = build_supernet(space, SHAPE, 3, SigmoidMixing())
    supernet.alphas_normal.data = torch.tensor([[9.0, 2.0, 1.0, -1.0], [0.0, 0.5, 0.0, 3.0]])
    line = supernet.describe(SHAPE, 3)
    sigmoid = [[1 / (1 + np.exp(-a)) for a in row] for row in ((2.0, 1.0), (3.0, 0.5))]
    assert line["margins"]["normal"] == pytest.approx([a - b for a, b in sigmoid])
    assert line["mixing"] == "sigmoid"
    np.testing.assert_allclose(line["weights"]["normal"], 1 / (1 + np.exp(-np.array(line["alphas"]["normal"]))))


def test_margins_of_pc_darts_are_between_operations_and_edges_are_logged_beside() -> None:
    supernet = pc_darts()
    line = supernet.describe(SHAPE, 3)
    weights = softmax(np.array(line["alphas"]["normal"]))[:, 1:]
    ranked = np.sort(weights, axis=1)
    leads = {round(float(row[-1] - row[-2]), 9) for row in ranked}
    assert {round(margin, 9) for margin in line["margins"]["normal"]} <= leads
    edges = np.split(np.array(line["edge_weights"]["normal"]), [2, 5])
    assert [float(each.sum()) for each in edges] == pytest.approx([1, 1, 1])


def test_of_paths_no_alphas_are_logged() -> None:
    line = build_supernet(SPACE, SHAPE, 3, PathMixing()).describe(SHAPE, 3)
    assert not {"alphas", "margins", "entropy", "mixing"} & set(line)
    assert line["skips_of"] == 6


@pytest.mark.parametrize("pairs,most", [(False, 1), (True, 2)])
def test_of_binary_gates_one_operation_an_edge_is_computed_or_two_for_the_alphas(pairs: bool, most: int) -> None:
    gates = BinaryGates()
    supernet = build_supernet(SPACE, SHAPE, 3, gates)
    gates.draw_from(1, pairs=pairs)
    with computed() as terms:
        supernet(torch.randn(4, *SHAPE)).sum().backward()
    active = [sum(row) for weights in terms.weights for row in weights.active or ()]
    assert active == [most] * 18
    assert len(terms) == sum(sum(row[1:]) for weights in terms.weights for row in weights.active or ())
    assert all((p.grad is not None) == pairs for p in supernet.arch_parameters())
    assert len(gates.drawn) == (2 if pairs else 0)
