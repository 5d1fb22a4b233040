"""Candidates a minute by two worker processes against one, each with one thread.

    PYTHONPATH=. python benchmarks/speed/workers.py [--trials 16]

The machine should be idle. Candidates are random networks of `darts_cnn_small` on noise of the size of its features;
workers are started, and have done one trial each, before the clock runs.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import numpy as np
import torch
from paired import keep, ready

from audionas.audio.manifest import Clip, Manifest
from audionas.kernels import use_kernels
from audionas.search import load_strategy
from audionas.search.engines import Engine, EngineOptions, Job, make_engine
from audionas.search.evaluator import SearchData, TrainingEvaluator
from audionas.spaces import load_search_space
from audionas.training.batches import ClipTensors, Normaliser
from audionas.training.recipe import Recipe
from audionas.training.tasks import TASKS

SHAPE, N_CLIPS, LABELS = (1, 32, 64), 96, ("a", "b", "c", "d")
SPACE = load_search_space("darts_cnn_small")


def evaluator_on_noise() -> TrainingEvaluator:
    rng = np.random.default_rng(0)
    clips = tuple(
        Clip(path=f"{row}.flac", label=LABELS[row % 4], group=str(row % 8), fold=str(row % 4), sha256=str(row))
        for row in range(N_CLIPS)
    )
    manifest = Manifest(root=Path(), clips=clips, labels=LABELS, group_source="noise", fold_source="noise")
    blocks = [rng.normal(size=SHAPE).astype(np.float32) for _ in clips]
    one = np.ones((1, 1, 1), np.float32)
    targets = np.arange(N_CLIPS) % 4
    tensors = ClipTensors(blocks, targets, Normaliser(0 * one, one), SHAPE[2], "centre")
    parts = {"train": tuple(range(72)), "validation": tuple(range(72, N_CLIPS))}
    data = SearchData(manifest, tensors, parts, SHAPE, TASKS["classification"])
    recipe = load_strategy("random").for_space(SPACE).recipe
    assert isinstance(recipe, Recipe)
    return TrainingEvaluator(data, recipe)


def jobs(n: int, epochs: int, first: int = 0) -> list[Job]:
    rng = np.random.default_rng(0)
    return [Job(first + number, SPACE.random(rng), epochs, seed=number) for number in range(n)]


def seconds_of(engine: Engine, todo: list[Job]) -> float:
    waiting, n_running, started = list(todo), 0, time.perf_counter()
    while waiting or n_running:
        while waiting and n_running < engine.n_workers:
            engine.submit(waiting.pop(0))
            n_running += 1
        outcome = engine.next()
        assert outcome.error is None, outcome.error
        n_running -= 1
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser()
    for name, value in (("trials", 16), ("epochs", 3), ("repeats", 3)):
        parser.add_argument(f"--{name}", type=int, default=value)
    given = parser.parse_args()
    ready()
    use_kernels(None, print)
    evaluator = evaluator_on_noise()
    engines = {n: make_engine("process_pool", evaluator, EngineOptions(n)) for n in (1, 2)}
    for n, engine in engines.items():
        seconds_of(engine, jobs(n, 1, first=1000))
    found: dict[int, list[float]] = {n: [] for n in engines}
    for _ in range(given.repeats):
        for n, engine in engines.items():
            found[n].append(seconds_of(engine, jobs(given.trials, given.epochs)))
    for engine in engines.values():
        engine.close()
    medians = {n: statistics.median(each) for n, each in found.items()}
    result = {
        "trials": given.trials,
        "epochs": given.epochs,
        "torch_threads": torch.get_num_threads(),
        "wall_s": {str(n): each for n, each in found.items()},
        "ratios": {"throughput of 2 workers / 1": medians[1] / medians[2]},
    }
    path = keep("workers", result)
    print(path, result["wall_s"], result["ratios"])


if __name__ == "__main__":
    main()
