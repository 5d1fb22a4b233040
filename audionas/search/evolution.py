"""Evolution over the paths of a trained supernet: children of the best so far, each scored with shared weights.

Source: Guo et al. 2020 (SPOS), algorithm 1. A child is drawn from keys alone, (seed, "evolution", generation, place,
attempt), so a search that was stopped draws the same children again and reads their scores from its log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from audionas.records import append_jsonl, rewrite_jsonl
from audionas.search_logs import read_evolution
from audionas.seeding import generator
from audionas.spaces import Genotype, SearchSpace
from audionas.spaces.derived import derived_document

EVOLUTION_FILE = "evolution.jsonl"
ATTEMPTS = 100  # to make a path that was not met before, then to draw one, then the generation is left smaller

Sample = Mapping[str, str]


@dataclass(frozen=True)
class EvolutionPlan:
    """Paths a generation, generations (the random first one included), parents, and chance to redraw a decision."""

    population: int = 50
    generations: int = 20
    parents: int = 10
    mutation: float = 0.1


@dataclass(frozen=True)
class ScoredPath:
    """A path of the supernet: its main score, and the balanced loss that decides between equals."""

    genotype: Genotype
    sample: Sample
    score: float
    loss: float
    generation: int
    number: int

    def rank(self) -> tuple[float, float, int]:
        """Best first when sorted."""
        return -self.score, self.loss, self.number


Score = Callable[[Genotype], tuple[float, float]]
Allowed = Callable[[Genotype], bool]
Draw = Callable[[np.random.Generator], Sample]
OnGeneration = Callable[[int, ScoredPath], None]


class EvolutionLog:
    """`evolution.jsonl`: one line a scored path, in the order of scoring; a torn last line is forgotten."""

    def __init__(self, path: Path, main: str) -> None:
        self._path, self._main = path, main
        lines = [line for line in read_evolution(path, main) if "number" in line]
        if path.exists():
            rewrite_jsonl(path, lines)
        self._known = {line["hash"]: (line[main], line["loss"]) for line in lines}

    def score(self, genotype: Genotype, score: Score) -> tuple[float, float]:
        """The logged score of a path, else that of `score`."""
        return self._known[genotype.hash] if genotype.hash in self._known else score(genotype)

    def note(self, path: ScoredPath) -> None:
        """Keep a path that is not in the log yet."""
        if path.genotype.hash in self._known:
            return
        append_jsonl(self._path, {
            "number": path.number, "generation": path.generation, "hash": path.genotype.hash,
            "genotype": derived_document(path.genotype), self._main: path.score, "loss": path.loss,
        })  # fmt: skip

    def chosen(self, record: Mapping[str, Any]) -> None:
        """The last line: which path won, and its score on the part that chose nothing."""
        append_jsonl(self._path, {"chosen": dict(record)})


def evolve(
    space: SearchSpace,
    plan: EvolutionPlan,
    seed: int,
    score: Score,
    log: EvolutionLog,
    told: OnGeneration,
    allowed: Allowed = lambda _: True,
    first: Genotype | None = None,
    draw: Draw | None = None,
) -> ScoredPath:
    """The best of all scored paths.

    Args:
        draw: draws the first generation, in place of a uniform draw.
        allowed: whether a path may be scored at all; others count as met.
        first: is scored before anything is drawn, so that something is where few paths are allowed.
    """
    met: dict[str, ScoredPath] = {}
    if first is not None:
        path = ScoredPath(first, space.sample(first), *log.score(first, score), 0, 0)  # type: ignore[arg-type]
        log.note(path)
        met[first.hash] = path
    for generation in range(plan.generations):
        parents = sorted(met.values(), key=ScoredPath.rank)[: plan.parents]
        for place in range(plan.population):
            child = _new_child(
                space, plan, seed, generation, place, parents, met, allowed, draw if generation == 0 else None
            )
            if child is None:
                continue
            genotype, sample = child
            path = ScoredPath(genotype, sample, *log.score(genotype, score), generation, len(met))
            log.note(path)
            met[genotype.hash] = path
        told(generation, min(met.values(), key=ScoredPath.rank))
    return min(met.values(), key=ScoredPath.rank)


def _new_child(
    space: SearchSpace,
    plan: EvolutionPlan,
    seed: int,
    generation: int,
    place: int,
    parents: Sequence[ScoredPath],
    met: Mapping[str, ScoredPath],
    allowed: Allowed,
    draw: Draw | None,
) -> tuple[Genotype, Sample] | None:
    """A path not met before: mutated in the first half of a generation, crossed in the second.

    Random in the first generation, and where the parents give nothing new; of `draw` where there is one.
    """
    for attempt in range(2 * ATTEMPTS):
        rng = generator(seed, "evolution", generation, place, attempt)
        if draw is not None:
            sample = draw(rng)
        elif not parents or attempt >= ATTEMPTS:
            sample = _random(space, rng)
        elif place < plan.population // 2:
            sample = _mutated(space, _one(parents, rng).sample, plan.mutation, rng)
        else:
            sample = _crossed(_one(parents, rng).sample, _one(parents, rng).sample, rng)
        genotype = space.genotype(sample)
        if genotype.hash not in met and allowed(genotype):
            return genotype, sample
    return None


def _random(space: SearchSpace, rng: np.random.Generator) -> Sample:
    return {label: str(rng.choice(options)) for label, options in space.choices().items()}


def _one(parents: Sequence[ScoredPath], rng: np.random.Generator) -> ScoredPath:
    return parents[int(rng.integers(len(parents)))]


def _mutated(space: SearchSpace, sample: Sample, chance: float, rng: np.random.Generator) -> Sample:
    return {
        label: str(rng.choice(options)) if rng.random() < chance else sample[label]
        for label, options in space.choices().items()
    }


def _crossed(one: Sample, other: Sample, rng: np.random.Generator) -> Sample:
    return {label: (one if rng.random() < 0.5 else other)[label] for label in one}


__all__ = ["EVOLUTION_FILE", "EvolutionLog", "EvolutionPlan", "ScoredPath", "evolve"]
