"""Triton kernels compiled for a card that is not here: Triton brings the whole compiler."""

from __future__ import annotations

import importlib
from collections.abc import Collection, Mapping
from typing import Any


def compiled_kernels(
    module: str, types: Mapping[str, str], numbers: Collection[str], kernels: Mapping[str, Mapping[str, Any]]
) -> dict[str, str]:
    """Assembly (PTX) of kernels for compute capability 9.0; the binary is made too.

    Args:
        types: of arguments by name, "" of all others.
        numbers: names of arguments that are int32.
        kernels: names, and the values of their constants.
    """
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    found = {}
    for name, constants in kernels.items():
        function = getattr(importlib.import_module(module), name)
        signature = {
            each: "constexpr" if each in constants else "i32" if each in numbers else types.get(each, types[""])
            for each in function.arg_names
        }
        places = {(function.arg_names.index(each),): value for each, value in constants.items()}
        source = ASTSource(fn=function, signature=signature, constexprs=places)
        made = triton.compile(source, target=GPUTarget("cuda", 90, 32))
        assert made.asm["cubin"]
        found[name] = made.asm["ptx"]
    return found
