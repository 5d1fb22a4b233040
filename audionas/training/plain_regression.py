"""Plain systems for continuous targets: the training clips' mean, duration, ridge regression on mean + sd."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from audionas.training.inner_choice import chosen
from audionas.training.plain_baselines import DURATION
from audionas.training.regression_metrics import RegressionMetrics

MEAN = "mean of the training clips"
RIDGE = "ridge regression on mean + sd of the features"
PENALTIES = (1000.0, 100.0, 10.0, 1.0, 0.1)
Fitted = Callable[[np.ndarray], np.ndarray]


def regression_systems(
    summaries: np.ndarray, log_durations: np.ndarray, targets: np.ndarray, groups: np.ndarray, seed: int
) -> dict[str, tuple[str, Fitted]]:
    """The systems, fitted on training clips: by name, what they read (`durations` or `summaries`) and predict.

    Args:
        summaries: (clips, 2 * channels * features), float64.
        log_durations: (clips, 1), float64.
        targets: (clips, targets).
        groups: (clips,), whole groups in each inner fold, in which the penalty is chosen by CCC.
    """

    def score(truth: np.ndarray, given: np.ndarray) -> float:
        return RegressionMetrics(tuple(map(str, range(truth.shape[1]))), truth, given).primary.value

    best = chosen(PENALTIES, 1.0, _ridge, score, (summaries, targets, groups), seed)
    mean = targets.mean(axis=0)
    return {
        MEAN: ("durations", lambda inputs: np.tile(mean, (len(inputs), 1))),
        DURATION: ("durations", _ridge(log_durations, targets, 1.0)),
        RIDGE: ("summaries", _ridge(summaries, targets, best)),
    }


def _ridge(inputs: np.ndarray, targets: np.ndarray, penalty: float) -> Fitted:
    model = make_pipeline(StandardScaler(), Ridge(alpha=penalty)).fit(inputs, targets)
    return lambda others: np.asarray(model.predict(others)).reshape(len(others), -1)
