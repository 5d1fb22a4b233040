"""Spectrograms a second against librosa's loop, and a warm epoch out of the feature cache.

    PYTHONPATH=. python benchmarks/speed/features.py [--clips 5000]

The loop computes the same preset with librosa and numpy, clip by clip; outputs are compared first. The epoch reads so
many random 140x140 clips as a training does, in batches of 16 in a shuffled order: once as the training keeps them
(one tensor in memory), once straight from the memory-mapped file.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import librosa
import numpy as np
from paired import alternate, keep, ratio, ready

from audionas.features import load_features
from audionas.features.spectrogram import Spectrogram
from audionas.training.batches import ClipTensors, EpochBatches, Normaliser

SECONDS, RATE_HZ, N_CLIPS, POOL = 8.0, 16_000, 16, 4


def by_librosa(waveform: np.ndarray, of: Spectrogram) -> np.ndarray:
    """(1, 140, 140): magnitudes, their logarithm, means of four frames, the last of those that are left."""
    spectrum = np.abs(
        librosa.stft(
            waveform,
            n_fft=of.fft_samples,
            hop_length=of.hop_samples,
            win_length=of.window_samples,
            window=of.window,
            center=True,
            pad_mode="constant",
        )
    )
    logs = np.log(np.maximum(spectrum, of.floor))
    whole = logs.shape[1] // POOL * POOL
    means = logs[:, :whole].reshape(len(logs), -1, POOL).mean(axis=-1)
    return np.concatenate([means, logs[:, whole:].mean(axis=-1, keepdims=True)], axis=1)[None]


class Rows(Sequence[np.ndarray]):
    """Clips of a flat file, as a cache gives them."""

    def __init__(self, values: np.ndarray) -> None:
        self.values = values

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, row: int) -> np.ndarray:  # type: ignore[override]
        return np.asarray(self.values[row])


def epoch_of(values: np.ndarray, *, in_memory: bool) -> EpochBatches:
    """Batches over all clips; read from the file each time where they are not kept in memory."""
    from audionas.training import batches

    limit, batches.IN_MEMORY_BYTES = batches.IN_MEMORY_BYTES, batches.IN_MEMORY_BYTES if in_memory else 0
    rows, one = range(len(values)), np.ones((1, 1, 1), np.float32)
    tensors = ClipTensors(Rows(values), np.zeros(len(values), np.int64), Normaliser(0 * one, one), 140, "centre")
    batches.IN_MEMORY_BYTES = limit
    return EpochBatches(tensors, rows, np.ones(len(values)), batch_size=16, seed=0, purpose="speed", epoch=lambda: 0)


def read(epoch: EpochBatches) -> float:
    return sum(float(batch[0][0, 0, 0, 0]) for batch in epoch)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--clips", type=int, default=5000)
    parser.add_argument("--repeats", type=int, default=9)
    given = parser.parse_args()
    ready()
    extractor = load_features("emotionnas").resolve(RATE_HZ, [SECONDS])
    assert isinstance(extractor, Spectrogram)
    rng = np.random.default_rng(0)
    clips = [(0.1 * rng.normal(size=round(SECONDS * RATE_HZ))).astype(np.float32) for _ in range(N_CLIPS)]
    difference = max(float(np.abs(extractor(clip) - by_librosa(clip, extractor)).max()) for clip in clips)
    assert difference < 1e-3, difference
    jobs = {
        "audionas": lambda: [extractor(clip) for clip in clips],
        "librosa": lambda: [by_librosa(clip, extractor) for clip in clips],
    }
    times = alternate(jobs, given.repeats)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "clips.npy"
        stored = np.lib.format.open_memmap(file, mode="w+", dtype=np.float32, shape=(given.clips, 1, 140, 140))
        stored[:] = rng.normal(size=(1, 1, 140, 140)).astype(np.float32)
        kept = np.load(file, mmap_mode="r")
        epochs = {name: epoch_of(kept, in_memory=name == "epoch_in_memory") for name in EPOCHS}
        times |= alternate({name: partial(read, epoch) for name, epoch in epochs.items()}, 5)
    result = {
        "clips": N_CLIPS,
        "largest_difference": difference,
        "per_second": {name: N_CLIPS / times[name]["cpu_s"]["median"] for name in jobs},
        "epoch_clips": given.clips,
        "times": times,
        "ratios": {"librosa / audionas": ratio(times, "librosa", "audionas")},
    }
    path = keep("features", result)
    print(path, result["per_second"], result["ratios"], {name: times[name]["wall_s"]["median"] for name in EPOCHS})


EPOCHS = ("epoch_in_memory", "epoch_memory_mapped")

if __name__ == "__main__":
    main()
