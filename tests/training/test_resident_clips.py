"""Batches that are gathered on a device are, bit for bit, those that are cut on the host."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from audionas.training import batches, resident_clips
from audionas.training.batches import Batch, ClipTensors, EpochBatches, Normaliser
from audionas.training.clip_copies import CopyTable
from audionas.training.resident_clips import SHARE, fits, one_device, trimmed_width
from audionas.training.scoring import score_rows
from audionas.training.tasks import TASKS
from tests.gpu import needs_gpu

MASKED = ("whole and masked", "cut and masked", "all windows")
RNG = np.random.default_rng(0)
RAGGED = [RNG.normal(size=(2, 3, n)).astype(np.float32) for n in (4, 7, 40, 10, 3, 5)]
EQUAL = [RNG.normal(size=(2, 3, 6)).astype(np.float32) for _ in range(6)]
NORMALISER = Normaliser.fit(RAGGED, range(6), "per_feature")
TARGETS = np.array([0, 1, 0, 1, 1, 0])
OWN = np.array([2, 7, 39, 10, 1, 5])

KINDS: dict[str, Callable[[], ClipTensors]] = {
    "whole": lambda: ClipTensors(EQUAL, TARGETS, NORMALISER, 6, "multi"),
    "whole and padded": lambda: ClipTensors(EQUAL, TARGETS, NORMALISER, 8, "multi"),
    "whole and masked": lambda: ClipTensors(EQUAL, TARGETS, NORMALISER, 6, "multi", np.array([1, 2, 3, 4, 5, 6])),
    "cut": lambda: ClipTensors(RAGGED, TARGETS, NORMALISER, 6, "multi"),
    "cut and masked": lambda: ClipTensors(RAGGED, TARGETS, NORMALISER, 6, "multi", OWN),
    "all windows": lambda: ClipTensors(RAGGED, TARGETS, NORMALISER, 6, "multi", OWN, train_shift=2),
    "copies": lambda: ClipTensors(
        [*RAGGED, RAGGED[2][:, :, 1:9]], TARGETS, NORMALISER, 6, "centre", None, CopyTable(6, (2,), 1)
    ),
}


@pytest.fixture
def _resident(monkeypatch: pytest.MonkeyPatch) -> None:
    """The CPU counts as a device to which clips are copied."""
    monkeypatch.setattr(batches, "is_resident_on", lambda _: True)


def epoch_of(tensors: ClipTensors, **more: Any) -> list[Batch]:
    settings = {"batch_size": 4, "seed": 0, "purpose": "test", "epoch": lambda: 3, "n_batches": 7, **more}
    return list(EpochBatches(tensors, range(6), np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]), **settings))


def assert_equal(found: list[Batch], expected: list[Batch]) -> None:
    assert len(found) == len(expected) > 0
    for one, other in zip(found, expected, strict=True):
        for a, b in zip(one, other, strict=True):
            assert (a is None) == (b is None)
            if a is not None and b is not None:
                assert (a.dtype, a.shape) == (b.dtype, b.shape)
                assert torch.equal(a.cpu(), b)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("more", [{}, {"balanced_sampling": True}, {"second": np.array([3, 4, 5, 6, 7, 8])}])
def test_batches_gathered_on_a_device_are_those_of_the_host(
    kind: str, more: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = epoch_of(KINDS[kind](), **more)
    monkeypatch.setattr(batches, "is_resident_on", lambda _: True)
    tensors = KINDS[kind]()
    assert tensors.resident("cpu") is not None
    assert_equal(epoch_of(tensors, **more), expected)


@pytest.mark.gpu
@needs_gpu
@pytest.mark.parametrize("kind", KINDS)
def test_batches_gathered_on_a_card_are_those_of_the_host(kind: str) -> None:
    found = epoch_of(KINDS[kind](), device="cuda")
    assert all(x.is_cuda and targets.is_cuda and weights.is_cuda for x, targets, weights, _ in found)
    assert_equal(found, epoch_of(KINDS[kind]()))


@pytest.mark.usefixtures("_resident")
@pytest.mark.parametrize("kind", KINDS)
def test_windows_taken_on_a_device_are_those_of_the_host(kind: str) -> None:
    tensors = KINDS[kind]()
    pairs = [(row, start) for row in range(6) for start in tensors.windows(row)]
    rows, starts = zip(*pairs, strict=True)
    resident = tensors.resident("cpu")
    assert resident is not None
    assert torch.equal(resident.take(torch.tensor(rows), torch.tensor(starts)), tensors.at(rows, starts)[0])


@pytest.mark.usefixtures("_resident")
@pytest.mark.parametrize("kind", ["whole and masked", "cut and masked"])
def test_a_batch_may_be_trimmed_to_its_longest_clip(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resident_clips, "WIDTH_STEP", 2)
    tensors = KINDS[kind]()
    whole, trimmed = (epoch_of(tensors, batch_size=2, n_batches=60, trims_padding=trims) for trims in (False, True))
    widths = [x.shape[3] for x, *_ in trimmed]
    assert len(set(widths)) > 1
    for (x, _, _, lengths), (y, _, _, same) in zip(whole, trimmed, strict=True):
        assert lengths is not None
        assert same is not None
        assert torch.equal(lengths, same)
        assert int(lengths.max()) <= y.shape[3] <= int(lengths.max()) + 1
        assert torch.equal(x[..., : y.shape[3]], y)


def test_clips_on_the_cpu_stay_where_they_are() -> None:
    assert KINDS["whole"]().resident("cpu") is None
    assert trimmed_width(1, 20) == 20
    assert str(one_device("cuda")) == "cuda:0", "one copy, however the card is named"


@pytest.mark.usefixtures("_resident")
def test_clips_that_do_not_fit_stay_on_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    needed: list[int] = []
    monkeypatch.setattr(resident_clips, "fits", lambda n_bytes, _: bool(needed.append(n_bytes)))
    tensors = KINDS["cut"]()
    assert tensors.resident("cpu") is None
    assert tensors.resident("cpu") is None
    assert needed == [sum(block.nbytes for block in RAGGED)], "asked once"
    assert len(epoch_of(tensors)) == 7


def test_half_of_the_free_memory_may_be_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """1000 bytes are free, and 300 more are this process's own and unused."""
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (1000, 4000))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _: 700)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _: 400)
    card = torch.device("cuda")
    assert SHARE == 0.5
    assert fits(650, card)
    assert not fits(651, card)
    assert fits(10**15, torch.device("meta"))
    monkeypatch.setattr(resident_clips, "_n_sharing", 1)
    resident_clips.share_device(5)
    assert fits(130, card)
    assert not fits(131, card)


@pytest.mark.usefixtures("_resident")
def test_clips_stay_on_the_host_where_another_process_was_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(resident_clips.ResidentClips, "frame_by_frame", full)
    assert KINDS["cut"]().resident("cpu") is None


def test_scoring_takes_fewer_clips_at_a_time_where_memory_is_short() -> None:
    class Short(Recorder):
        def forward(self, x: torch.Tensor, lengths: torch.Tensor | None = None) -> torch.Tensor:
            if len(x) > 2:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return super().forward(x, lengths)

    settings = KINDS["cut"](), [4, 0, 2], TASKS["classification"]
    expected = score_rows(Recorder(False), *settings, batch_size=9)
    np.testing.assert_allclose(score_rows(Short(False), *settings, batch_size=9), expected, rtol=1e-6)


@pytest.mark.usefixtures("_resident")
def test_another_process_does_not_get_what_lies_on_the_device() -> None:
    tensors = KINDS["cut"]()
    tensors.resident("cpu")
    assert pickle.loads(pickle.dumps(tensors))._resident == {}


class Recorder(torch.nn.Module):
    """Logits are sums over own frames; `widths` are those of the batches."""

    def __init__(self, trims: bool) -> None:
        super().__init__()
        self.trims_padding, self.widths = trims, list[int]()

    def forward(self, x: torch.Tensor, lengths: torch.Tensor | None = None) -> torch.Tensor:
        self.widths.append(x.shape[3])
        if lengths is not None:
            x = torch.where(torch.arange(x.shape[3]) < lengths[:, None, None, None], x, 0.0)
        return x.sum(dim=(1, 3))


@pytest.mark.parametrize("trims", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_scores_of_clips_on_a_device_are_those_of_the_host(
    kind: str, trims: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resident_clips, "WIDTH_STEP", 2)
    host, device = Recorder(trims), Recorder(trims)
    expected = score_rows(host, KINDS[kind](), [4, 0, 2], TASKS["classification"], batch_size=2)
    monkeypatch.setattr(batches, "is_resident_on", lambda _: True)
    found = score_rows(device, KINDS[kind](), [4, 0, 2], TASKS["classification"], batch_size=2)
    assert found.shape == (3, 3)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert (min(device.widths) < min(host.widths)) == (trims and kind in MASKED)
