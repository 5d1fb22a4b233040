"""The recurrent supernet under other mixings than the softmax: sigmoids, betas, draws that alone are computed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pytest
import torch
from torch import Tensor

from audionas.models import build_supernet, mixed_recipe_cell, n_parameters
from audionas.models.mixing import Mixing, PartialMixing, SigmoidMixing
from audionas.models.recurrent_supernet import RecurrentSupernet
from audionas.spaces import DartsRecurrentSpace, load_search_space
from tests.models.recurrent_formula import THREE_NODES, logits_by_formula
from tests.models.test_recurrent_supernet import CLASSES, LENGTHS, SHAPE, B, any_sample, copied_network, space_of


@pytest.fixture(autouse=True)
def _double() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(0)
    yield
    torch.set_default_dtype(torch.float32)


def supernet_of(space: DartsRecurrentSpace, mixing: Mixing) -> RecurrentSupernet:
    """With alphas, and betas, that differ."""
    supernet = build_supernet(space, SHAPE, CLASSES, mixing)
    assert isinstance(supernet, RecurrentSupernet)
    for parameter in supernet.arch_parameters():
        parameter.data.normal_()
    return supernet


def softmax(x: Tensor) -> Tensor:
    return x.exp() / x.exp().sum()


def test_sigmoids_mix_operations_and_inputs_and_are_divided_by_their_sum_where_it_is_above_one() -> None:
    supernet, x = supernet_of(THREE_NODES, SigmoidMixing()), torch.randn(B, 1, 5, 3)
    supernet.alphas("n2_a").data = torch.tensor([-2.0, -0.5])  # sum below 1: stays
    sigmoids = {label: 1 / (1 + torch.exp(-supernet.alphas(label).detach())) for label in THREE_NODES.choices()}
    assert float(sigmoids["n2_a"].sum()) < 1 < float(sigmoids["n1_op"].sum())
    weights = {label: each / max(1.0, float(each.sum())) for label, each in sigmoids.items()}
    torch.testing.assert_close(supernet(x), logits_by_formula(supernet, weights, x), atol=1e-12, rtol=0)


def test_edges_weigh_by_the_softmax_of_the_betas_times_that_of_the_alphas() -> None:
    supernet, x = supernet_of(THREE_NODES, PartialMixing(4)), torch.randn(B, 1, 5, 3)
    alphas = {label: softmax(supernet.alphas(label).detach()) for label in THREE_NODES.choices()}
    of_n1, of_n2 = (softmax(supernet.get_parameter(f"betas_{node}").detach()) for node in ("n1", "n2"))
    edges = {"n1_b": of_n1, "n2_a": of_n2[1:], "n2_b": of_n2}  # an input a reads nodes, no state
    products = {label: each * edges.get(label, torch.tensor(1.0)) for label, each in alphas.items()}
    weights = {label: each / each.sum() for label, each in products.items()}
    torch.testing.assert_close(supernet(x), logits_by_formula(supernet, weights, x), atol=1e-12, rtol=0)


def test_betas_stand_behind_the_alphas_and_are_no_weights_of_the_network() -> None:
    space = space_of(4, states=2)
    supernet, plain = (supernet_of(space, mixing) for mixing in (PartialMixing(), Mixing()))
    behind = supernet.arch_parameters()[len(plain.arch_parameters()) :]
    assert [len(betas) for betas in behind] == [3, 4, 5], "2 states and the nodes before"
    assert n_parameters(supernet) == n_parameters(plain)
    supernet(torch.randn(B, *SHAPE)).square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.abs().max() > 0 for parameter in behind)


def test_betas_are_of_nodes_alone_where_no_operation_has_a_second_input() -> None:
    space = DartsRecurrentSpace(nodes={"max": 4}, ops=("linear", "activation_tanh"), macro={"hidden": 4})
    supernet = supernet_of(space, PartialMixing())
    assert {name: len(p) for name, p in supernet.named_parameters() if "betas" in name} == {
        "betas_n2": 2,
        "betas_n3": 3,
    }
    assert supernet(torch.randn(B, *SHAPE)).shape == (B, CLASSES)


@pytest.mark.parametrize("seed", range(10))
def test_derivation_keeps_the_strongest_products_of_alphas_and_edges(seed: int) -> None:
    torch.manual_seed(seed)
    space = space_of(5)
    supernet = supernet_of(space, PartialMixing())
    strengths = {}
    for label in space.choices():
        strength = softmax(supernet.alphas(label).detach())
        if not label.endswith("_op"):
            edges = softmax(supernet.get_parameter(f"betas_{label[:2]}").detach())
            strength = strength * edges[len(edges) - len(strength) :]
        strengths[label] = strength.tolist()
    expected = space.genotype(space.strongest(strengths))
    assert supernet.genotype().recipe_hash == expected.recipe_hash


def decide(supernet: RecurrentSupernet, sample: Mapping[str, str], size: float) -> None:
    """Alphas of `size` for a sample's options, of minus that for all others."""
    for label, options in supernet.space.choices().items():
        supernet.alphas(label).data = torch.tensor([size if option == sample[label] else -size for option in options])


@pytest.mark.parametrize("mixing", [SigmoidMixing(), PartialMixing()])
def test_decided_alphas_give_the_output_of_the_derived_network(mixing: Mixing) -> None:
    space, rng, x = space_of(6, states=2, n_layers=2), np.random.default_rng(0), 0.3 * torch.randn(B, *SHAPE)
    supernet = supernet_of(space, mixing)
    for _ in range(6):
        sample = space.repair(any_sample(space, rng))
        decide(supernet, sample, 300.0)
        genotype = space.genotype(sample)
        assert supernet.genotype().recipe_hash == genotype.recipe_hash
        theirs = copied_network(supernet, genotype)(x, LENGTHS)
        torch.testing.assert_close(supernet(x, LENGTHS), theirs, atol=1e-9, rtol=1e-9)


def test_sigmoids_are_in_the_log_as_the_derivation_reads_them() -> None:
    supernet = supernet_of(space_of(4), SigmoidMixing())
    line = supernet.describe(SHAPE, CLASSES)
    assert line["mixing"] == "sigmoid"
    for kind, decisions in line["alphas"].items():
        for label, alphas in decisions.items():
            assert line["weights"][kind][label] == pytest.approx([1 / (1 + np.exp(-a)) for a in alphas])


def test_a_line_of_the_log_has_the_betas_and_the_weights_with_them() -> None:
    supernet = supernet_of(space_of(3), PartialMixing())
    line = supernet.describe(SHAPE, CLASSES)
    assert {node: len(betas) for node, betas in line["betas"].items()} == {"n1": 2, "n2": 3}
    both = torch.tensor(line["alphas"]["inputs"]["n2_b"]) + torch.tensor(line["betas"]["n2"])
    assert line["weights"]["inputs"]["n2_b"] == pytest.approx(softmax(both).tolist())
    assert line["entropy"]["operations"] == pytest.approx(
        np.mean([-(p * p.log()).sum() for p in (softmax(supernet.alphas(f"n{i}_op").detach()) for i in (1, 2))])
    )


def test_the_mixtures_of_the_shipped_space_begin_far_from_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    space = load_search_space("darts_rnn")
    largest = []
    limited = mixed_recipe_cell.limited

    def watched(x: Tensor) -> Tensor:
        largest.append(float(x.detach().abs().max()))
        return limited(x)

    monkeypatch.setattr(mixed_recipe_cell, "limited", watched)
    for mixing in (Mixing(), SigmoidMixing(), PartialMixing()):
        torch.manual_seed(0)
        build_supernet(space, (1, 40, 20), 4, mixing)(torch.randn(4, 1, 40, 20))
    assert max(largest) < 10
