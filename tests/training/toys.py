"""Toy data for tests of training: two classes told apart by the mean of their features."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from audionas.audio.manifest import Clip, Manifest
from audionas.training.batches import ClipTensors, Normaliser


def toy_features(n: int = 24, frames: int = 12, seed: int = 0) -> list[np.ndarray]:
    """n blocks (1, 8, frames); odd rows lie 2 higher in the upper half of the features."""
    rng = np.random.default_rng(seed)
    blocks = [rng.normal(size=(1, 8, frames)).astype(np.float32) for _ in range(n)]
    for row in range(1, n, 2):
        blocks[row][:, 4:] += 2.0
    return blocks


def toy_tensors(n: int = 24, frames: int = 12) -> ClipTensors:
    """The features of `toy_features`, normalised, with their targets."""
    features = toy_features(n, frames)
    return ClipTensors(features, np.arange(n) % 2, Normaliser.fit(features, range(n), "global"), frames, "centre")


def toy_manifest(n: int = 24, labels: tuple[str, str] = ("even", "odd")) -> Manifest:
    """n clips of n // 2 speakers."""
    clips = [
        Clip(f"{i}.wav", labels[i % 2], f"s{i // 2}", clip=f"clip {i}", sha256=hashlib.sha256(b"%d" % i).hexdigest())
        for i in range(n)
    ]
    return Manifest(Path("/toy"), tuple(clips), labels)
