"""How the time of a step grows with the size of the job: one size at a time, the others fixed.

    PYTHONPATH=. python benchmarks/speed/growth.py [--repeats 3]

Supernet (bi-level step over `darts_cnn`): batch, image size, cells L, channels C. Recurrent cell (forward and backward
of the LSTM recipe): frames T, batch. Features: clips. `exponent` is the slope of log(time) over log(size): 1 is linear.
Of the image size the pixels are counted; of L and C it is said what else grows with them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from paired import alternate, keep, ready
from supernet import ours

from audionas.features import load_features
from audionas.kernels import kernel_path, use_kernels
from audionas.models.recipe_rnn import RecipeRnn
from audionas.spaces.recurrent_genotype import RecurrentGenotype
from audionas.spaces.reference_recipes import REFERENCE_RECIPES

Make = Callable[[int], Callable[[], object]]


def supernet_step(batch: int = 4, size: int = 64, channels: int = 6, cells: int = 3) -> Callable[[], object]:
    return ours(batch, size, channels, cells).step


def recipe_step(frames: int = 100, batch: int = 16) -> Callable[[], object]:
    torch.manual_seed(0)
    network = RecipeRnn(RecurrentGenotype.from_recipe(REFERENCE_RECIPES["lstm"]), 128, 128)
    x = torch.randn(batch, frames, 128)

    def step() -> None:
        network(x).sum().backward()

    return step


def extraction(clips: int) -> Callable[[], object]:
    extractor = load_features("emotionnas").resolve(16_000, [8.0])
    clip = np.random.default_rng(0).normal(size=128_000).astype(np.float32)
    return lambda: [extractor(clip) for _ in range(clips)]


JOBS: dict[str, tuple[Make, Sequence[int], Callable[[int], float], str]] = {
    "batch": (lambda n: supernet_step(batch=n), (2, 4, 8, 16), float, ""),
    "image size": (lambda n: supernet_step(size=n), (32, 64, 128), lambda n: float(n * n), "over pixels"),
    "cells L": (
        lambda n: supernet_step(cells=n),
        (3, 6, 12),
        float,
        "the two reductions quarter the pixels and double the channels of later cells",
    ),
    "channels C": (
        lambda n: supernet_step(channels=n),
        (6, 12, 24),
        float,
        "depthwise work grows with C, pointwise work with C squared",
    ),
    "frames T": (lambda n: recipe_step(frames=n), (50, 100, 200, 400), float, ""),
    "batch of a recurrent cell": (lambda n: recipe_step(batch=n), (8, 16, 32, 64), float, ""),
    "clips": (extraction, (4, 8, 16, 32), float, ""),
}


def growth(make: Make, sizes: Sequence[int], measure: Callable[[int], float], repeats: int) -> dict[str, Any]:
    times = alternate({str(size): make(size) for size in sizes}, repeats)
    medians = [times[str(size)]["cpu_s"]["median"] for size in sizes]
    slope, _ = np.polyfit(np.log([measure(size) for size in sizes]), np.log(medians), 1)
    return {"sizes": list(sizes), "cpu_s": medians, "exponent": round(float(slope), 3)}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    ready()
    use_kernels(None, print)
    found = {}
    for name, (make, sizes, measure, remark) in JOBS.items():
        found[name] = growth(make, sizes, measure, given.repeats) | ({"remark": remark} if remark else {})
        print(name, found[name]["exponent"], flush=True)
    print(keep("growth", {"kernel_path": kernel_path(), "growth": found}))


if __name__ == "__main__":
    main()
