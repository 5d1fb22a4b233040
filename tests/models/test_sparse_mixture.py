"""Sparse draws of the recurrent supernet: what is drawn alone is computed, with the gradients of the papers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from audionas.models.mixed_recipe_cell import Mixture
from audionas.models.mixing import BinaryGates, GumbelMixing, Mixing, PathMixing
from audionas.models.recurrent_supernet import RecurrentSupernet, moved_on
from audionas.ops.recurrent import RNN_OPS, RnnOp
from audionas.search.estimate import saved_bytes_per_clip
from audionas.spaces import DartsRecurrentSpace, load_search_space
from audionas.spaces.darts_recurrent import SLOTS
from tests.models.test_recurrent_supernet import LENGTHS, SHAPE, B, copied_network, space_of
from tests.models.test_recurrent_supernet_mixtures import softmax, supernet_of


@pytest.fixture(autouse=True)
def _double() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(0)
    yield
    torch.set_default_dtype(torch.float32)


class Given(Mixing):
    """The weights of a draw, all candidates of which are computed."""

    def __init__(self, weights: dict[int, Tensor]) -> None:
        self.weights = weights

    def decided(self, alphas: Tensor) -> Tensor:
        return self.weights[id(alphas)]


CASES: dict[str, dict[str, Any]] = {
    "one state": {"n_nodes": 7},
    "two states, both given on, two layers": {"states": 2, "emit": "h0+h1", "n_layers": 2},
    "three states, forward": {"states": 3, "bidirectional": False, "pooling": "mean"},
    "three nodes": {"n_nodes": 3},
}


@pytest.mark.parametrize("case", CASES)
def test_of_pairs_output_and_gradients_are_those_of_the_whole_mixture(case: str) -> None:
    """What is left out of the computation has neither a weight nor a gradient."""
    space, gates, x = space_of(**CASES[case]), BinaryGates(), 0.3 * torch.randn(B, *SHAPE)
    supernet = supernet_of(space, gates)
    for seed in range(8):
        found = []
        for is_whole in (False, True):
            gates.draw_from(seed, pairs=True)
            supernet.mixing = gates
            if is_whole:
                supernet.mixing = Given({id(a): gates(a) for a in supernet.arch_parameters()})
            supernet.zero_grad()
            output = supernet(x, LENGTHS)
            output.square().sum().backward()
            gradients = [torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in supernet.parameters()]
            found.append([output.detach(), *gradients])
        for sparse, whole in zip(*found, strict=True):
            torch.testing.assert_close(sparse, whole, atol=1e-10, rtol=1e-8)
        assert sum(
            float(alphas.grad.abs().sum()) > 0 for alphas in supernet.arch_parameters() if alphas.grad is not None
        )


@pytest.mark.parametrize("mixing", [GumbelMixing(), BinaryGates()])
@pytest.mark.parametrize("case", CASES)
def test_a_drawn_path_gives_the_output_of_the_derived_network(case: str, mixing: Any) -> None:
    space, x = space_of(**CASES[case]), 0.3 * torch.randn(B, *SHAPE)
    supernet = supernet_of(space, mixing)
    hashes = set()
    for seed in range(8):
        settings = {"pairs": False} if isinstance(mixing, BinaryGates) else {}
        mixing.draw_from(seed, **settings)
        output = supernet(x, LENGTHS)
        mixing.draw_from(seed, **settings)
        drawn = {
            label: options[int(mixing(supernet.alphas(label)).argmax())] for label, options in space.choices().items()
        }
        genotype = space.genotype(drawn)
        torch.testing.assert_close(output, copied_network(supernet, genotype)(x, LENGTHS), atol=1e-10, rtol=1e-10)
        hashes.add(genotype.recipe_hash)
    assert len(hashes) > 4


def gate_gradients(
    supernet: RecurrentSupernet, gates: dict[str, Tensor], x: Tensor, *, scales: bool = False
) -> dict[str, Tensor]:
    """The gradient of the squared logits in the weights of all decisions, at these; all candidates are computed.

    With `scales`, in one factor a decision instead, which multiplies the path that the weights are.
    """
    space = supernet.space
    given = {label: torch.ones(1) if scales else each.clone() for label, each in gates.items()}
    for each in given.values():
        each.requires_grad_()

    def of(label: str) -> Tensor:
        return given[label] * gates[label] if scales and label in gates else given.get(label, torch.ones(1))

    inputs = []
    for i in range(1, space.nodes.max):
        slots = [f"n{i}_{slot}" for slot in SLOTS if f"n{i}_{slot}" in space.options]
        fixed = [torch.cat([torch.zeros(space.states), gates.get(slots[0], torch.ones(1))])]
        fixed += [gates.get(label, torch.ones(1)) for label in slots[1:]]
        if scales:
            ones = torch.ones(1)
            inputs.append(
                torch.stack([given.get(s, ones) * row for s, row in zip(slots, moved_on(fixed), strict=True)])
            )
        else:
            free = [torch.cat([torch.zeros(space.states), of(slots[0])]), *(of(label) for label in slots[1:])]
            inputs.append(moved_on(free))
    mixture = Mixture(tuple(of(f"n{i}_op") for i in range(1, space.nodes.max)), tuple(inputs))
    frames = supernet.own_frames(x, LENGTHS)
    loss = supernet.classify(supernet.rnn(frames, LENGTHS, mixture), LENGTHS).square().sum()
    found = torch.autograd.grad(loss, list(given.values()), allow_unused=True)
    zeros = [torch.zeros_like(each) if g is None else g for each, g in zip(given.values(), found, strict=True)]
    return dict(zip(given, zeros, strict=True))


def test_the_gradient_of_a_pair_is_that_of_its_two_gates_by_their_shares() -> None:
    """Cai et al. 2019, section 3.2.1: dL/da_i = sum over the two of dL/dg_j p_j (delta_ij - p_i)."""
    space, gates, x = space_of(5, states=2), BinaryGates(), torch.randn(B, *SHAPE)
    supernet = supernet_of(space, gates)
    gates.draw_from(3, pairs=True)
    supernet(x, LENGTHS).square().sum().backward()
    pairs = dict(zip(space.choices(), gates.drawn, strict=True))
    gates.draw_from(3, pairs=True)
    path = {label: gates(supernet.alphas(label)).detach() for label in space.choices()}
    by_gate = gate_gradients(supernet, path, x)
    for label, pair in pairs.items():
        alphas, (i, j) = supernet.alphas(label), pair.nonzero().flatten().tolist()
        p = softmax(alphas.detach()[[i, j]])
        expected = torch.zeros(len(alphas))
        expected[i] = (by_gate[label][i] - by_gate[label][j]) * p[0] * p[1]
        expected[j] = -expected[i]
        found = torch.zeros(len(alphas)) if alphas.grad is None else alphas.grad
        torch.testing.assert_close(found, expected, atol=1e-10, rtol=1e-8)


def test_the_gradient_of_a_gumbel_draw_is_that_of_the_soft_weight_of_what_was_drawn() -> None:
    """Dong and Yang 2019, equation 7: only the drawn candidate is computed, so only its weight has a gradient."""
    space, mixing, x = space_of(5, states=2), GumbelMixing(), torch.randn(B, *SHAPE)
    supernet = supernet_of(space, mixing)
    for label, option in {"n4_op": "elementwise_sum", "n4_a": "n2", "n4_b": "n2"}.items():  # inputs that meet
        supernet.alphas(label).data[space.choices()[label].index(option)] += 3.0
    mixing.temperature = 0.8
    n_moved = 0
    for seed in range(8):
        supernet.zero_grad()
        mixing.draw_from(seed)
        supernet(x, LENGTHS).square().sum().backward()
        soft = {}
        relaxed = GumbelMixing(is_sparse=False)
        relaxed.temperature = 0.8
        relaxed.draw_from(seed)
        for label in space.choices():
            soft[label] = relaxed(supernet.alphas(label))
        path = {label: (each == each.max()).double() for label, each in soft.items()}
        by_scale = gate_gradients(supernet, path, x, scales=True)
        for label, each in soft.items():
            expected = torch.autograd.grad((each * path[label]).sum() * by_scale[label], supernet.alphas(label))[0]
            found = supernet.alphas(label).grad
            found = torch.zeros(len(expected)) if found is None else found
            torch.testing.assert_close(found, expected, atol=1e-10, rtol=1e-8)
        drawn = {label: space.choices()[label][int(each.argmax())] for label, each in path.items()}
        n_moved += drawn["n4_op"] == "elementwise_sum" and drawn["n4_a"] == drawn["n4_b"]
    assert n_moved, "the case of an input that moves on is among them"


@pytest.mark.parametrize(("pairs", "most"), [(False, 1), (True, 2)])
def test_of_a_node_one_operation_is_computed_or_two_for_the_alphas(
    pairs: bool, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ops = tuple(name for name in RNN_OPS if name != "linear")
    space = DartsRecurrentSpace(nodes={"max": 6}, ops=("linear", *ops), macro={"hidden": 4, "bidirectional": False})
    gates = BinaryGates()
    supernet = supernet_of(space, gates)
    calls: list[str] = []
    for name in ops:
        old = RNN_OPS[name]

        def counted(inputs: Any, old: RnnOp = old, name: str = name) -> Tensor:
            calls.append(name)
            assert old.apply is not None
            return old.apply(inputs)

        monkeypatch.setitem(RNN_OPS, name, RnnOp(old.fewest, old.most, old.is_ordered, counted, old.summary))
    counts = []
    for seed in range(10):
        calls.clear()
        gates.draw_from(seed, pairs=pairs)
        output = supernet(torch.randn(1, 1, 5, 1))
        counts.append(len(calls))
        if pairs:
            output.sum().backward()
    gate = 0 if pairs else 3  # a path runs its gates as nodes: sigmoid, tanh, blend
    assert max(counts) - gate <= most * 5
    assert most - 1 <= min(counts) - gate < max(counts) - gate
    assert all((alphas.grad is not None) <= pairs for alphas in supernet.arch_parameters())
    assert len(gates.drawn) == (len(space.choices()) if pairs else 0)


def test_weights_of_candidates_that_were_not_drawn_have_no_gradient() -> None:
    space, gates = space_of(6), BinaryGates()
    supernet = supernet_of(space, gates)
    gates.draw_from(0, pairs=False)
    supernet(torch.randn(B, *SHAPE)).square().sum().backward()
    gates.draw_from(0, pairs=False)
    drawn = {label: options[int(gates(supernet.alphas(label)).argmax())] for label, options in space.choices().items()}
    recipe = space.genotype(drawn).to_recipe()
    linear = {int(name[1:]) for name, node in recipe.items() if node["op"] == "linear"}
    rows = supernet.rnn.layers[0].on_x.grad.abs().amax(dim=(0, 2, 3))
    assert {i for i, size in enumerate(rows.tolist()) if size > 0} == linear
    assert len(linear) < 7


def test_scoring_draws_nothing() -> None:
    for mixing in (GumbelMixing(), BinaryGates()):
        supernet, x = supernet_of(space_of(5), mixing).eval(), torch.randn(B, *SHAPE)
        softly = supernet_of(space_of(5), Mixing())
        softly.load_state_dict(supernet.state_dict())
        assert torch.equal(supernet(x), softly(x)), "scored is the mixture"


def test_draws_are_counted_in_memory_with_the_largest_candidates_of_each_node() -> None:
    space, shape = load_search_space("darts_rnn"), (1, 40, 30)
    whole, one, two = (
        saved_bytes_per_clip(space, shape, 4, mixing) for mixing in (Mixing(), GumbelMixing(), BinaryGates())
    )
    assert saved_bytes_per_clip(space, shape, 4, PathMixing()) <= one
    assert 0.1 * whole < one < two < whole
