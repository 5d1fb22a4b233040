"""Parts of a network whose inner results are not kept for the backward pass, but computed again in it.

Source: Chen et al. 2016, Training Deep Nets with Sublinear Memory Cost. The same numbers; forward passes twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint


def recomputed(work: Callable[..., Any], *arguments: Any, of: nn.Module) -> Any:
    """`work(*arguments)`, of which only arguments and results are kept; it must draw nothing.

    Args:
        of: where it runs. Its running statistics move once, not again in the backward pass; its parameters are
            constant there if they are so now.
    """
    steps = [parameter.requires_grad for parameter in of.parameters()]

    @contextmanager
    def again() -> Iterator[None]:
        now = [parameter.requires_grad for parameter in of.parameters()]
        with kept_buffers(of):
            _set_steps(of, steps)
            try:
                yield
            finally:
                _set_steps(of, now)

    def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), again()

    return checkpoint(work, *arguments, use_reentrant=False, preserve_rng_state=False, context_fn=contexts)


def _set_steps(of: nn.Module, steps: Sequence[bool]) -> None:
    for parameter, steps_now in zip(of.parameters(), steps, strict=True):
        parameter.requires_grad_(steps_now)


@contextmanager
def kept_buffers(network: nn.Module) -> Iterator[None]:
    """Whatever happens to buffers within is undone at the end."""
    buffers = list(network.buffers())
    kept = [buffer.clone() for buffer in buffers]
    try:
        yield
    finally:
        with torch.no_grad():
            for buffer, value in zip(buffers, kept, strict=True):
                buffer.copy_(value)


__all__ = ["kept_buffers", "recomputed"]
