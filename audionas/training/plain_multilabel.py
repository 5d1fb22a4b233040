"""Plain systems for clips with several labels: frequencies of the labels, duration, one logistic regression a label."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from audionas.training.inner_choice import chosen
from audionas.training.multilabel_metrics import MultilabelMetrics
from audionas.training.plain_baselines import DURATION, LOGISTIC, REGULARISATIONS

FREQUENCIES = "label frequencies"
Fitted = Callable[[np.ndarray], np.ndarray]


def multilabel_systems(
    summaries: np.ndarray, log_durations: np.ndarray, targets: np.ndarray, groups: np.ndarray, seed: int
) -> dict[str, tuple[str, Fitted]]:
    """The systems, fitted on training clips: by name, what they read (`durations` or `summaries`) and predict.

    Args:
        summaries: (clips, 2 * channels * features), float64.
        log_durations: (clips, 1), float64.
        targets: (clips, labels), 0 or 1.
        groups: (clips,), whole groups in each inner fold, in which C is chosen by mAP.
    """

    def score(truth: np.ndarray, given: np.ndarray) -> float:
        return MultilabelMetrics(tuple(map(str, range(truth.shape[1]))), truth, given).map

    best = chosen(REGULARISATIONS, 1.0, _one_a_label, score, (summaries, targets, groups), seed)
    frequencies = targets.mean(axis=0)
    return {
        FREQUENCIES: ("durations", lambda inputs: np.tile(frequencies, (len(inputs), 1))),
        DURATION: ("durations", _one_a_label(log_durations, targets, 1.0)),
        LOGISTIC: ("summaries", _one_a_label(summaries, targets, best)),
    }


def _one_a_label(inputs: np.ndarray, targets: np.ndarray, regularisation: float) -> Fitted:
    """One regression a label, with-and-without weighing the same; a label that all or none have is a constant."""
    scaler = StandardScaler().fit(inputs)
    x = scaler.transform(inputs)
    models = [
        LogisticRegression(C=regularisation, class_weight="balanced", max_iter=5000).fit(x, column)
        if np.ptp(column) > 0
        else float(column[0])
        for column in targets.T
    ]

    def predict(others: np.ndarray) -> np.ndarray:
        scaled = scaler.transform(others)
        return np.column_stack([
            np.full(len(scaled), model) if isinstance(model, float) else model.predict_proba(scaled)[:, 1]
            for model in models
        ])  # fmt: skip

    return predict
