"""Simulated speakers, to see whether the statistics do what they say; writes `benchmarks/results/statistics.json`.

    python benchmarks/simulate_statistics.py --repetitions 2000 --out benchmarks/results/statistics.json

Clips have four unbalanced classes, about 34 a speaker, two speakers a fold, three retraining seeds. Whether a clip is
classified right is a logistic draw of: the class, the speaker (shared by both systems), the speaker in this system,
the clip (shared by systems and seeds), and the training of a fold under a seed. What is wrong falls on another class
after a habit of the speaker's. The true score is that of 4,000 more speakers.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from audionas.records import write_json
from audionas.seeding import generator
from audionas.statistics.chance import ALPHA, chance
from audionas.statistics.intervals import difference_estimate, score_estimate
from audionas.statistics.sign_flip import sign_flip
from audionas.statistics.system import System
from audionas.training.predictions import Predictions

CLASS_SHARES = np.array([0.37, 0.21, 0.23, 0.19])  # of the four emotions of EMO-DB
LABELS = ("anger", "happiness", "neutral", "sadness")
N_CLIPS = 34  # a speaker
N_SEEDS = 3
N_TRUTH = 4_000  # speakers of the true scores
N_PERMUTATIONS = 499  # of a simulated test against chance: p is valid for any number


@dataclass(frozen=True)
class Effects:
    """Standard deviations on the logit scale, and what the second system is worse by.

    `training` is the luck of one training, which the two speakers of a fold share. With 0.1 the sd of pooled UA over
    seeds is about 0.025 (`sd_over_seeds` of the result); retrainings on EMO-DB had 0.002 to 0.017.
    """

    skill: tuple[float, ...] = (1.6, 0.5, 1.2, 1.4)
    speaker: float = 0.5
    speaker_in_system: float = 0.4
    clip: float = 1.0
    training: float = 0.1
    second_is_worse_by: float = 0.4


@dataclass(frozen=True)
class Corpus:
    """Clips of speakers: truth (clips,), speaker (clips,), both int64, and what they have in common for all systems."""

    truth: np.ndarray
    speaker: np.ndarray
    difficulty: np.ndarray
    habit: np.ndarray

    @staticmethod
    def draw(rng: np.random.Generator, n_groups: int, effects: Effects) -> Corpus:
        """Classes, speakers, how hard each clip is, and to which class a speaker's errors fall (groups, classes)."""
        shares = rng.dirichlet(20 * CLASS_SHARES, n_groups)
        sizes = rng.poisson(N_CLIPS, n_groups) + 1
        speaker = np.repeat(np.arange(n_groups), sizes)
        truth = (rng.random(len(speaker))[:, None] > shares.cumsum(axis=1)[speaker]).sum(axis=1).clip(0, 3)
        difficulty = effects.speaker * rng.normal(size=n_groups)[speaker] + effects.clip * rng.normal(size=len(speaker))
        return Corpus(truth, speaker, difficulty, rng.dirichlet(np.ones(4), n_groups))

    def system(self, rng: np.random.Generator, name: str, effects: Effects, offset: float = 0.0) -> System:
        """Predictions of a system whose skill is moved by `offset`."""
        n_groups = int(self.speaker.max()) + 1
        own = effects.speaker_in_system * rng.normal(size=n_groups)[self.speaker]
        logit = np.array(effects.skill)[self.truth] + offset + self.difficulty + own
        seeds = []
        for _ in range(N_SEEDS):
            training = effects.training * rng.normal(size=n_groups // 2 + 1)[self.speaker // 2]
            is_right = rng.random(len(self.truth)) < 1 / (1 + np.exp(-(logit + training)))
            seeds.append(self.predictions(np.where(is_right, self.truth, self._wrong(rng))))
        return System(name, tuple(seeds))

    def guessing(self, rng: np.random.Generator) -> System:
        """Predictions that do not depend on the labels: habits of the speaker; 60 % of clips alike in all seeds."""
        habit = self.habit.cumsum(axis=1)[self.speaker]
        common = (rng.random(len(self.truth))[:, None] > habit).sum(axis=1).clip(0, 3)
        seeds = []
        for _ in range(N_SEEDS):
            own = (rng.random(len(self.truth))[:, None] > habit).sum(axis=1).clip(0, 3)
            seeds.append(self.predictions(np.where(rng.random(len(own)) < 0.6, common, own)))
        return System("guessing", tuple(seeds))

    def predictions(self, predicted: np.ndarray) -> Predictions:
        """As the package reads them."""
        clips = tuple(f"{i:06}" for i in range(len(self.truth)))
        groups = tuple(f"s{i}" for i in self.speaker)
        return Predictions(clips, groups, self.truth, np.eye(4)[predicted], LABELS)

    def _wrong(self, rng: np.random.Generator) -> np.ndarray:
        weights = self.habit[self.speaker] + 1e-9
        weights[np.arange(len(self.truth)), self.truth] = 0
        weights /= weights.sum(axis=1, keepdims=True)
        return np.asarray((rng.random(len(self.truth))[:, None] > weights.cumsum(axis=1)).sum(axis=1).clip(0, 3))


@cache
def true_scores(effects: Effects) -> tuple[float, float]:
    """UA of both systems on very many speakers."""
    rng = generator(0, "simulation", "truth")
    corpus = Corpus.draw(rng, N_TRUTH, effects)
    first = corpus.system(rng, "first", effects)
    second = corpus.system(rng, "second", effects, -effects.second_is_worse_by)
    return _ua(first), _ua(second)


def _ua(system: System) -> float:
    """Mean recall, written out, mean over seeds."""
    each = []
    for found in system.seeds:
        predicted = found.scores.argmax(axis=1)
        each.append(np.mean([np.mean(predicted[found.truth == c] == c) for c in np.unique(found.truth)]))
    return float(np.mean(each))


def coverage(n_groups: int, repetitions: int) -> dict[str, Any]:
    """How often 95 % intervals of a score and of a difference hold the true one."""
    effects = Effects()
    first_true, second_true = true_scores(effects)
    hits = np.zeros(2)
    for number in range(repetitions):
        rng = generator(0, "simulation", "coverage", n_groups, number)
        corpus = Corpus.draw(rng, n_groups, effects)
        first = corpus.system(rng, "first", effects)
        second = corpus.system(rng, "second", effects, -effects.second_is_worse_by)
        score, difference = score_estimate(first).interval, difference_estimate(first, second).interval
        assert score is not None
        assert difference is not None
        hits += (score[0] <= first_true <= score[1], difference[0] <= first_true - second_true <= difference[1])
    score_hits, difference_hits = (hits / repetitions).tolist()
    return {
        "n_groups": n_groups, "repetitions": repetitions, "true_score": first_true,
        "true_difference": first_true - second_true, "of_score": score_hits, "of_difference": difference_hits,
    }  # fmt: skip


DEFAULT = Effects()
Test = Callable[[np.random.Generator, Corpus, Effects], float]


def found_share(n_groups: int, repetitions: int, test: Test, effects: Effects = DEFAULT) -> float:
    """How often a test finds something at 5 %; where there is nothing, its rate of false positives."""
    hits = 0
    for number in range(repetitions):
        rng = generator(0, "simulation", "null", n_groups, number)
        hits += test(rng, Corpus.draw(rng, n_groups, effects), effects) <= ALPHA
    return hits / repetitions


def equal_systems(rng: np.random.Generator, corpus: Corpus, effects: Effects) -> float:
    """p of the sign-flip test of two systems of the same skill."""
    return sign_flip(corpus.system(rng, "first", effects), corpus.system(rng, "second", effects)).p


def guessing_system(rng: np.random.Generator, corpus: Corpus, _: Effects) -> float:
    """p against chance of predictions that do not depend on the labels."""
    return chance(corpus.guessing(rng), N_PERMUTATIONS).p


def labels_of_speakers(rng: np.random.Generator, corpus: Corpus, _: Effects) -> float:
    """The same where a speaker has one label, and predictions follow the speaker."""
    n_groups = int(corpus.speaker.max()) + 1
    each = np.arange(n_groups) % 4
    return chance(replace(corpus, truth=rng.permutation(each)[corpus.speaker]).guessing(rng), N_PERMUTATIONS).p


def unequal_systems(rng: np.random.Generator, corpus: Corpus, effects: Effects) -> float:
    """p of the sign-flip test of two systems of which the second is worse."""
    worse = corpus.system(rng, "second", effects, -effects.second_is_worse_by)
    return sign_flip(corpus.system(rng, "first", effects), worse).p


def sd_over_seeds(n_groups: int, repetitions: int) -> float:
    """The sd of pooled UA over seeds, root mean square over repetitions."""
    variances = []
    for number in range(repetitions):
        rng = generator(0, "simulation", "seeds", n_groups, number)
        system = Corpus.draw(rng, n_groups, Effects()).system(rng, "first", Effects())
        variances.append(np.var([_ua(replace(system, seeds=(found,))) for found in system.seeds], ddof=1))
    return float(np.sqrt(np.mean(variances)))


def document(repetitions: int) -> dict[str, Any]:
    """All of it."""
    few = max(1, repetitions // 5)  # of what takes longer
    return {
        "schema_version": 1,
        "command": "python " + shlex.join(sys.argv),
        "seeds": "keyed by (0, 'simulation', what, n_groups, number of the repetition)",
        "effects": {key: getattr(Effects(), key) for key in Effects.__dataclass_fields__},
        "coverage_of_95_percent": [
            coverage(10, repetitions), coverage(6, few), coverage(20, few), coverage(40, few),
        ],
        "sd_over_seeds": sd_over_seeds(10, few),
        "false_positive_rate_at_5_percent": [
            {"test": name, "n_groups": n_groups, "repetitions": n, "rate": found_share(n_groups, n, test)}
            for name, n_groups, n, test in (
                ("sign_flip, two equal systems", 10, repetitions, equal_systems),
                ("sign_flip, two equal systems", 6, few, equal_systems),
                ("sign_flip, two equal systems", 20, few, equal_systems),
                ("chance, labels within speakers", 10, repetitions, guessing_system),
                ("chance, labels of speakers", 12, repetitions, labels_of_speakers),
            )
        ],
        "sign_flip_false_positives_by_luck_of_training": [
            {"training": training, "n_groups": 10, "repetitions": 3 * repetitions,
             "rate": found_share(10, 3 * repetitions, equal_systems, replace(DEFAULT, training=training))}
            for training in (0.0, 0.2)
        ],
        "power_at_5_percent": [
            {"test": "sign_flip", "n_groups": n, "repetitions": few, "rate": found_share(n, few, unequal_systems)}
            for n in (6, 10)
        ],
    }  # fmt: skip


def main() -> None:
    """Parse, simulate, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=2000)
    parser.add_argument("--out", type=Path, required=True)
    words = parser.parse_args()
    started = time.perf_counter()
    found = document(words.repetitions)
    found["seconds"] = round(time.perf_counter() - started, 1)
    write_json(words.out, found)
    print(words.out)


if __name__ == "__main__":
    main()
