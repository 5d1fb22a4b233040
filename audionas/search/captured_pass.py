"""Forward and backward passes of a search as CUDA graphs: one call starts the thousands of small kernels of a supernet.

A graph repeats what was captured, on the same memory: a batch is copied into the inputs of its shape, and gradients
and loss are found where they were at the capture. Steps of optimisers stay outside, so learning rates may change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import torch
from torch import Tensor, nn

from audionas.kernels import tell
from audionas.training.batches import Batch
from audionas.training.ledger import uncounted

MOST_SHAPES = 4  # batches of an epoch differ by one clip; whoever has more shapes than this runs them uncaptured
WARM_UP = 3  # passes before a capture: libraries choose algorithms and make workspaces in them

Replay = Callable[[], Tensor]
Gradients = Callable[[Batch], Tensor]


class Runner(Protocol):
    """How a pass is repeated."""

    def capture(self, work: Replay, stepped: Sequence[nn.Parameter]) -> Replay:
        """What repeats `work`, which sets the gradients of `stepped` and returns the loss."""
        ...


class GraphRunner:
    """By CUDA graphs, which share their memory: no two of them run at a time."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._pool = torch.cuda.graph_pool_handle()

    def capture(self, work: Replay, stepped: Sequence[nn.Parameter]) -> Replay:
        """Warm up beside the current stream, capture, and keep where loss and gradients stand."""
        with torch.cuda.device(self._device):
            beside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
            beside.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(beside):
                for _ in range(WARM_UP):
                    _forget(stepped)
                    work()
            torch.cuda.current_stream().wait_stream(beside)
            _forget(stepped)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, pool=self._pool):
                loss = work()
        gradients = [parameter.grad for parameter in stepped]

        def replay() -> Tensor:
            graph.replay()
            for parameter, gradient in zip(stepped, gradients, strict=True):
                parameter.grad = gradient
            return loss.clone()

        return replay


class EagerRunner:
    """By calling the pass: what a graph does, without one."""

    def capture(self, work: Replay, stepped: Sequence[nn.Parameter]) -> Replay:
        """Warm up as for a capture."""
        for _ in range(WARM_UP):
            _forget(stepped)
            work()

        def replay() -> Tensor:
            _forget(stepped)
            return work()

        return replay


class CapturedPass:
    """A pass of one network: gradients of `stepped` and the loss of a batch, captured once for each shape of batches.

    Args:
        gradients: sets the gradients of `stepped` for a batch and returns the loss, without a gradient; it draws from
            torch's generators alone, and reads nothing on the host.
    """

    def __init__(
        self, gradients: Gradients, stepped: Sequence[nn.Parameter], network: nn.Module, runner: Runner
    ) -> None:
        self._gradients, self._stepped, self._network, self._runner = gradients, stepped, network, runner
        self._is_refused = False
        self._known: dict[tuple[object, ...], tuple[list[Tensor | None], Replay]] = {}

    def __call__(self, batch: Batch) -> Tensor:
        """The loss of a batch; the gradients of `stepped` are set."""
        shapes = tuple(None if each is None else (each.shape, each.dtype) for each in batch)
        if shapes not in self._known and not (self._is_refused or len(self._known) == MOST_SHAPES):
            self._capture(shapes, batch)
        if shapes not in self._known:
            _forget(self._stepped)
            return self._gradients(batch)
        inputs, replay = self._known[shapes]
        for own, given in zip(inputs, batch, strict=True):
            if own is not None and given is not None:
                own.copy_(given, non_blocking=True)
        with uncounted():
            return replay()

    def _capture(self, shapes: tuple[object, ...], batch: Batch) -> None:
        inputs = [None if each is None else each.clone() for each in batch]
        try:
            with unchanged(self._network), uncounted():
                replay = self._runner.capture(lambda: self._gradients(tuple(inputs)), self._stepped)  # type: ignore[arg-type]
        except RuntimeError as why:  # torch's, of whatever cannot be captured, or of memory
            self._is_refused = True
            reason = str(why).strip().splitlines()[0] if str(why).strip() else type(why).__name__
            tell(
                f"search: its passes cannot be captured as CUDA graphs ({reason}); they run uncaptured, which is slower"
            )
        else:
            self._known[shapes] = inputs, replay


@contextmanager
def unchanged(network: nn.Module) -> Iterator[None]:
    """Within: whatever happens to buffers (running statistics) and generators is undone at the end."""
    buffers = list(network.buffers())
    kept = [buffer.clone() for buffer in buffers]
    device = next((buffer.device for buffer in buffers), torch.device("cpu"))
    cards = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(cards):
        yield
    for buffer, value in zip(buffers, kept, strict=True):
        buffer.copy_(value)


def _forget(parameters: Sequence[nn.Parameter]) -> None:
    for parameter in parameters:
        parameter.grad = None


__all__ = ["CapturedPass", "EagerRunner", "GraphRunner", "Runner", "unchanged"]
