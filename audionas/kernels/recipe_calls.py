"""The functions of `csrc/recipe_scan.cpp`, called with tensors."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor

from audionas.kernels.loader import library
from audionas.kernels.recipe_plan import Buffer, RecipePlan
from audionas.kernels.recipe_rows import Frames, Rows

NAMES = {torch.float32: "f32", torch.float64: "f64"}
CLIPS_OF_A_THREAD = 8
_POINTER, _LONG, _INT = ctypes.c_void_p, ctypes.c_int64, ctypes.c_int


@dataclass(frozen=True)
class Source:
    """What linear nodes read, values (..., width), and the gradients of their weights on it by the nodes' blocks.

    Row r is number `index`[r] of the values, or without an index number r.
    """

    values: Tensor
    index: Tensor | None
    targets: Sequence[tuple[int, Tensor]]

    @property
    def numbers(self) -> tuple[int, ...]:
        """As `Source` in `csrc/recipe_gradients.h`."""
        index = 0 if self.index is None else self.index.data_ptr()
        return self.values.data_ptr(), index, self.values.shape[-1], len(self.targets)


def packed(weights: Sequence[Tensor], is_transposed: bool) -> Tensor:
    """Weights (hidden, width) of one shape as products read them, a row each; transposed for the way forward."""
    if not weights:
        return torch.empty(0)
    n, depth = weights[0].shape
    depth, n = (depth, n) if is_transposed else (n, depth)
    dtype = weights[0].dtype
    size = _function("packed_size", dtype, _LONG, _LONG, result=_LONG)(depth, n)
    pack = _function("pack", dtype, _POINTER, _LONG, _LONG, _INT, _POINTER)
    result = weights[0].new_empty(len(weights), size)
    for row, weight in zip(result, weights, strict=True):
        pack(weight.contiguous().data_ptr(), depth, n, int(is_transposed), row.data_ptr())
    return result


def n_threads(rows: Rows) -> int:
    """How many threads share out the clips."""
    return min(torch.get_num_threads(), -(-rows.n_initial // CLIPS_OF_A_THREAD))


def input_products(rows: Rows, frames: Frames, x: Tensor, weights: Tensor, biases: Tensor, linear: Tensor) -> None:
    """Set the first blocks of `linear`, (blocks, rows, hidden): for each of the packed weights x times it, plus bias.

    Args:
        x: (batch, frames, inputs), contiguous.
        biases: (linear nodes, hidden), contiguous.
    """
    begin, end = rows.range(frames)
    width, n_slots, threads = x.shape[2], len(weights), torch.get_num_threads()
    gathered = x.new_empty(threads, _constant("rows_of_x"), width)
    run = _function("input_products", x.dtype, *[_LONG] * 4, _INT, *[_POINTER] * 6)
    index = rows.places[begin:end]
    pointers = [tensor.data_ptr() for tensor in (x, index, weights, biases, linear, gathered)]
    run(end - begin, width, linear.shape[2], n_slots, threads, *pointers)


def input_gradients(linear: Tensor, weights: Tensor, of_x: Tensor) -> None:
    """Set the gradient of x, (rows, inputs), from those of the linear nodes that read it, (blocks, rows, hidden).

    Args:
        weights: of these nodes on x, packed for the way back.
    """
    n_slots, n_rows, hidden = linear.shape
    run = _function("input_gradients", linear.dtype, *[_LONG] * 4, _INT, *[_POINTER] * 3)
    pointers = [tensor.data_ptr() for tensor in (linear, weights, of_x)]
    run(n_rows, of_x.shape[1], hidden, n_slots, torch.get_num_threads(), *pointers)


def add_gradients(linear: Tensor, sources: Sequence[Source], biases: Tensor, adds: bool) -> None:
    """Gradients of weights and biases from those of linear nodes, `linear`, (blocks, rows, hidden), contiguous.

    Args:
        biases: (blocks, hidden), added to.
        adds: weights' gradients are added to; else they are set.
    """
    n_slots, _, hidden = linear.shape
    threads, depth = torch.get_num_threads(), _constant("rows_of_a_sum")
    packed_linear = linear.new_empty(n_slots, depth, hidden)
    panels = linear.new_empty(threads, depth, _function("columns", linear.dtype, result=_LONG)())
    targets = [number for source in sources for slot, at in source.targets for number in (slot, at.data_ptr())]
    table = [number for source in sources for number in source.numbers]
    run = _function("gradients", linear.dtype, *[_LONG] * 3, _INT, _INT, *[_POINTER] * 2, _LONG, *[_POINTER] * 4)
    lists = [(_LONG * len(numbers))(*numbers) for numbers in (table, targets)]
    scratch = [tensor.data_ptr() for tensor in (biases, packed_linear, panels)]
    run(*linear.shape[1:], n_slots, threads, int(adds), linear.data_ptr(), lists[0], len(sources), lists[1], *scratch)


def scan(
    plan: RecipePlan,
    rows: Rows,
    frames: Frames,
    weights: Tensor,
    biases: Tensor,
    linear: Tensor,
    kept: Tensor,
    states: Tensor,
    back: tuple[Tensor, Tensor] | None = None,
    is_by_clip: bool = False,
) -> None:
    """Run the plan over these frames, or, with `back` (carry, emitted), go back through them; in place.

    All tensors are contiguous. `biases` is (linear nodes, hidden), and not read with `back`. The others are (blocks,
    rows, hidden): `linear` and `kept` with the rows of these frames, `states` with the initial ones and those of all
    rows, `carry` with one a clip, `emitted` with all rows; or, with `is_by_clip`, it is (batch, frames, hidden).
    """
    hidden = states.shape[2]
    blocks = plan.n_blocks(Buffer.PASSING if back is None else Buffer.GRADIENT)
    scratch = states.new_empty(blocks, rows.n_initial, hidden)
    carry, emitted = (scratch, scratch) if back is None else back
    buffers = (weights, biases, linear, kept, states, scratch, carry, emitted)
    run = _function("scan", states.dtype, _POINTER, _POINTER, *[_LONG] * 4, *[_INT] * 3, *[_POINTER] * 8)
    pointers = [tensor.data_ptr() for tensor in buffers]
    run(
        plan.table,
        rows.offsets.data_ptr(),
        rows.n_frames,
        *frames,
        hidden,
        n_threads(rows),
        int(back is not None),
        int(is_by_clip),
        *pointers,
    )


@cache
def _function(name: str, dtype: torch.dtype, *arguments: Any, result: Any = None) -> Any:
    function = getattr(library(), f"audionas_recipe_{name}_{NAMES[dtype]}")
    function.argtypes, function.restype = list(arguments), result
    return function


@cache
def _constant(name: str) -> int:
    function = getattr(library(), f"audionas_recipe_{name}")
    function.argtypes, function.restype = [], _LONG
    return int(function())
