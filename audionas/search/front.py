"""The front of a search with several objectives: the trials that no other one beats in all of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from audionas.search.candidate_costs import cost_of
from audionas.search.non_dominated import non_dominated_ranks
from audionas.search.trials import Trial


def objective_values(trial: Trial, objective: str, costs: Sequence[str]) -> tuple[float, ...]:
    """The objectives of a trial that has a score, all minimised: the main objective first, then the costs.

    Raises:
        SettingsError: a cost was not measured.
    """
    assert trial.score is not None
    return (-trial.score.objective(objective), *(cost_of(trial.score, name) for name in costs))


def front(ranked: Sequence[Trial], objective: str, costs: Sequence[str]) -> list[Trial]:
    """Of trials that may be compared (one fidelity, one an architecture, best first) those that none dominates."""
    if not ranked:
        return []
    values = np.array([objective_values(trial, objective, costs) for trial in ranked])
    return [trial for trial, rank in zip(ranked, non_dominated_ranks(values), strict=True) if rank == 0]
