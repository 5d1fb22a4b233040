"""Latency: which runs count, what is inside the time, and on how many threads."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import nn

from audionas.features import LogMel
from audionas.models.latency import Latency, measure_latency

SETTINGS = {"sample_rate_hz": 8000, "length_s": 0.5, "n_mels": 8, "frames": 8}


class Spied(LogMel):
    """Features that note the length of what they are given."""

    def __call__(self, waveform: np.ndarray) -> np.ndarray:
        seen.append(("features", len(waveform)))
        return super().__call__(waveform)


class Network(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        seen.append(("network", tuple(x.shape), torch.get_num_threads(), self.training, x.requires_grad))
        return x.mean(dim=(1, 2, 3))


seen: list[tuple[object, ...]] = []


def ticking(times_ms: list[float]) -> Iterator[float]:
    """What a clock says at the start and the end of runs that take so long."""
    now = 0.0
    for milliseconds in times_ms:
        yield now
        now += milliseconds / 1000
        yield now


def test_runs_that_warm_up_do_not_count_and_the_rest_gives_median_and_95th_percentile() -> None:
    warm_up, counted = [500.0, 300.0], [4.0, 1.0, 3.0, 2.0, 100.0]
    # a run that warms up asks the clock once
    clock = iter([0.0, 1.0, *ticking(counted)])
    found = measure_latency(Network(), LogMel(**SETTINGS), n_runs=5, n_warm_up=len(warm_up), clock=lambda: next(clock))
    assert found.median_ms == pytest.approx(3.0)
    # sorted 1 2 3 4 100: the 95th percentile lies at 0.95 * 4 = 3.8, so 4 + 0.8 * 96
    assert found.p95_ms == pytest.approx(4.0 + 0.8 * 96.0)
    assert (found.length_s, found.device, found.n_runs) == (0.5, "cpu", 5)


def test_the_real_time_factor_is_the_median_over_the_length_of_the_audio() -> None:
    found = Latency(median_ms=20.0, p95_ms=30.0, length_s=4.0, device="cpu", n_runs=7)
    assert found.real_time_factor == pytest.approx(0.020 / 4.0)
    assert found.as_record()["real_time_factor"] == pytest.approx(0.005)
    assert str(found) == (
        "latency median 20 ms, p95 30 ms for 4.00 s of audio (real-time factor 0.005); cpu, batch 1, one thread, "
        "features included, 7 runs"
    )


def test_each_run_makes_the_features_of_the_whole_length_and_classifies_one_clip_on_one_thread() -> None:
    seen.clear()
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        measure_latency(Network().train(), Spied(**SETTINGS), n_runs=2, n_warm_up=1)
        assert torch.get_num_threads() == 2, "the number of threads comes back"
    finally:
        torch.set_num_threads(before)
    assert seen == [("features", 4000), ("network", (1, 1, 8, 8), 1, False, False)] * 3


def test_a_slower_network_has_a_larger_latency() -> None:
    class Slow(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.linalg.matrix_power(torch.ones(300, 300), 64)[:1] + x.sum()

    fast = measure_latency(Network(), LogMel(**SETTINGS), n_runs=5, n_warm_up=1)
    slow = measure_latency(Slow(), LogMel(**SETTINGS), n_runs=5, n_warm_up=1)
    assert slow.median_ms > fast.median_ms
    assert fast.p95_ms >= fast.median_ms > 0
