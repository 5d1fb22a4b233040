"""An evaluator whose trials do what trials do in the field: score, raise, give NaN, hang, die."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from audionas.search.engines import Job
from audionas.search.evaluator import Score
from audionas.spaces import Genotype, load_search_space
from audionas.training.ledger import count

SPACE = load_search_space("nas_bench_nlp_rnn")
GENOTYPE = SPACE.random(np.random.default_rng(0))


@dataclass(frozen=True)
class Misbehaving:
    """What a trial does is named by its seed, an index of `DEEDS`, or by `deeds`; each counts 3 clip-passes.

    Attributes:
        folder: where each trial leaves a line, its process, in a file named after its seed.
        values: read by each trial; a child has them without having been sent them.
    """

    folder: Path
    values: np.ndarray
    deeds: Mapping[int, str] = field(default_factory=dict)

    def evaluate(self, genotype: Genotype, *, epochs: int, seed: int) -> Score:
        with (self.folder / f"trial_{seed}").open("a") as stream:
            stream.write(f"{os.getpid()}\n")
        count(forward=2, backward=1)
        deed = self.deeds.get(seed) or (list(DEEDS)[seed % 100] if not self.deeds else "score")
        DEEDS[deed](self)
        number = int(genotype.hash[:6], 16) / 16**6 + float(self.values.sum())
        return Score(float("nan") if deed == "nan" else number, 0.5, 1.0, 1.0, 10, 0.1)


def _hang(_: Misbehaving) -> None:
    while True:
        sum(range(1000))


def _raise(_: Misbehaving) -> None:
    raise ValueError("a shape\ndoes not fit")


def _die(_: Misbehaving) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _tell_modules(_: Misbehaving) -> None:
    raise ValueError(" ".join(sorted({name.split(".")[0] for name in sys.modules} & {"nni", "torch"})))


def _tell_threads(_: Misbehaving) -> None:
    tiny = torch.full((2,), 1e-39) * 1.0
    raise ValueError(f"{torch.get_num_threads()} thread, 1e-39 is {tiny.sum().item()}")


def _tell_card(_: Misbehaving) -> None:
    raise ValueError(f"card {os.environ.get('CUDA_VISIBLE_DEVICES')}")


def _write(evaluator: Misbehaving) -> None:
    evaluator.values[:] = 0.0


def _kill_the_search(evaluator: Misbehaving) -> None:
    """Once."""
    marker = evaluator.folder / "killed"
    if not marker.exists():
        marker.touch()
        os.kill(os.getppid(), signal.SIGKILL)
        _hang(evaluator)


DEEDS: dict[str, Callable[[Misbehaving], None]] = {
    "score": lambda _: None,
    "nan": lambda _: None,
    "hang": _hang,
    "raise": _raise,
    "die": _die,
    "modules": _tell_modules,
    "threads": _tell_threads,
    "write": _write,
    "kill the search": _kill_the_search,
    "tell_card": _tell_card,
}


def job(number: int, deed: str = "score") -> Job:
    """A job whose trial does this deed."""
    return Job(number, GENOTYPE, 1, 100 * number + list(DEEDS).index(deed))
