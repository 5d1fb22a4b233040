"""Shorter trainings for a table that has none: the score of the whole training with noise that shrinks with epochs.

This is made up. A table of whole trainings cannot say how well few epochs rank, and where every rung gives the same
score, halving would see three times as many networks as it pays for. The noise has a standard deviation of 0.75 points
of accuracy x (sqrt(whole / epochs) - 1): 1.5 after a ninth of the epochs and 0.55 after a third. How well such
trainings rank the whole table stands in the results.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from scipy.stats import spearmanr

from audionas.search.evaluator import Score
from audionas.search.tabular import TabularEvaluator
from audionas.seeding import generator
from audionas.spaces import Genotype

WHOLE = 9  # epochs; with eta 3 the rungs are 1, 3 and 9
POINTS = 0.75


@dataclass(frozen=True)
class ShortTrainings(TabularEvaluator):
    """A table with noise in trainings of fewer than `WHOLE` epochs, keyed by seed, network and epochs."""

    seed: int = 0

    def evaluate(self, genotype: Genotype, *, epochs: int, seed: int, fraction: float = 1.0) -> Score:
        """The score after so many epochs."""
        score = super().evaluate(genotype, epochs=epochs, seed=seed, fraction=fraction)
        ua = score.ua + self.noise(genotype.hash, epochs)
        return replace(score, ua=ua, wa=ua, loss=-ua, balanced_loss=-ua)

    def noise(self, genotype_hash: str, epochs: int) -> float:
        """What is added to the score, in points of accuracy; 0 after a whole training."""
        return noise_sd(epochs) * float(generator(self.seed, "short training", genotype_hash, epochs).normal())


def noise_sd(epochs: int) -> float:
    """Standard deviation of the noise, in points of accuracy.

    >>> noise_sd(1), noise_sd(9)
    (1.5, 0.0)
    """
    return POINTS * (math.sqrt(WHOLE / epochs) - 1)


def rank_correlations(table: TabularEvaluator) -> dict[str, float]:
    """Epochs of each shorter rung -> Spearman's correlation with the whole training, over all rows of a table."""
    short = ShortTrainings(table.rows)
    scores = [row.score for row in table.rows.values()]
    return {
        str(epochs): round(float(spearmanr(scores, [
            row.score + short.noise(its_hash, epochs) for its_hash, row in table.rows.items()
        ]).statistic), 3)
        for epochs in (1, 3)
    }  # fmt: skip
