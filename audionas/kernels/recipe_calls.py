"""The functions of `csrc/recipe_scan.cpp`, called with tensors."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
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


def packed(weights: Sequence[Tensor], is_transposed: bool) -> Tensor:
    """Weights (hidden, hidden) as the scan reads them, a row each; transposed for its way forward."""
    if not weights:
        return torch.empty(0)
    size_of, pack, _ = _functions(weights[0].dtype)
    hidden = len(weights[0])
    result = weights[0].new_empty(len(weights), size_of(hidden))
    for row, weight in zip(result, weights, strict=True):
        pack(weight.contiguous().data_ptr(), hidden, int(is_transposed), row.data_ptr())
    return result


def n_threads(rows: Rows) -> int:
    """How many threads share out the clips."""
    return min(torch.get_num_threads(), -(-rows.n_initial // CLIPS_OF_A_THREAD))


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
) -> None:
    """Run the plan over these frames, or, with `back` (carry, emitted), go back through them; in place.

    All tensors are contiguous. `biases` is (linear nodes, hidden), or with `back` the gradients to be added to,
    (n_threads, linear nodes, hidden). The others are (blocks, rows, hidden): `linear` and `kept` with the rows of these
    frames, `states` with the initial ones and those of all rows, `carry` with one a clip, `emitted` with all rows.
    """
    hidden = states.shape[2]
    blocks = plan.n_blocks(Buffer.PASSING if back is None else Buffer.GRADIENT)
    scratch = states.new_empty(blocks, rows.n_initial, hidden)
    carry, emitted = (scratch, scratch) if back is None else back
    buffers = (weights, biases, linear, kept, states, scratch, carry, emitted)
    run = _functions(states.dtype)[2]
    pointers = [tensor.data_ptr() for tensor in buffers]
    run(
        plan.table,
        rows.offsets.data_ptr(),
        rows.n_frames,
        *frames,
        hidden,
        n_threads(rows),
        int(back is not None),
        *pointers,
    )


@cache
def _functions(dtype: torch.dtype) -> tuple[Any, Any, Any]:
    kernels, name = library(), NAMES[dtype]
    size = getattr(kernels, f"audionas_recipe_packed_size_{name}")
    size.argtypes, size.restype = [_LONG], _LONG
    pack = getattr(kernels, f"audionas_recipe_pack_{name}")
    pack.argtypes, pack.restype = [_POINTER, _LONG, _INT, _POINTER], None
    run = getattr(kernels, f"audionas_recipe_scan_{name}")
    run.argtypes, run.restype = [_POINTER, _POINTER, *[_LONG] * 4, _INT, _INT, *[_POINTER] * 8], None
    return size, pack, run
