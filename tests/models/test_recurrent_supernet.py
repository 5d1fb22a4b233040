"""The recurrent supernet: with one-hot weights it is the derived network; mixtures are as the formula says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from audionas.errors import GenotypeError, SettingsError
from audionas.models import FrameNetwork, build_model, build_supernet, mixed_recipe_cell, n_parameters
from audionas.models.mixed_recipe_cell import LIMIT, limited, limited_gradient
from audionas.models.mixing import Mixing
from audionas.models.recipe_cell import RecipeCell
from audionas.models.recurrent_supernet import RecurrentSupernet, moved_on
from audionas.ops.recurrent import LINEAR
from audionas.spaces import DartsRecurrentSpace, load_search_space
from audionas.spaces.recurrent_genotype import RecurrentGenotype
from audionas.spaces.reference_recipes import reference_recipe
from tests.models.recurrent_formula import THREE_NODES, logits_by_formula

SHAPE, B, CLASSES = (1, 5, 7), 3, 4
LENGTHS = torch.tensor([7, 4, 1])


class OneHot(Mixing):
    """The option with the largest alpha has all the weight."""

    def decided(self, alphas: Tensor) -> Tensor:
        return nn.functional.one_hot(alphas.argmax(-1), alphas.shape[-1]).to(alphas.dtype)


@pytest.fixture(autouse=True)
def _double() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(0)
    yield
    torch.set_default_dtype(torch.float32)


def space_of(n_nodes: int = 6, states: int = 1, **macro: Any) -> DartsRecurrentSpace:
    return DartsRecurrentSpace(states=states, nodes={"max": n_nodes}, macro={"hidden": 4, **macro})


def supernet_of(space: DartsRecurrentSpace, mixing: Mixing | None = None) -> RecurrentSupernet:
    supernet = build_supernet(space, SHAPE, CLASSES, mixing)
    assert isinstance(supernet, RecurrentSupernet)
    return supernet


def any_sample(space: DartsRecurrentSpace, rng: np.random.Generator) -> dict[str, str]:
    """An assignment as it is drawn, not repaired."""
    return {label: str(rng.choice(options)) for label, options in space.choices().items()}


def put_sample(supernet: RecurrentSupernet, sample: Mapping[str, str]) -> None:
    """Alphas of which a sample's options are the largest."""
    for label, options in supernet.space.choices().items():
        supernet.alphas(label).data = torch.tensor([float(option == sample[label]) for option in options])


def copied_network(supernet: RecurrentSupernet, genotype: RecurrentGenotype) -> FrameNetwork:
    """The network of a genotype as retraining builds it, every weight copied from the supernet by hand."""
    network = build_model(genotype, input_shape=SHAPE, n_classes=CLASSES)
    assert isinstance(network, FrameNetwork)
    network.pooling.load_state_dict(supernet.pooling.state_dict())
    network.head.load_state_dict(supernet.head.state_dict())
    if supernet.layer_weights is not None:
        network.layer_weights.data = supernet.layer_weights.data  # type: ignore[union-attr]
    number = {node.name: int(node.name[1:]) for node in genotype.nodes if not node.name.startswith("h_new_")}
    for mixed, cells in zip(supernet.rnn.layers, network.rnn.layers, strict=True):
        for direction, cell in enumerate(cells):
            copy_cell(mixed, direction, cell, number)
    return network


def copy_cell(mixed: Any, direction: int, cell: RecipeCell, number: Mapping[str, int]) -> None:
    linear = [node for node in cell.genotype.nodes if node.op == LINEAR]
    weights, biases = iter(cell.weights), iter(cell.biases)
    for node in linear:
        i = number[node.name]
        next(biases).data = mixed.biases[direction, i].detach().clone()
        for source in node.inputs:
            if source == "x":
                weight = mixed.on_x[direction, i]
            elif source.startswith("h_prev_"):
                weight = mixed.on_states[direction, i, int(source[-1])]
            else:
                j = number[source]
                weight = mixed.on_nodes[j - 1][direction, i - j - 1]
            next(weights).data = weight.detach().clone()


CASES = {
    "one state": {},
    "two states, both given on, two layers": {"states": 2, "emit": "h0+h1", "n_layers": 2},
    "three states, forward, mean": {"states": 3, "bidirectional": False, "pooling": "mean", "n_layers": 2},
    "ten nodes": {"n_nodes": 10, "states": 2, "pooling": "statistics"},
    "three nodes": {"n_nodes": 3},
}


@pytest.mark.parametrize("case", CASES)
def test_one_hot_weights_give_the_output_of_the_derived_network(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mixed_recipe_cell, "LIMIT", np.inf)  # some recipes of the draw grow without bound
    space = space_of(**CASES[case])
    supernet, rng = supernet_of(space, OneHot()), np.random.default_rng(0)
    x, n_finite = 0.3 * torch.randn(B, *SHAPE), 0
    for _ in range(12):
        sample = any_sample(space, rng)
        put_sample(supernet, sample)
        genotype = space.genotype(sample)
        with torch.no_grad():
            theirs = copied_network(supernet, genotype)(x, LENGTHS)
            mixed, single = supernet(x, LENGTHS), supernet(x, LENGTHS, genotype)
        assert torch.allclose(single, theirs, atol=1e-10, rtol=1e-10, equal_nan=True)
        if torch.isfinite(mixed).all():  # a candidate without weight may overflow: 0 * inf
            assert torch.allclose(mixed, theirs, atol=1e-10, rtol=1e-10)
            n_finite += 1
    assert n_finite >= 10


def test_within_the_limit_the_limit_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    space = space_of(5)
    supernet, x = supernet_of(space), torch.randn(B, *SHAPE)
    found = []
    for limit in (LIMIT, np.inf):
        monkeypatch.setattr(mixed_recipe_cell, "LIMIT", limit)
        found.append([supernet(x, LENGTHS), supernet(x, LENGTHS, supernet.genotype())])
    assert torch.equal(found[0][0], found[1][0])
    assert torch.equal(found[0][1], found[1][1])


def test_the_gru_is_one_of_the_networks() -> None:
    space = space_of(4)
    supernet, gru = supernet_of(space, OneHot()), reference_recipe("gru").within(space.macro)
    put_sample(supernet, space.sample(gru))
    x = torch.randn(B, *SHAPE)
    assert supernet.genotype().recipe_hash == gru.recipe_hash
    theirs = copied_network(supernet, supernet.genotype())(x, LENGTHS)
    assert torch.allclose(supernet(x, LENGTHS), theirs, atol=1e-10, rtol=0)
    assert torch.allclose(supernet(x, LENGTHS, gru), theirs, atol=1e-10, rtol=0)


def test_a_step_mixes_inputs_and_operations_as_the_formula_says() -> None:
    supernet, x = supernet_of(THREE_NODES), torch.randn(B, 1, 5, 3)
    for alphas in supernet.arch_parameters():
        alphas.data = torch.randn_like(alphas)
    weights = {label: torch.softmax(supernet.alphas(label).detach(), -1) for label in THREE_NODES.choices()}
    assert torch.allclose(supernet(x), logits_by_formula(supernet, weights, x), atol=1e-12)


def test_choices_that_must_differ_move_on_and_keep_their_weight() -> None:
    one = torch.eye(4)
    assert torch.equal(moved_on([one[3], one[3], one[3]]), one[[3, 0, 1]])
    assert torch.equal(moved_on([one[0], one[1], one[0]]), one[[0, 1, 2]])
    soft = moved_on([torch.softmax(torch.randn(4), -1) for _ in range(3)])
    assert torch.allclose(soft.sum(-1), torch.ones(3))
    assert (soft >= 0).all()


@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_padded_batch_gives_each_clip_what_it_gets_alone(bidirectional: bool) -> None:
    supernet = supernet_of(space_of(states=2, n_layers=2, bidirectional=bidirectional))
    x = torch.randn(B, *SHAPE)
    together = supernet(x, LENGTHS)
    for clip, n in enumerate(LENGTHS.tolist()):
        assert torch.allclose(together[clip], supernet(x[clip : clip + 1, :, :, :n])[0], atol=1e-12, rtol=0)


def test_every_alpha_and_every_weight_gets_a_gradient() -> None:
    supernet = supernet_of(space_of(states=2, n_layers=2))
    supernet(torch.randn(B, *SHAPE), LENGTHS).square().sum().backward()
    for name, parameter in supernet.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


def test_the_gradient_of_the_alphas_agrees_with_finite_differences() -> None:
    supernet = supernet_of(space_of(3, states=2, hidden=2, bidirectional=False))
    x, names = torch.randn(1, 1, 5, 3), [name for name, _ in supernet.named_parameters() if name.startswith("alphas_")]

    def run(*alphas: Tensor) -> Tensor:
        return torch.func.functional_call(supernet, dict(zip(names, alphas, strict=True)), (x,))

    assert torch.autograd.gradcheck(
        run, [alphas.detach().requires_grad_() for alphas in supernet.arch_parameters()], fast_mode=True
    )


def test_states_stay_within_one_whatever_the_recipe_and_the_frames() -> None:
    space, rng = space_of(10, states=2, emit="h0+h1"), np.random.default_rng(0)
    supernet, x = supernet_of(space), 30 * torch.randn(B, *SHAPE)
    frames = x[:, 0].mT
    for _ in range(12):
        genotype = space.random(rng)
        alone = build_model(genotype, input_shape=SHAPE, n_classes=CLASSES)
        assert isinstance(alone, FrameNetwork)
        with torch.no_grad():
            for states in (alone.rnn(frames), supernet.rnn(frames, None, space.draft(genotype))):
                assert states.abs().max() <= 1
    assert supernet.rnn(frames, None, supernet.mixture()).abs().max() <= 1


def test_products_of_products_stay_finite_and_so_do_their_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    # each node the product of the two before: the exponents are Fibonacci's, the last is 610
    space = DartsRecurrentSpace(nodes={"max": 16}, macro={"hidden": 3, "bidirectional": False})
    sample = {label: options[0] for label, options in space.choices().items()}
    for i in range(2, 16):
        sample |= {f"n{i}_op": "elementwise_prod", f"n{i}_a": f"n{i - 1}", f"n{i}_b": f"n{i - 2}"}
    sample["n1_op"] = "elementwise_sum"
    supernet = supernet_of(space).to(torch.float32)
    put_sample(supernet, sample)
    for alphas in supernet.arch_parameters():
        alphas.data = (30 * alphas.data).float()
    x = 30 * torch.randn(B, 1, 5, 4, dtype=torch.float32)

    def is_finite() -> bool:
        supernet.zero_grad()
        supernet(x).square().sum().backward()
        return all(bool(torch.isfinite(p.grad).all()) for p in supernet.parameters() if p.grad is not None)

    assert is_finite()
    monkeypatch.setattr(mixed_recipe_cell, "LIMIT", np.inf)
    assert not is_finite(), "the case needs the limit"


def test_a_value_beyond_the_limit_is_cut_and_one_within_it_untouched() -> None:
    x = torch.tensor([-2 * LIMIT, -0.5 * LIMIT, 3.0, 2 * LIMIT], requires_grad=True)
    assert torch.equal(limited(x), torch.tensor([-LIMIT, -0.5 * LIMIT, 3.0, LIMIT]))
    limited(x).sum().backward()
    assert torch.equal(x.grad, torch.tensor([0.0, 1.0, 1.0, 0.0]))
    y = torch.ones(2, requires_grad=True)
    (limited_gradient(y) * torch.tensor([1e30, -7.0])).sum().backward()
    assert torch.equal(y.grad, torch.tensor([LIMIT, -7.0]))


def test_layers_and_directions_share_their_alphas() -> None:
    small, large = supernet_of(space_of()), supernet_of(space_of(n_layers=3))
    labels = list(small.space.choices())
    assert [len(alphas) for alphas in small.arch_parameters()] == [len(o) for o in small.space.choices().values()]
    assert len(large.arch_parameters()) == len(labels)
    assert "n1_a" not in labels, "there is one node to read: nothing to decide"


def test_the_supernet_has_as_many_weights_as_the_formula_says() -> None:
    # n nodes and S gates of h (i + S h + 1), a matrix for each pair of nodes but n0, in D directions; attention of 2h
    n, i, h, states, directions = 6, 5, 4, 2, 2
    cell = directions * ((n + states) * h * (i + states * h + 1) + (n - 1) * (n - 2) // 2 * h * h)
    attention, head = 8 * 9 + 8, 8 * 4 + 4 + 4 * CLASSES + CLASSES
    assert n_parameters(supernet_of(space_of(n, states=states))) == cell + attention + head


def test_derivation_keeps_the_strongest_and_what_is_free() -> None:
    space = space_of(4, states=2)
    supernet = supernet_of(space)
    sample = {label: options[0] for label, options in space.choices().items()} | {
        "n1_op": "elementwise_sum", "n2_op": "activation_tanh", "n2_a": "n1", "n3_op": "blend", "n3_a": "n2",
    }  # fmt: skip
    put_sample(supernet, sample)
    supernet.alphas("n1_b").data = torch.tensor([0.1, 0.3, 0.9])  # n0 is taken by a: h_prev_1 is next, not h_prev_0
    supernet.alphas("n3_b").data = torch.tensor([0.1, 0.2, 0.0, 0.4, 0.9])  # n2 is taken by a, n1 is next
    supernet.alphas("n3_c").data = torch.tensor([0.1, 0.3, 0.2, 0.8, 0.9])  # n2 and n1 are taken
    assert supernet.genotype().to_recipe() == {
        "n0": {"op": "linear", "input": ["x", "h_prev_0", "h_prev_1"]},
        "n1": {"op": "elementwise_sum", "input": ["n0", "h_prev_1"]},
        "n2": {"op": "activation_tanh", "input": ["n1"]},
        "n3": {"op": "blend", "input": ["n2", "n1", "h_prev_1"]},
        "n4": {"op": "linear", "input": ["x", "h_prev_0", "h_prev_1"]},
        "n5": {"op": "linear", "input": ["x", "h_prev_0", "h_prev_1"]},
        "n6": {"op": "activation_sigm", "input": ["n4"]},
        "n7": {"op": "activation_sigm", "input": ["n5"]},
        "n8": {"op": "activation_tanh", "input": ["n3"]},
        "n9": {"op": "activation_tanh", "input": ["n2"]},
        "h_new_0": {"op": "blend", "input": ["n6", "h_prev_0", "n8"]},
        "h_new_1": {"op": "blend", "input": ["n7", "h_prev_1", "n9"]},
    }
    margins = supernet.describe(SHAPE, CLASSES)["margins"]
    weights = torch.softmax(torch.tensor([0.1, 0.3, 0.2, 0.8, 0.9]), -1)
    c = weights[1] - weights[2]  # h_prev_1 against n0
    assert any(margin == pytest.approx(float(c)) for margin in margins["inputs"])
    assert {kind: len(found) for kind, found in margins.items()} == {"operations": 3, "inputs": 5}


def test_a_description_has_what_an_epoch_is_logged_with() -> None:
    space = space_of(5)
    supernet = supernet_of(space)
    found = supernet.describe(SHAPE, CLASSES)
    assert RecurrentGenotype.from_recipe(found["genotype"]).recipe_hash == supernet.genotype().recipe_hash
    network = build_model(supernet.genotype(), input_shape=SHAPE, n_classes=CLASSES)
    assert found["parameters"] == n_parameters(network)
    assert {*found["alphas"]["operations"], *found["alphas"]["inputs"]} == set(space.choices()) == set(found["options"])
    # alphas near 0: of 6 operations (a blend has nothing to read yet), then of 7
    assert found["entropy"]["operations"] == pytest.approx((np.log(6) + 3 * np.log(7)) / 4, abs=1e-4)


def test_alphas_begin_near_zero_and_follow_the_seed() -> None:
    drawn = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        drawn.append(torch.cat(supernet_of(space_of(8)).arch_parameters()))
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    assert 5e-4 < float(drawn[0].detach().std()) < 2e-3


def test_channels_are_averaged_or_stand_side_by_side() -> None:
    for channels, width in (("stack", 10), ("weighted_sum", 5)):
        space = space_of(channels=channels)
        supernet = RecurrentSupernet(space, space.macro, (2, 5, 7), CLASSES)
        assert supernet.rnn.layers[0].on_x.shape[-1] == width
        assert supernet(torch.randn(B, 2, 5, 7), LENGTHS).shape == (B, CLASSES)


def test_drop_connect_drops_weights_in_training_only() -> None:
    supernet = supernet_of(space_of(drop_connect=0.5))
    x = torch.randn(B, *SHAPE)
    assert not torch.equal(supernet(x), supernet(x))
    supernet.eval()
    assert torch.equal(supernet(x), supernet(x))


def test_frames_and_genotypes_that_do_not_fit_are_refused() -> None:
    supernet = supernet_of(space_of())
    with pytest.raises(SettingsError, match=r"this network expects 1 channel\(s\) of 5 features"):
        supernet(torch.randn(B, 1, 6, 7))
    with pytest.raises(SettingsError, match="lengths from 0 to 7, must be 1 to 7"):
        supernet(torch.randn(B, *SHAPE), torch.tensor([7, 3, 0]))
    with pytest.raises(GenotypeError, match="2 hidden states, expected 1"):
        supernet(torch.randn(B, *SHAPE), None, reference_recipe("lstm"))


def test_the_shipped_space_has_a_supernet() -> None:
    supernet = build_supernet(load_search_space("darts_rnn"), (1, 40, 12), 7)
    assert supernet(torch.randn(2, 1, 40, 12), torch.tensor([12, 5])).shape == (2, 7)
