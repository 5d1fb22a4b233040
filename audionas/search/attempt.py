"""One candidate trained and scored; an error that is known to concern it alone makes a failed trial."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import torch

from audionas.search.evaluator import Score
from audionas.search.trials import Trial
from audionas.spaces import Genotype
from audionas.training.fit import NonFiniteLossError
from audionas.training.ledger import count


class Evaluator(Protocol):
    """Trains a candidate and scores it; `TrainingEvaluator` does, tests put others in its place."""

    def evaluate(self, genotype: Genotype, *, epochs: int, seed: int) -> Score:
        """The score of one candidate."""
        ...


def attempt(
    evaluator: Evaluator, number: int, genotype: Genotype, sample: Mapping[str, str], *, epochs: int, seed: int
) -> Trial:
    """The finished trial: done, or failed by a loss that is not finite or for want of memory."""
    count(compared=1)
    try:
        score = evaluator.evaluate(genotype, epochs=epochs, seed=seed)
    except (NonFiniteLossError, MemoryError, torch.OutOfMemoryError) as why:
        return Trial(number, genotype.hash, sample, "failed", None, f"{type(why).__name__}: {why}")
    except RuntimeError as why:  # torch's allocator of CPU memory raises no class of its own
        if "allocate memory" not in str(why) and "not enough memory" not in str(why):
            raise
        return Trial(number, genotype.hash, sample, "failed", None, f"out of memory: {' '.join(str(why).split())}")
    return Trial(number, genotype.hash, sample, "done", score, None)
