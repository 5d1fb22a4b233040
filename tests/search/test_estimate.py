"""Memory is counted before the first step, and a batch that does not fit is refused with one that does."""

from __future__ import annotations

import re
import weakref
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from audionas.errors import RunError
from audionas.kernels import as_on_card, library, torch_only, use_kernels
from audionas.models.mixing import BinaryGates, GumbelMixing, PartialMixing, PathMixing
from audionas.search import build_supernet, estimate
from audionas.search.estimate import check_memory, saved_bytes_per_clip, seconds_per_step
from audionas.spaces import CnnCellSpace, SearchSpace, load_search_space

GIB = 2**30
SHAPE = (1, 140, 140)
SEVERAL = CnnCellSpace(
    nodes=3, ops=("none", "skip_connect", "sep_conv_3x3", "dil_conv_5x5"), macro={"n_cells": 9, "channels": 4}
)
TINY = CnnCellSpace(nodes=1, ops=("none", "skip_connect", "sep_conv_3x3"), macro={"n_cells": 2, "channels": 2})


@pytest.fixture(scope="module")
def bytes_of_the_paper() -> int:
    return saved_bytes_per_clip(load_search_space("darts_cnn"), SHAPE, 4)


@pytest.fixture
def compiled() -> Iterator[None]:
    use_kernels(None, print)
    if library() is None:
        pytest.skip("no compiler")
    yield
    use_kernels("auto", print)


@pytest.mark.usefixtures("compiled")
def test_a_clip_keeps_a_third_of_what_the_release_of_darts_keeps(bytes_of_the_paper: int) -> None:
    # 6.49 GB of activations were measured at batch 16 with the code of the DARTS release
    assert 0.2 * 6.49e9 / 16 < bytes_of_the_paper < 6.49e9 / 16 / 3
    with torch_only():
        in_torch = saved_bytes_per_clip(load_search_space("darts_cnn"), SHAPE, 4)
    assert bytes_of_the_paper < in_torch < 0.6 * 6.49e9 / 16


@pytest.mark.usefixtures("compiled")
def test_on_a_card_what_joint_convolutions_keep_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (100 * GIB, 100 * GIB))
    have(monkeypatch, 100.0)
    space = load_search_space("darts_cnn")
    of_card, of_cpu = (check_memory(space, SHAPE, 4, 16, device) for device in ("cuda", "cpu"))
    with torch_only():
        in_torch = check_memory(space, SHAPE, 4, 16, "cpu")
    assert 1.1 * of_cpu < of_card < 0.7 * in_torch


def test_the_sizes_of_the_papers_fit_on_a_card() -> None:
    """64 clips within 12 GiB; of 8 cells of 16 channels within 40 GiB if they are computed again."""
    space = load_search_space("darts_cnn")
    macro = space.macro.model_copy(update={"n_cells": 8, "channels": 16})  # type: ignore[union-attr]
    large = space.model_copy(update={"macro": macro})
    with as_on_card():
        bytes_of_64 = [
            64 * estimate.OVERHEAD * saved_bytes_per_clip(each, SHAPE, 4, recomputes=recomputes)
            for each, recomputes in ((space, False), (large, False), (large, True))
        ]
    assert bytes_of_64[0] < 12 * GIB
    assert bytes_of_64[1] > 40 * GIB > bytes_of_64[2]


def test_the_count_is_what_autograd_really_keeps() -> None:
    shape = (1, 16, 20)
    network = build_supernet(TINY, input_shape=shape, n_classes=2)
    kept: dict[int, torch.UntypedStorage] = {}

    def note(saved: torch.Tensor) -> torch.Tensor:
        kept[saved.untyped_storage().data_ptr()] = saved.untyped_storage()
        return saved

    batch = 16
    with torch.autograd.graph.saved_tensors_hooks(note, lambda saved: saved):
        network(torch.randn(batch, *shape))
    weights = sum(p.numel() * 4 for p in network.parameters())
    real = sum(storage.nbytes() for storage in kept.values()) - weights
    assert saved_bytes_per_clip(TINY, shape, 2) == pytest.approx(real / batch, rel=0.25)


def test_single_paths_are_counted_with_the_largest_operation_of_each_edge() -> None:
    space = load_search_space("darts_cnn")
    whole = saved_bytes_per_clip(space, SHAPE, 4)
    for mixing in (GumbelMixing(), PathMixing()):
        one = saved_bytes_per_clip(space, SHAPE, 4, mixing)
        assert 0.1 * whole < one < 0.6 * whole
    two = saved_bytes_per_clip(space, SHAPE, 4, BinaryGates())
    assert one < two < whole
    assert saved_bytes_per_clip(space, SHAPE, 4, GumbelMixing(is_sparse=False)) >= whole


def test_a_part_of_the_channels_keeps_much_less() -> None:
    # of 6, 12 and 24 channels 2, 3 and 6 are mixed
    space = load_search_space("darts_cnn")
    assert saved_bytes_per_clip(space, SHAPE, 4, PartialMixing(4)) < 0.6 * saved_bytes_per_clip(space, SHAPE, 4)


def have(monkeypatch: pytest.MonkeyPatch, gib: float) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=gib * GIB))


def test_a_batch_that_does_not_fit_names_the_largest_that_does(
    monkeypatch: pytest.MonkeyPatch, bytes_of_the_paper: int
) -> None:
    space = load_search_space("darts_cnn")
    monkeypatch.setattr(
        estimate, "saved_bytes_per_clip", lambda *_network, recomputes: bytes_of_the_paper // (2 if recomputes else 1)
    )
    have(monkeypatch, 2.0)
    with pytest.raises(RunError) as error:
        check_memory(space, SHAPE, 4, 16, "cpu")
    found = re.fullmatch(
        r"a batch of 16 needs about ([\d.]+) GiB, 2\.0 GiB are free; the largest that fits is --batch-size (\d+); "
        r"--recompute keeps less and takes longer, with it a batch of (\d+) fits",
        str(error.value),
    )
    assert found
    kept = 16 * bytes_of_the_paper / GIB
    assert kept < float(found[1]) < 1.6 * kept + 1
    largest = int(found[2])
    assert check_memory(space, SHAPE, 4, largest, "cpu") <= 2.0 * GIB
    with pytest.raises(RunError):
        check_memory(space, SHAPE, 4, largest + 1, "cpu")
    fewer = int(found[3])
    assert fewer == min(16, 2 * largest + (fewer % 2))
    assert check_memory(space, SHAPE, 4, fewer, "cpu", recomputes=True) <= 2.0 * GIB


def test_where_nothing_fits_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    have(monkeypatch, 0.7)
    with pytest.raises(RunError, match="no batch fits; use a smaller space"):
        check_memory(load_search_space("darts_cnn"), SHAPE, 4, 16, "cpu")


def test_the_probe_of_time_draws_nothing_from_the_callers_chance() -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    assert seconds_per_step(TINY, (1, 8, 8), 2, 4) > 0
    assert torch.equal(torch.rand(3), expected)


def test_a_step_is_two_passes_of_the_fastest_probe() -> None:
    ticks = iter([0.0, 5.0, 5.0, 7.0])  # 5 s, then 2 s
    assert seconds_per_step(TINY, (1, 8, 8), 2, 4, clock=lambda: next(ticks)) == 2 * 2.0


def test_a_large_input_is_probed_with_two_clips_and_scaled_up(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    class Network(nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            seen.append(len(x))
            return super().forward(x)

    monkeypatch.setattr("audionas.search.estimate.build_supernet", lambda *_: Network(140, 1))
    ticks = iter([0.0, 4.0, 4.0, 7.0])  # 4 s, then 3 s
    assert seconds_per_step(TINY, SHAPE, 2, 16, clock=lambda: next(ticks)) == 2 * 3.0 * 16 / 2
    assert seen == [2, 2]


@pytest.mark.parametrize("space", [SEVERAL, load_search_space("darts_rnn")], ids=["cells", "recurrent"])
def test_what_is_kept_of_a_supernet_that_recomputes_is_counted(space: SearchSpace) -> None:
    shape, batch = (1, 16, 100), 2  # what is counted is a half of two clips and all weights
    network = build_supernet(space, input_shape=shape, n_classes=2)
    network.recomputes = True
    x = torch.randn(batch, *shape)
    with _Peak() as peak:
        network(x).sum().backward()
    assert saved_bytes_per_clip(space, shape, 2, recomputes=True) < 0.8 * saved_bytes_per_clip(space, shape, 2)
    estimated = saved_bytes_per_clip(space, shape, 2, recomputes=True) * estimate.OVERHEAD * batch
    weights = sum(parameter.numel() * 4 for parameter in network.parameters())
    assert 0.5 < (estimated - weights) / peak.bytes < 2


class _Peak(TorchDispatchMode):
    """The most bytes of tensors that are alive at one time, of those made within."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes = self._now = 0
        self._known: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(found):
            if isinstance(tensor, torch.Tensor):
                self._note(tensor.untyped_storage())
        self.bytes = max(self.bytes, self._now)
        return found

    def _note(self, storage: torch.UntypedStorage) -> None:
        if storage.data_ptr() not in self._known:
            self._known.add(storage.data_ptr())
            self._now += storage.nbytes()
            weakref.finalize(storage, self._forget, storage.data_ptr(), storage.nbytes())

    def _forget(self, key: int, n_bytes: int) -> None:
        self._known.discard(key)
        self._now -= n_bytes
