"""Recurrent recipes against torch's own cells, against formulas written out, and against themselves alone."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from audionas.errors import SettingsError
from audionas.kernels import library
from audionas.models import n_parameters, recipe_cell
from audionas.models.recipe_cell import RecipeCell
from audionas.models.recipe_rnn import RecipeRnn
from audionas.ops.recurrent import LINEAR, RNN_OPS
from audionas.spaces.recurrent_genotype import RecurrentGenotype
from audionas.spaces.reference_recipes import reference_recipe

D, H, B, T = 5, 4, 3, 7
# torch stacks its gates in rows: which node of the recipe each is
LSTM_GATES = ("j", "f", "i", "o")
GRU_GATES = ("r", "z")


@pytest.fixture(autouse=True, params=["torch", "compiled"])
def _double(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> object:
    if request.param == "torch":
        monkeypatch.setattr(recipe_cell, "can_scan", lambda *_: False)
    elif library() is None:
        pytest.skip("no compiled kernels here")
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(0)
    yield
    torch.set_default_dtype(torch.float32)


def _put(cell: RecipeCell, node: str, source: str, weight: Tensor) -> None:
    linear = [(n.name, s) for n in cell.genotype.nodes if n.op == LINEAR for s in n.inputs]
    cell.weights[linear.index((node, source))].data.copy_(weight)


def _put_bias(cell: RecipeCell, node: str, bias: Tensor) -> None:
    linear = [n.name for n in cell.genotype.nodes if n.op == LINEAR]
    cell.biases[linear.index(node)].data.copy_(bias)


def _copy_lstm(cell: RecipeCell, torch_cell: nn.LSTM, suffix: str) -> None:
    parts = {name: getattr(torch_cell, f"{name}_{suffix}").detach().chunk(4) for name in ("weight_ih", "weight_hh")}
    biases = (getattr(torch_cell, f"bias_ih_{suffix}") + getattr(torch_cell, f"bias_hh_{suffix}")).detach().chunk(4)
    for gate, wx, wh, bias in zip(LSTM_GATES, parts["weight_ih"], parts["weight_hh"], biases, strict=True):
        _put(cell, gate, "x", wx)
        _put(cell, gate, "h_prev_0", wh)
        _put_bias(cell, gate, bias)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_lstm_recipe_equals_torchs_lstm_stacked_and_in_both_directions(bidirectional: bool) -> None:
    theirs = nn.LSTM(D, H, 2, batch_first=True, bidirectional=bidirectional)
    ours = RecipeRnn(reference_recipe("lstm"), D, H, 2, bidirectional=bidirectional)
    for layer, cells in enumerate(ours.layers):
        for direction, cell in enumerate(cells):
            _copy_lstm(cell, theirs, f"l{layer}" + ("_reverse" if direction else ""))
    x = torch.randn(B, T, D)
    assert torch.allclose(ours(x), theirs(x)[0], atol=1e-10, rtol=0)


def test_gru_reset_after_equals_torchs_gru() -> None:
    theirs, ours = nn.GRU(D, H, batch_first=True), RecipeRnn(reference_recipe("gru_reset_after"), D, H)
    cell = ours.layers[0][0]
    wx, wh = theirs.weight_ih_l0.detach().chunk(3), theirs.weight_hh_l0.detach().chunk(3)
    bx, bh = theirs.bias_ih_l0.detach().chunk(3), theirs.bias_hh_l0.detach().chunk(3)
    for k, gate in enumerate(GRU_GATES):
        _put(cell, gate, "x", wx[k])
        _put(cell, gate, "h_prev_0", wh[k])
        _put_bias(cell, gate, bx[k] + bh[k])
    _put(cell, "nx", "x", wx[2])
    _put_bias(cell, "nx", bx[2])
    _put(cell, "nh", "h_prev_0", wh[2])
    _put_bias(cell, "nh", bh[2])
    x = torch.randn(B, T, D)
    assert torch.allclose(ours(x), theirs(x)[0], atol=1e-10, rtol=0)


def test_rnn_recipe_equals_torchs_rnn() -> None:
    theirs, ours = nn.RNN(D, H, batch_first=True), RecipeRnn(reference_recipe("rnn"), D, H)
    cell = ours.layers[0][0]
    _put(cell, "f", "x", theirs.weight_ih_l0.detach())
    _put(cell, "f", "h_prev_0", theirs.weight_hh_l0.detach())
    _put_bias(cell, "f", (theirs.bias_ih_l0 + theirs.bias_hh_l0).detach())
    x = torch.randn(B, T, D)
    assert torch.allclose(ours(x), theirs(x)[0], atol=1e-10, rtol=0)


def _affine(cell: RecipeCell, node: str, **sources: Tensor) -> Tensor:
    linear = [(n.name, s) for n in cell.genotype.nodes if n.op == LINEAR for s in n.inputs]
    names = [n.name for n in cell.genotype.nodes if n.op == LINEAR]
    total = cell.biases[names.index(node)]
    for source, value in sources.items():
        total = total + value @ cell.weights[linear.index((node, source))].t()
    return total


def test_gru_recipe_equals_its_formula_with_the_reset_before_the_product() -> None:
    cell = RecipeCell(reference_recipe("gru"), D, H)
    x, h = torch.randn(B, D), torch.randn(B, H)
    r = torch.sigmoid(_affine(cell, "r", x=x, h_prev_0=h))
    z = torch.sigmoid(_affine(cell, "z", x=x, h_prev_0=h))
    candidate = torch.tanh(_affine(cell, "h_tilde", x=x, rh=r * h))
    (ours,) = cell.step(x, [h], cell.sequence_weights())
    assert torch.allclose(ours, z * h + (1 - z) * candidate, atol=1e-10, rtol=0)


def test_lstm_of_the_release_has_a_tanh_as_output_gate() -> None:
    cell = RecipeCell(reference_recipe("lstm_nbnlp"), D, H)
    x, h, c = torch.randn(B, D), torch.randn(B, H), torch.randn(B, H)
    i, j, f, o = (_affine(cell, gate, x=x, h_prev_0=h) for gate in "ijfo")
    new_c = torch.sigmoid(f) * c + torch.tanh(i) * torch.sigmoid(j)
    ours = cell.step(x, [h, c], cell.sequence_weights())
    assert torch.allclose(ours[1], new_c, atol=1e-10, rtol=0)
    assert torch.allclose(ours[0], torch.tanh(new_c) * torch.tanh(o), atol=1e-10, rtol=0)


@pytest.mark.parametrize("name", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_padded_batch_gives_each_clip_what_it_gets_alone(name: str, bidirectional: bool) -> None:
    network = RecipeRnn(reference_recipe(name), D, H, 2, bidirectional=bidirectional)
    x, lengths = torch.randn(B, T, D), torch.tensor([T, 4, 1])
    together = network(x, lengths)
    for clip, n in enumerate(lengths.tolist()):
        alone = network(x[clip : clip + 1, :n])
        assert torch.allclose(together[clip : clip + 1, :n], alone, atol=1e-12, rtol=0)
        assert torch.equal(together[clip, n:], torch.zeros_like(together[clip, n:]))


OP_RECIPES = {
    op: {
        "a": {"op": "linear", "input": ["x", "h_prev_0"]},
        "b": {"op": "linear", "input": ["x"]},
        "c": {"op": "linear", "input": ["h_prev_0"]},
        "h_new_0": {"op": op, "input": ["a", "b", "c"][: table.most or 3]},
    }
    for op, table in RNN_OPS.items()
}


@pytest.mark.parametrize("op", RNN_OPS)
def test_gradients_of_every_operation_agree_with_finite_differences(op: str) -> None:
    cell = RecipeCell(RecurrentGenotype.from_recipe(OP_RECIPES[op]), 3, 2)
    parameters = list(cell.parameters())

    def run(x: Tensor, *values: Tensor) -> Tensor:
        named = dict(zip([name for name, _ in cell.named_parameters()], values, strict=True))
        return torch.func.functional_call(cell, named, (x,))

    x = torch.randn(2, 3, 3, requires_grad=True)
    assert torch.autograd.gradcheck(run, (x, *parameters))


def test_three_inputs_fold_over_all_of_them() -> None:
    cell = RecipeCell(RecurrentGenotype.from_recipe(OP_RECIPES["elementwise_prod"]), D, H)
    x, h = torch.randn(B, D), torch.randn(B, H)
    a, b, c = _affine(cell, "a", x=x, h_prev_0=h), _affine(cell, "b", x=x), _affine(cell, "c", h_prev_0=h)
    assert torch.allclose(cell.step(x, [h], cell.sequence_weights())[0], a * b * c, atol=1e-12)


def test_parameters_are_drawn_from_plus_minus_one_over_the_root_of_hidden() -> None:
    cell = RecipeCell(reference_recipe("lstm"), 100, 64)
    values = torch.cat([p.detach().flatten() for p in cell.parameters()])
    bound = 1 / math.sqrt(64)
    assert values.abs().max() <= bound
    assert values.std() == pytest.approx(bound / math.sqrt(3), rel=0.02)
    assert all(bias.abs().max() > 0.5 * bound for bias in cell.biases), "biases are drawn too"


def test_drop_connect_drops_hidden_weights_only_and_in_training_only() -> None:
    cell = RecipeCell(reference_recipe("rnn"), 50, 50, drop_connect=0.5)
    on_x, on_h = cell.sequence_weights()
    assert torch.equal(on_x, cell.weights[0])
    assert (on_h == 0).double().mean() == pytest.approx(0.5, abs=0.05)
    kept = on_h != 0
    assert torch.allclose(on_h[kept], 2 * cell.weights[1][kept])
    cell.eval()
    assert torch.equal(cell.sequence_weights()[1], cell.weights[1])


@pytest.mark.parametrize(("name", "blocks", "biases"), [("rnn", 1, 1), ("gru", 3, 3), ("lstm", 4, 4)])
def test_counts_of_plain_recipes_are_those_of_the_formula(name: str, blocks: int, biases: int) -> None:
    """cell(i, h) = nx i h + nh h^2 + b h; known sizes: rnn 82,048, gru 246,144, lstm 328,192 at i = 512, h = 128."""
    known = {"rnn": 82_048, "gru": 246_144, "lstm": 328_192}[name]
    i, h = 512, 128
    assert known == blocks * (i * h + h * h) + biases * h
    torch.set_default_dtype(torch.float32)
    assert n_parameters(RecipeRnn(reference_recipe(name), i, h)) == known


def test_emitting_two_states_passes_both_on() -> None:
    network = RecipeRnn(reference_recipe("lstm"), D, H, 2, emit="h0+h1")
    assert network(torch.randn(B, T, D)).shape == (B, T, 2 * H)
    assert network.layers[1][0].n_inputs == 2 * H
    with pytest.raises(SettingsError, match="needs a recipe with two hidden states"):
        RecipeRnn(reference_recipe("gru"), D, H, emit="h0+h1")
    with pytest.raises(SettingsError, match=r"emit: got 'h1'; accepted: h0, h0\+h1"):
        RecipeRnn(reference_recipe("lstm"), D, H, emit="h1")


def test_states_do_not_go_on_through_the_padding() -> None:
    # h + h * h squared over and over overflows in the padding of a short clip: 0 * inf in its gradient is NaN
    recipe = {
        "l": {"op": "linear", "input": ["x"]},
        "square": {"op": "elementwise_prod", "input": ["h_prev_0", "h_prev_0"]},
        "h_new_0": {"op": "elementwise_sum", "input": ["l", "square"]},
    }
    rnn = RecipeRnn(RecurrentGenotype.from_recipe(recipe), 1, 1, 1, bidirectional=True)
    with torch.no_grad():
        for parameter in rnn.parameters():
            parameter.fill_(1.0)
    x = torch.zeros(2, 60, 1)
    x[0, :4] = 1.0
    x[1] = -1.0  # 1 * -1 + 1 = 0: the long clip stays at rest, the short one doubles its exponent every frame
    rnn(x, torch.tensor([4, 60])).sum().backward()
    for parameter in rnn.parameters():
        assert parameter.grad is not None
        assert torch.isfinite(parameter.grad).all()


def test_a_recipe_whose_linear_nodes_read_x_alone_runs() -> None:
    recipe = {"a": {"op": "linear", "input": ["x"]}, "h_new_0": {"op": "elementwise_sum", "input": ["a", "h_prev_0"]}}
    assert RecipeRnn(RecurrentGenotype.from_recipe(recipe), 3, 2)(torch.ones(1, 4, 3)).shape == (1, 4, 2)
