"""Memory of inference, counted: the network's weights, and the most bytes of tensors that are alive at one time.

Counted on torch's meta device, operation by operation, along the path in torch, for one clip that fills the whole
input: weights and buffers, the input, and every intermediate result from the operation that makes it until nothing
refers to it. So it is the same number on every machine. Not counted: scratch space within an operation (a
convolution's im2col, a library's workspace), the copy of a layer's weights that a compiled recurrent layer makes,
fragments of an allocator, features, and the interpreter with torch itself, which are hundreds of MB that no
architecture changes. Training needs more, as all intermediate results wait for the backward pass.
"""

from __future__ import annotations

import copy
import weakref
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


def inference_bytes(network: nn.Module, input_shape: Sequence[int]) -> int:
    """Bytes of weights, buffers and the tensors alive at the worst moment, for one clip, float32, in eval mode.

    Args:
        input_shape: (channels, features, frames), or (frames, features) for a recurrent network.
    """
    shapes_only = copy.deepcopy(network).to("meta").eval()
    held = sum(t.numel() * t.element_size() for t in (*shapes_only.parameters(), *shapes_only.buffers()))
    live = _LiveTensors()
    with torch.no_grad(), live:
        shapes_only(torch.empty(1, *input_shape, device="meta"))
    return held + live.peak


class _LiveTensors(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up the storages that operations make, as long as they live."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.peak = self._bytes = 0
        self._known: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = {id(leaf.untyped_storage()) for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)}
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, Tensor) and id(leaf.untyped_storage()) not in given:
                self._note(leaf.untyped_storage())
        self.peak = max(self.peak, self._bytes)
        return result

    def _note(self, storage: torch.UntypedStorage) -> None:
        key = id(storage)
        if key in self._known:
            return
        self._known.add(key)
        self._bytes += storage.nbytes()
        weakref.finalize(storage, self._forget, key, storage.nbytes())

    def _forget(self, key: int, n_bytes: int) -> None:
        self._known.discard(key)
        self._bytes -= n_bytes
