"""The compiled recipe is the plain one: outputs and all gradients, whatever the recipe, the sizes and the lengths."""

from __future__ import annotations

import copy
import math
import pickle

import pytest
import torch
from torch import Tensor, nn

from audionas.kernels import recipe_pieces, recipe_scan
from audionas.models import recipe_cell
from audionas.models.recipe_cell import RecipeCell
from audionas.models.recipe_rnn import RecipeRnn
from audionas.ops.recurrent import RNN_OPS
from audionas.spaces.recipe_generator import generate_recipe
from audionas.spaces.reference_recipes import reference_recipe
from tests.kernels.recipes import SPECIAL, Case, furthest, gradients, random_case, recipe

pytestmark = pytest.mark.usefixtures("compiled", "scanned")


@pytest.fixture
def scanned(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A number for each call of the compiled path."""
    calls: list[int] = []
    inner = recipe_cell.recipe_scan

    def counted(*args: object, **kwargs: object) -> Tensor:
        calls.append(1)
        return inner(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(recipe_cell, "recipe_scan", counted)
    return calls


@pytest.mark.parametrize("seed", range(40))
def test_a_random_recipe_equals_the_plain_one(seed: int, scanned: list[int]) -> None:
    case = random_case(seed)
    assert furthest(gradients(case, case.compiled), gradients(case, case.plain)) < 1e-10
    assert len(scanned) == 1


@pytest.mark.parametrize("name", SPECIAL)
@pytest.mark.parametrize("lengths", [None, [4, 6, 1]])
def test_a_recipe_that_is_never_drawn_equals_the_plain_one(name: str, lengths: list[int] | None) -> None:
    torch.manual_seed(0)
    cell = RecipeCell(SPECIAL[name], 3, 5).double()
    x = torch.randn(3, 6, 3, dtype=torch.float64, requires_grad=True)
    emit = "h0+h1" if cell.genotype.n_states > 1 else "h0"
    case = Case(cell, x, None if lengths is None else torch.tensor(lengths), emit)
    assert furthest(gradients(case, case.compiled), gradients(case, case.plain)) < 1e-10


@pytest.mark.parametrize("lengths", [None, [17, 1, 9, *range(1, 18)]])
def test_rows_inputs_and_hidden_beyond_what_is_taken_at_once_equal_the_plain_ones(lengths: list[int] | None) -> None:
    torch.manual_seed(0)
    cell = RecipeCell(generate_recipe(8, 2, 14), 300, 67).double()
    x = torch.randn(20, 17, 300, dtype=torch.float64, requires_grad=True)
    case = Case(cell, x, None if lengths is None else torch.tensor(lengths))
    assert furthest(gradients(case, case.compiled), gradients(case, case.plain)) < 1e-10


def test_an_input_whose_numbers_lie_apart_gives_the_same() -> None:
    case = random_case(0)
    apart = case.x.detach().transpose(0, 2).contiguous().transpose(0, 2).requires_grad_()
    assert not apart.is_contiguous()
    other = Case(case.cell, apart, case.lengths, case.emit, case.is_reversed)
    assert furthest(gradients(other, other.compiled), gradients(case, case.compiled)) < 1e-14


@pytest.mark.parametrize("threads", [1, 2])
def test_a_gradient_frame_by_frame_or_clip_by_clip_gives_the_same(
    threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    torch.manual_seed(0)
    cell = RecipeCell(generate_recipe(9, 2, 14), 5, 7).double()
    x, given = torch.randn(20, 6, 5, dtype=torch.float64), torch.randn(20, 6, 7, dtype=torch.float64)
    by_frame = given.transpose(0, 1).contiguous().transpose(0, 1)
    assert given.is_contiguous()
    assert not by_frame.is_contiguous()
    found = [torch.autograd.grad(cell(x), tuple(cell.parameters()), each) for each in (given, by_frame)]
    assert all(torch.equal(one, other) for one, other in zip(*found, strict=True))


@pytest.mark.parametrize("seed", range(0, 40, 3))
def test_float32_is_as_far_from_float64_as_torch_is(seed: int) -> None:
    exact = random_case(seed)
    case = Case(
        copy.deepcopy(exact.cell).float(), exact.x.detach().float().requires_grad_(), exact.lengths, exact.emit,
        exact.is_reversed,
    )  # fmt: skip
    truth = [tensor.float() for tensor in gradients(exact, exact.plain)]
    assert furthest(gradients(case, case.compiled), truth) < 1e-4


@pytest.mark.parametrize("op", RNN_OPS)
def test_gradients_of_every_operation_are_finite_differences(op: str) -> None:
    names = " ".join(["a", "b", "c"][: RNN_OPS[op].most or 3])
    cell = RecipeCell(recipe(a="linear x h_prev_0", b="linear x", c="linear h_prev_0", h_new_0=f"{op} {names}"), 3, 2)
    cell.double()
    parameters = [p.detach().requires_grad_() for p in cell.parameters()]
    names_of = [name for name, _ in cell.named_parameters()]

    def run(x: Tensor, *values: Tensor) -> Tensor:
        return torch.func.functional_call(cell, dict(zip(names_of, values, strict=True)), (x,))  # type: ignore[no-any-return]

    x = torch.randn(2, 3, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(run, (x, *parameters))
    assert torch.autograd.gradgradcheck(run, (x, *parameters))


@pytest.mark.parametrize(("name", "theirs"), [("lstm", nn.LSTM), ("gru_reset_after", nn.GRU), ("rnn", nn.RNN)])
def test_known_cells_have_torchs_gradients(name: str, theirs: type[nn.RNNBase]) -> None:
    torch.manual_seed(0)
    other = theirs(6, 5, batch_first=True).double()
    cell = RecipeCell(reference_recipe(name), 6, 5).double()
    x = torch.randn(4, 9, 6, dtype=torch.float64, requires_grad=True)
    weighting = torch.randn(4, 9, 5, dtype=torch.float64)
    _share(name, cell, other)
    ours, theirs_of_x = (torch.autograd.grad((run(x) * weighting).sum(), x)[0] for run in (cell, lambda x: other(x)[0]))
    assert torch.allclose(ours, theirs_of_x, atol=1e-10, rtol=0)


def _share(name: str, cell: RecipeCell, other: nn.RNNBase) -> None:
    """Copy torch's weights; its gates stand in the order of its documentation."""
    gates = {"lstm": ["i", "f", "j", "o"], "gru_reset_after": ["r", "z", "n"], "rnn": ["f"]}[name]
    gates = ["j", "f", "i", "o"] if name == "lstm" else gates
    on_x = dict(zip(gates, other.weight_ih_l0.detach().chunk(len(gates)), strict=True))
    on_h = dict(zip(gates, other.weight_hh_l0.detach().chunk(len(gates)), strict=True))
    bias_x = dict(zip(gates, other.bias_ih_l0.detach().chunk(len(gates)), strict=True))
    bias_h = dict(zip(gates, other.bias_hh_l0.detach().chunk(len(gates)), strict=True))
    weights, biases = iter(cell.weights), iter(cell.biases)
    for node in cell.genotype.nodes:
        if node.op != "linear":
            continue
        gate = node.name[0] if node.name in ("nx", "nh") else node.name
        for source in node.inputs:
            next(weights).data.copy_((on_x if source == "x" else on_h)[gate])
        parts = {"x": bias_x[gate], "h_prev_0": bias_h[gate]}
        next(biases).data.copy_(torch.stack([parts[source] for source in node.inputs]).sum(0))


def test_drop_connect_takes_the_same_mask_on_both_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    cell = RecipeCell(generate_recipe(3), 4, 7, drop_connect=0.4).double()
    case = Case(cell, torch.randn(3, 6, 4, dtype=torch.float64, requires_grad=True))
    torch.manual_seed(5)
    ours = gradients(case, case.compiled)
    monkeypatch.setattr(recipe_cell, "can_scan", lambda *_: False)
    torch.manual_seed(5)
    assert furthest(ours, gradients(case, case.compiled)) < 1e-10
    torch.manual_seed(6)
    assert furthest(ours, gradients(case, case.compiled)) > 1e-3, "there is a mask"


@pytest.mark.parametrize("is_reversed", [False, True])
def test_what_stands_in_the_padding_changes_nothing(is_reversed: bool) -> None:
    case = random_case(2)
    cell, lengths = RecipeCell(generate_recipe(4), 4, 9).double(), torch.tensor([2, 7, 5])
    x = torch.randn(3, 7, 4, dtype=torch.float64)
    clean, dirty = x.clone(), x.clone()
    for clip, n in enumerate(lengths.tolist()):
        clean[clip, n:], dirty[clip, n:] = 0.0, math.nan
    found = []
    for given in (clean, dirty):
        case = Case(cell, given.requires_grad_(), lengths, is_reversed=is_reversed)
        found.append(gradients(case, case.compiled))
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))
    for clip, n in enumerate(lengths.tolist()):
        assert found[1][1][clip, n:].eq(0).all(), "no gradient for the padding"
        alone = cell(x[clip : clip + 1, :n], is_reversed=is_reversed)
        assert torch.allclose(found[1][0][clip, :n], alone[0], atol=1e-12, rtol=0)


def test_clips_without_frames_are_zero() -> None:
    cell, x = RecipeCell(generate_recipe(4), 4, 9), torch.randn(3, 5, 4)
    some = cell(x, torch.tensor([0, 5, 0]))
    assert torch.equal(some[0], torch.zeros(5, 9))
    assert torch.allclose(some[1], cell(x[1:2])[0], atol=1e-6)


def test_a_batch_without_frames_has_no_gradients() -> None:
    case = Case(RecipeCell(generate_recipe(4), 4, 9), torch.randn(2, 5, 4, requires_grad=True), torch.tensor([0, 0]))
    assert all(found.eq(0).all() for found in gradients(case, case.compiled))


@pytest.mark.parametrize("seed", [0, 5, 11])
def test_what_is_computed_again_is_the_same_to_the_last_bit(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    case = random_case(seed, torch.float32)
    monkeypatch.setattr(recipe_pieces, "ROWS_OF_A_PIECE", 8)
    kept = gradients(case, case.compiled)
    monkeypatch.setattr(recipe_scan, "MOST_KEPT_BYTES", 0)
    assert all(torch.equal(a, b) for a, b in zip(kept, gradients(case, case.compiled), strict=True))


def test_a_second_reverse_pass_gives_the_same() -> None:
    case = random_case(8)
    loss = case.compiled().square().sum()
    first, second = (torch.autograd.grad(loss, [case.x, *case.cell.parameters()], retain_graph=True) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_pieces_of_any_size_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    case = random_case(0)
    assert case.x.shape[1] > 3
    whole = gradients(case, case.compiled)
    monkeypatch.setattr(recipe_pieces, "ROWS_OF_A_PIECE", 1)
    assert furthest(gradients(case, case.compiled), whole) < 1e-10


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_threads_change_nothing(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    cell = RecipeCell(reference_recipe("lstm"), 12, 40).to(dtype)
    lengths = torch.tensor([9, 3, 3, 20, 20, 1, 14, 8, 8, 2, 20, 17, 5, 6, 7, 20, 20, 11])
    case = Case(cell, torch.randn(18, 20, 12, dtype=dtype, requires_grad=True), lengths)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = gradients(case, case.compiled)
        torch.set_num_threads(2)
        two, again = gradients(case, case.compiled), gradients(case, case.compiled)
    finally:
        torch.set_num_threads(before)
    assert furthest(two, one) < (1e-10 if dtype == torch.float64 else 1e-5)
    assert all(torch.equal(a, b) for a, b in zip(two, again, strict=True)), "and the same threads the same bits"


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("op", ["activation_tanh", "activation_sigm", "activation_leaky_relu"])
def test_activations_are_torchs_from_end_to_end(op: str, dtype: torch.dtype) -> None:
    cell = RecipeCell(recipe(a="linear x", b=f"{op} a", h_new_0="elementwise_sum b b"), 1, 1).to(dtype)
    with torch.no_grad():
        cell.weights[0].fill_(1.0)
        cell.biases[0].fill_(0.0)
    ends = torch.tensor([math.nan, math.inf, -math.inf, 0.0, -0.0, 1e-30, 1e4, -1e4, 1e30, -1e30], dtype=dtype)
    x = torch.cat([ends, torch.linspace(-100, 100, 4001, dtype=dtype), torch.logspace(-8, 0, 500, dtype=dtype)])
    ours = cell(x.view(1, -1, 1)).detach().flatten()
    theirs = 2 * RNN_OPS[op].apply([x])  # type: ignore[misc]
    rtol, atol = 8 * torch.finfo(dtype).eps, 4 * torch.finfo(dtype).tiny
    assert torch.allclose(ours, theirs, rtol=rtol, atol=atol, equal_nan=True)


def test_a_candidate_that_grows_without_bound_ends_in_what_is_not_finite() -> None:
    cell = RecipeCell(recipe(a="linear x h_prev_0", b="elementwise_prod a a", h_new_0="elementwise_prod b b"), 2, 3)
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.fill_(3.0)
    outputs = cell(torch.ones(2, 30, 2))
    assert not outputs[:, -1].isfinite().any()
    outputs.sum().backward()
    assert not cell.weights[0].grad.isfinite().all()  # type: ignore[union-attr]


def test_denormals_are_flushed_within() -> None:
    cell = RecipeCell(recipe(a="linear x", b="linear h_prev_0", h_new_0="elementwise_sum a b"), 1, 1)
    with torch.no_grad():
        for parameter, value in zip(cell.parameters(), (1.0, 0.5, 0.0, 0.0), strict=True):
            parameter.fill_(value)
    x = torch.zeros(1, 140, 1)
    x[0, 0] = 1.0
    torch.set_flush_denormal(False)
    halved = cell(x).detach().flatten()
    assert halved[125] == 2.0**-125, "normal numbers are exact"
    assert halved[130] == 0.0, "2^-130 would be denormal"


def test_only_gradients_that_are_wanted_are_computed() -> None:
    cell, x = RecipeCell(reference_recipe("lstm"), 3, 4), torch.randn(2, 5, 3)
    for parameter in cell.parameters():
        parameter.requires_grad_(False)
    cell.biases[2].requires_grad_(True)
    cell(x).sum().backward()
    assert x.grad is None
    assert [p.grad is not None for p in cell.parameters()] == [p is cell.biases[2] for p in cell.parameters()]
    with torch.no_grad():
        assert not cell(x).requires_grad


def test_a_cell_can_be_copied_and_sent_to_another_process() -> None:
    network, x = RecipeRnn(generate_recipe(2), 3, 4, 2, bidirectional=True), torch.randn(2, 5, 3)
    outputs = network(x)
    assert torch.equal(copy.deepcopy(network)(x), outputs)
    assert torch.equal(pickle.loads(pickle.dumps(network))(x), outputs)
    assert {name.split(".")[3] for name in network.state_dict()} == {"weights", "biases"}


def test_torch_takes_what_compiled_code_cannot(scanned: list[int]) -> None:
    cell, x = RecipeCell(generate_recipe(2), 3, 4), torch.randn(2, 5, 3)
    expected = cell(x)
    assert len(scanned) == 1
    assert copy.deepcopy(cell).to("meta")(x.to("meta")).shape == expected.shape
    assert cell.to(torch.bfloat16)(x.bfloat16()).dtype == torch.bfloat16
    cell.float()
    mapped = torch.func.vmap(lambda clip: cell(clip[None])[0])(x)
    assert torch.allclose(mapped, expected, atol=1e-2), "bfloat16 has left 8 bits of the weights"
    gradient = torch.func.grad(lambda given: cell(given).sum())(x)
    assert gradient.isfinite().all()
    assert len(scanned) == 1
