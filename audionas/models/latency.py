"""Latency of a network on one clip, as a user would wait for it: from the waveform to the logits.

One clip (batch 1) that fills the whole input, one thread of torch, after runs that warm up caches and allocators.
The time runs from the waveform in memory to the logits in memory, so features are part of it; reading and resampling
a file are not. The weights do not matter to the time and need not be trained.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from audionas.features import Extractor
from audionas.quantities import ms_text
from audionas.seeding import flush_denormals, generator

N_RUNS = 30
N_WARM_UP = 5


@dataclass(frozen=True)
class Latency:
    """Time of one clip: median and 95th percentile over `n_runs`, in ms; `length_s` is the clip's, in seconds."""

    median_ms: float
    p95_ms: float
    length_s: float
    device: str
    n_runs: int

    @property
    def real_time_factor(self) -> float:
        """Median time over the length of the audio: below 1 is faster than real time."""
        return self.median_ms / 1000 / self.length_s

    def as_record(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "median_ms": round(self.median_ms, 3), "p95_ms": round(self.p95_ms, 3),
            "real_time_factor": self.real_time_factor, "length_s": self.length_s, "device": self.device,
            "n_runs": self.n_runs, "threads": 1, "batch": 1, "includes_features": True,
        }  # fmt: skip

    def __str__(self) -> str:
        return (
            f"latency median {ms_text(self.median_ms)}, p95 {ms_text(self.p95_ms)} for {self.length_s:.2f} s of audio "
            f"(real-time factor {self.real_time_factor:.2g}); {self.device}, batch 1, one thread, features included, "
            f"{self.n_runs} runs"
        )


def measure_latency(
    network: nn.Module,
    extractor: Extractor,
    device: str = "cpu",
    *,
    n_runs: int = N_RUNS,
    n_warm_up: int = N_WARM_UP,
    clock: Callable[[], float] = time.perf_counter,
) -> Latency:
    """Time the features and the network on noise of the length of the network's input.

    Args:
        network: (1, *extractor.input_shape) float32 -> logits; comes back in eval mode, on `device`.
        extractor: resolved, so that it knows rate and length; it runs on the CPU, as in training.
    """
    network.to(device).eval()
    waveform = generator(0, "latency").normal(scale=0.1, size=extractor.length_samples).astype(np.float32)
    times = []
    with _one_thread(), torch.inference_mode():
        for run in range(n_warm_up + n_runs):
            started = clock()
            _classify(network, extractor, waveform, device)
            if run >= n_warm_up:
                times.append(1000 * (clock() - started))
    length_s = extractor.length_samples / extractor.rate_hz
    return Latency(float(np.median(times)), float(np.percentile(times, 95)), length_s, device, n_runs)


def _classify(network: nn.Module, extractor: Extractor, waveform: np.ndarray, device: str) -> None:
    features = extractor(waveform)[:, :, : extractor.input_shape[2]]
    network(torch.from_numpy(np.array(features))[None].to(device)).cpu()  # the copy back waits for a GPU


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    flush_denormals()
    try:
        yield
    finally:
        torch.set_num_threads(before)
