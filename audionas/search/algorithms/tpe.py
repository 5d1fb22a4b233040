"""Tree-structured Parzen estimator: draws options that good trials had more often than the others.

Source: Bergstra, Bardenet, Bengio, Kegl 2011, section 4.
"""

from __future__ import annotations

from typing import Any


def build(
    *,
    seed: int,
    startup_trials: int = 20,
    candidates: int = 24,
    gamma: float = 0.25,
    prior_weight: float = 1.0,
    linear_forgetting: int = 25,
) -> Any:
    """NNI's TPE tuner behind a strategy that never sleeps.

    Args:
        startup_trials: trials drawn at random before the first estimate; failed ones do not count.
        candidates: options drawn for each choice, of which the most promising is taken.
        gamma: of n trials, the best gamma * sqrt(n), rounded up, count as good, `linear_forgetting` at most.
        prior_weight: trials that the uniform prior over the options of a choice stands for, for each option.
        linear_forgetting: so many trials weigh fully; earlier ones of the order by score weigh less.
    """
    from audionas.search.nni_tpe import DistinctTuner, Tpe

    settings = {
        "constant_liar_type": "mean", "n_startup_jobs": startup_trials, "n_ei_candidates": candidates,
        "linear_forgetting": linear_forgetting, "prior_weight": prior_weight, "gamma": gamma,
    }  # fmt: skip
    return Tpe(DistinctTuner(settings, seed % 2**32))
