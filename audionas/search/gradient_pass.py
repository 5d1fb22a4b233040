"""Forward and backward passes of a search; where it can be as CUDA graphs: one call starts thousands of small kernels.

A graph repeats what was captured, on the same memory: a batch is copied into the inputs of its shape, and gradients
and loss are found where they were at the capture. Steps of optimisers stay outside, so learning rates may change.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import torch
from torch import Tensor, nn

from audionas.errors import SettingsError
from audionas.kernels import tell
from audionas.models.recompute import kept_buffers
from audionas.search.sparing import Sparing
from audionas.training.batches import Batch
from audionas.training.ledger import count, uncounted

GRAPHS = "AUDIONAS_GRAPHS"
MOST_SHAPES = 4  # batches of an epoch differ by one clip; whoever has more shapes than this runs them uncaptured
WARM_UP = 3  # passes before a capture: libraries choose algorithms and make workspaces in them

Replay = Callable[[], Tensor]
Gradients = Callable[[Batch], Tensor]


class Runner(Protocol):
    """How a pass is repeated."""

    def capture(self, work: Replay, stepped: Sequence[nn.Parameter]) -> Replay:
        """What repeats `work`, which sets the gradients of `stepped` and returns the loss."""
        ...


def graphs_are_on() -> bool:
    """Whether passes are captured where they can be, as `AUDIONAS_GRAPHS` says.

    Raises:
        SettingsError: it is neither on nor off.
    """
    asked = os.environ.get(GRAPHS) or "on"
    if asked not in ("on", "off"):
        raise SettingsError(f"{GRAPHS}: got {asked!r}; accepted: on, off")
    return asked == "on"


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


class GradientPass:
    """A pass of one network: gradients of `stepped` and the loss of a batch, captured once for each shape of batches.

    Args:
        gradients: sets the gradients of `stepped` for a batch and returns the loss, without a gradient. To be captured
            it draws from torch's generators alone, and reads nothing on the host.
        runner: what captures; None: nothing is captured.
        sparing: what does a pass again where memory is short.
    """

    def __init__(
        self,
        gradients: Gradients,
        stepped: Sequence[nn.Parameter],
        network: nn.Module,
        runner: Runner | None,
        sparing: Sparing,
    ) -> None:
        self._gradients, self._stepped, self._network = gradients, stepped, network
        self._runner, self._sparing = runner, sparing
        self._known: dict[tuple[object, ...], tuple[list[Tensor | None], Replay]] = {}
        sparing.at_remedy.append(self._known.clear)  # graphs hold the memory of what is kept no longer

    def __call__(self, batch: Batch, begin: Callable[[], None] = lambda: None) -> Tensor:
        """The loss of a batch; the gradients of `stepped` are set. `begin` keys what a pass draws on the host."""
        with uncounted():
            found = self._replayed(batch) if self._runner else None
            if found is None:
                found = self._sparing(lambda: self._uncaptured(batch, begin))
        count(forward=len(batch[0]), backward=len(batch[0]))
        return found

    def _uncaptured(self, batch: Batch, begin: Callable[[], None]) -> Tensor:
        _forget(self._stepped)
        begin()
        with self._sparing.keeping():
            return self._gradients(batch)

    def _replayed(self, batch: Batch) -> Tensor | None:
        """The loss by what was captured, now or before; None where that cannot be."""
        shapes = tuple(None if each is None else (each.shape, each.dtype) for each in batch)
        if shapes not in self._known and len(self._known) < MOST_SHAPES and not self._sparing.on_host:
            self._capture(shapes, batch)
        if shapes not in self._known:
            return None
        inputs, replay = self._known[shapes]
        for own, given in zip(inputs, batch, strict=True):
            if own is not None and given is not None:
                own.copy_(given, non_blocking=True)
        return replay()

    def _capture(self, shapes: tuple[object, ...], batch: Batch) -> None:
        inputs = [None if each is None else each.clone() for each in batch]
        runner = self._runner
        assert runner is not None

        def captured() -> Replay | None:
            if self._sparing.on_host:
                return None
            with unchanged(self._network):
                return runner.capture(lambda: self._gradients(tuple(inputs)), self._stepped)  # type: ignore[arg-type]

        try:
            replay = self._sparing(captured)
        except RuntimeError as why:  # torch's, of whatever cannot be captured
            self._runner = None
            self._known.clear()
            reason = str(why).strip().splitlines()[0] if str(why).strip() else type(why).__name__
            tell(
                f"search: its passes cannot be captured as CUDA graphs ({reason}); they run uncaptured, which is slower"
            )
        else:
            if replay is not None:
                self._known[shapes] = inputs, replay


@contextmanager
def unchanged(network: nn.Module) -> Iterator[None]:
    """Within: whatever happens to buffers (running statistics) and generators is undone at the end."""
    device = next((buffer.device for buffer in network.buffers()), torch.device("cpu"))
    with kept_buffers(network), torch.random.fork_rng([device] if device.type == "cuda" else []):
        yield


def _forget(parameters: Sequence[nn.Parameter]) -> None:
    for parameter in parameters:
        parameter.grad = None


__all__ = ["EagerRunner", "GradientPass", "GraphRunner", "Runner", "graphs_are_on", "unchanged"]
