"""A recurrent recipe over a batch of sequences on a card, by Triton kernels that are made for the recipe.

The products of x, and the gradients of weights and of x, are large products of torch before and after the kernels. The
first use of a recipe's kernels is checked against the path in torch.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType
from typing import Any, cast

import torch
from torch import Tensor
from torch.nn.functional import linear

from audionas.kernels.loader import is_torch_only, tell
from audionas.kernels.recipe_plan import RecipePlan
from audionas.kernels.recipe_program import STATE, Program
from audionas.kernels.recipe_scan import Plain
from audionas.kernels.triton_recipe_source import RecipeKernels
from audionas.records import write_text
from audionas.run_places import cache_root

LEAST_CAPABILITY = (8, 0)
CLIPS_AT_ONCE = 16  # the least that a product of tiles takes
TOLERANCE = 5e-3  # of the first use, with products of 10 bits (tf32)


def can_run_on_card(x: Tensor, parameters: Sequence[Tensor]) -> bool:
    """Whether kernels can be made and serve: float32 on a card of compute capability 8.0 or more.

    On a CPU only under Triton's interpreter, as tests have it.
    """
    if is_torch_only() or x.numel() == 0 or any(each.dtype != torch.float32 for each in (x, *parameters)):
        return False
    if torch._C._are_functorch_transforms_active() or torch.compiler.is_compiling():
        return False
    if not (x.is_cuda or (x.is_cpu and _is_interpreting())) or not _has_triton():
        return False
    return not x.is_cuda or torch.cuda.get_device_capability(x.device) >= LEAST_CAPABILITY


def card_scan(
    plan: RecipePlan,
    x: Tensor,
    lengths: Tensor | None,
    biases: Sequence[Tensor],
    weights: Sequence[Tensor],
    plain: Callable[[Tensor | None], Plain],
) -> Tensor:
    """x (batch, frames, inputs) float32 -> emitted states, (batch, frames, states * hidden), 0 beyond a clip's length.

    Arguments as those of `recipe_scan`; every clip runs forwards. Gradients of gradients are not to be had.

    Args:
        plain: of lengths (or None, of all frames) what gives the same in torch.
    """
    kernels = kernels_of(plan)
    if not _is_right(kernels, x, biases, weights, plain(None)):
        return plain(lengths)(x, *biases, *weights)
    own = torch.full((len(x),), x.shape[1], device=x.device) if lengths is None else lengths
    given = (kernels, own.to(torch.int32), len(biases), x.contiguous(), *biases, *weights)
    return cast(Tensor, _CardScan.apply(*given))  # type: ignore[no-untyped-call]


@dataclass(frozen=True, eq=False)
class MadeKernels:
    """The kernels of a recipe, and the numbers of its values."""

    numbers: RecipeKernels
    module: ModuleType

    @property
    def program(self) -> Program:
        """The recipe."""
        return self.numbers.program


@lru_cache(maxsize=256)
def kernels_of(plan: RecipePlan) -> MadeKernels:
    """The kernels of a plan: their text is kept in the cache folder, for Triton reads functions from files."""
    numbers = RecipeKernels(plan.program, plan.n_emitted)
    name = f"recipe_{hashlib.sha256(numbers.text.encode()).hexdigest()[:16]}"
    path = cache_root() / "kernels" / "triton" / f"{name}.py"
    if not path.is_file() or path.read_text("utf-8") != numbers.text:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, numbers.text)
    spec = importlib.util.spec_from_file_location(f"audionas_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return MadeKernels(numbers, module)


class _CardScan(torch.autograd.Function):
    """All values of all frames are kept for the way back."""

    @staticmethod
    def forward(ctx: Any, kernels: MadeKernels, lengths: Tensor, n_biases: int, x: Tensor, *given: Tensor) -> Tensor:
        biases, weights = given[:n_biases], given[n_biases:]
        program, hidden = kernels.program, len(biases[0])
        n_clips, n_frames, _ = x.shape
        values = x.new_empty(kernels.numbers.n_values, n_frames, n_clips, hidden)
        _fill_linear(program, values, x, biases, weights)
        states = x.new_zeros(len(program.states), n_frames + 1, n_clips, hidden)
        turned = _stacked([_sum(weights, p.weights).t() for p in program.products], x, hidden)
        _launch(kernels.module.forward, (values, states, turned, lengths), n_clips, n_frames, hidden)
        ctx.save_for_backward(x, lengths, values, states, *given)
        ctx.kernels, ctx.n_biases = kernels, n_biases
        emitted = states[: kernels.numbers.n_emitted, 1:].permute(2, 1, 0, 3).reshape(n_clips, n_frames, -1)
        is_own = torch.arange(n_frames, device=x.device)[None, :] < lengths[:, None]
        return torch.where(is_own[:, :, None], emitted, 0.0)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, lengths, values, states, *given = ctx.saved_tensors
        kernels, biases, weights = ctx.kernels, given[: ctx.n_biases], given[ctx.n_biases :]
        program, hidden = kernels.program, len(biases[0])
        n_clips, n_frames, _ = x.shape
        received = gradients[0].unflatten(2, (kernels.numbers.n_emitted, hidden)).permute(2, 1, 0, 3).contiguous()  # type: ignore[no-untyped-call]
        own = _stacked([_sum(weights, p.weights) for p in program.products], x, hidden)
        of_linear = x.new_empty(len(program.linear), n_frames, n_clips, hidden)
        scratch = x.new_empty(max(len(program.operations), 1), n_clips, hidden)
        carry = x.new_zeros(len(program.states), n_clips, hidden)
        tensors = (values, states, own, lengths)
        _launch(kernels.module.backward, tensors, n_clips, n_frames, hidden, (received, of_linear, scratch, carry))
        of_x = _gradient_of_x(program, x, of_linear, weights) if ctx.needs_input_grad[3] else None
        found = _gradients(kernels, x, values, states, of_linear, biases, weights)
        return None, None, None, of_x, *found


def _fill_linear(
    program: Program, values: Tensor, x: Tensor, biases: Sequence[Tensor], weights: Sequence[Tensor]
) -> None:
    """What x and the bias give each linear node, in its block of values."""
    n_reading = program.n_reading
    if n_reading:
        on_x = torch.cat([_sum(weights, node.on_input) for node in program.linear[:n_reading]])
        bias = torch.cat([biases[node.bias] for node in program.linear[:n_reading]])
        given = linear(x, on_x, bias).unflatten(2, (n_reading, values.shape[3]))  # type: ignore[no-untyped-call]
        values[:n_reading].copy_(given.permute(2, 1, 0, 3))
    for slot in range(n_reading, len(program.linear)):
        values[slot] = biases[program.linear[slot].bias]


def _gradient_of_x(program: Program, x: Tensor, of_linear: Tensor, weights: Sequence[Tensor]) -> Tensor:
    total = torch.zeros_like(x)
    for own, node in zip(of_linear[: program.n_reading], program.linear, strict=False):
        total += (own @ _sum(weights, node.on_input)).transpose(0, 1)
    return total


def _gradients(
    kernels: MadeKernels, x: Tensor, values: Tensor, states: Tensor, of_linear: Tensor,
    biases: Sequence[Tensor], weights: Sequence[Tensor],
) -> list[Tensor]:  # fmt: skip
    """Of biases and weights, in their order: large products over all frames and clips."""
    program, numbers = kernels.program, kernels.numbers.number
    of_biases, of_weights = [torch.zeros_like(b) for b in biases], [torch.zeros_like(w) for w in weights]
    rows = of_linear.flatten(1, 2)
    for node, own in zip(program.linear, rows, strict=True):
        of_biases[node.bias] = own.sum(0)
    by_frame = x.transpose(0, 1).reshape(-1, x.shape[2])
    for slot, node in enumerate(program.linear[: program.n_reading]):
        found = rows[slot].t() @ by_frame
        for number in node.on_input:
            of_weights[number].copy_(found)
    for product in program.products:
        source = product.source
        is_state = source.startswith(STATE)
        read = states[program.states.index(source), :-1] if is_state else values[numbers[source]]
        found = rows[product.slot].t() @ read.reshape(-1, read.shape[2])
        for number in product.weights:
            of_weights[number].copy_(found)
    return [*of_biases, *of_weights]


def _launch(
    kernel: Any, tensors: Sequence[Tensor], n_clips: int, n_frames: int, hidden: int, more: Sequence[Tensor] = ()
) -> None:
    """One launch for all frames: (blocks of clips, programs that share a block's columns)."""
    n_blocks = -(-n_clips // CLIPS_AT_ONCE)
    width = min(64, max(16, 1 << (hidden - 1).bit_length()))
    n_split = _programs_for_a_block(tensors[0], n_blocks, hidden, width)
    counters = torch.zeros(n_blocks, dtype=torch.int32, device=tensors[0].device)
    kernel[(n_blocks, n_split)](
        *tensors, counters, *more, n_frames, n_clips, H=hidden, BB=CLIPS_AT_ONCE, BN=width, BK=width, N_SPLIT=n_split,
        PRECISION="tf32" if torch.backends.cuda.matmul.allow_tf32 else "ieee",
    )  # fmt: skip


def _programs_for_a_block(like: Tensor, n_blocks: int, hidden: int, width: int) -> int:
    """How many programs share the columns of some clips: one, unless `AUDIONAS_RECIPE_SPLIT` asks for more.

    They wait for each other, so all must be resident: at most one a processor of the card, and no more than tiles.
    """
    asked = int(os.environ.get("AUDIONAS_RECIPE_SPLIT", "1"))
    if asked <= 1 or not like.is_cuda:
        return 1
    processors = torch.cuda.get_device_properties(like.device).multi_processor_count
    return max(1, min(asked, -(-hidden // width), processors // n_blocks))


_checked: dict[str, bool] = {}


def _is_right(
    kernels: MadeKernels, x: Tensor, biases: Sequence[Tensor], weights: Sequence[Tensor], plain: Plain
) -> bool:
    """Whether the kernels serve, tried once a recipe."""
    name = kernels.module.__name__
    if not x.is_cuda or name in _checked:
        return _checked.get(name, True)
    reason = fault(kernels, x, biases, weights, plain)
    if reason:
        tell(f"recipe: its kernels for the card are not taken ({reason}); frames run one by one in torch, slower")
    _checked[name] = not reason
    return not reason


def fault(kernels: MadeKernels, x: Tensor, biases: Sequence[Tensor], weights: Sequence[Tensor], plain: Plain) -> str:
    """Why the kernels do not serve, found on the first frames of the first clips; nothing if they do."""
    some = x[:2, :3].detach().contiguous()
    own = torch.full((len(some),), some.shape[1], dtype=torch.int32, device=x.device)
    try:
        with torch.no_grad():
            found = _CardScan.apply(kernels, own, len(biases), some, *biases, *weights)  # type: ignore[no-untyped-call]
            expected = plain(some, *biases, *weights)
        apart = float((found - expected).norm() / expected.norm().clamp(min=1e-6))
    except Exception as why:  # noqa: BLE001  whatever a compiler says of a card that nobody has tried
        return str(why).strip().splitlines()[0] if str(why).strip() else type(why).__name__
    return "" if apart <= TOLERANCE else f"they are off by {apart:.1e}"


def _sum(weights: Sequence[Tensor], numbers: Sequence[int]) -> Tensor:
    own = [weights[number] for number in numbers]
    return sum(own[1:], own[0])


def _stacked(matrices: Sequence[Tensor], like: Tensor, hidden: int) -> Tensor:
    return torch.stack(list(matrices)).contiguous() if matrices else like.new_zeros(1, hidden, hidden)


def _is_interpreting() -> bool:
    return os.environ.get("TRITON_INTERPRET") == "1"


def _has_triton() -> bool:
    return importlib.util.find_spec("triton") is not None
