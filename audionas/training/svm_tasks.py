"""What each task says of its support vector machines: how they are fitted, decide, are judged and give scores."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, log_softmax, softmax
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

from audionas.training.multilabel_metrics import MultilabelMetrics
from audionas.training.regression_metrics import RegressionMetrics

N_FOLDS = 5

Decide = Callable[[np.ndarray], np.ndarray]
Folds = list[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class SvmTask:
    """What a task says of its machines.

    `fit` is from a kernel matrix (clips, clips), targets, cost and number of outputs to what gives decisions (others,
    outputs) of a matrix (others, clips); `score` of targets and decisions is more where better; `link` makes scores
    of decisions, `loss` is the mean log loss of decisions, None where decisions are the answer.
    """

    fit: Callable[[np.ndarray, np.ndarray, float, int], Decide]
    folds: Callable[[np.ndarray, np.ndarray, int], Folds]
    score: Callable[[np.ndarray, np.ndarray], float]
    link: Callable[[np.ndarray], np.ndarray]
    loss: Callable[[np.ndarray, np.ndarray], float] | None


def _fit_classes(gram: np.ndarray, y: np.ndarray, cost: float, n_classes: int) -> Decide:
    """One machine a pair of classes; a class without clips is decided against, and of one class nothing is asked."""
    present = np.unique(y)
    if len(present) > 1:
        machine = SVC(C=cost, kernel="precomputed", class_weight="balanced").fit(gram, y)

    def decide(others: np.ndarray) -> np.ndarray:
        decisions = np.full((len(others), n_classes), -np.inf)
        found = machine.decision_function(others) if len(present) > 1 else np.zeros((len(others), 1))
        decisions[:, present] = np.column_stack([-found, found]) if found.ndim == 1 else found
        return decisions

    return decide


def _fit_labels(gram: np.ndarray, y: np.ndarray, cost: float, _n_labels: int) -> Decide:
    """One machine a label; a label that all clips or none have is decided for ever."""
    machines = [
        SVC(C=cost, kernel="precomputed", class_weight="balanced").fit(gram, column) if np.ptp(column) > 0 else None
        for column in y.T
    ]

    def decide(others: np.ndarray) -> np.ndarray:
        return np.column_stack([
            np.full(len(others), np.inf if column[0] else -np.inf) if machine is None
            else machine.decision_function(others)
            for machine, column in zip(machines, y.T, strict=True)
        ])  # fmt: skip

    return decide


def _fit_numbers(gram: np.ndarray, y: np.ndarray, cost: float, _n_targets: int) -> Decide:
    """One machine a target, of values scaled to mean 0 and sd 1; the tube is 0.1 wide on each side."""
    scaler = StandardScaler().fit(y)
    machines = [SVR(C=cost, kernel="precomputed").fit(gram, column) for column in scaler.transform(y).T]

    def decide(others: np.ndarray) -> np.ndarray:
        found = np.column_stack([machine.predict(others) for machine in machines])
        return np.asarray(scaler.inverse_transform(found))

    return decide


def _class_folds(y: np.ndarray, groups: np.ndarray, seed: int) -> Folds:
    n_folds = min(N_FOLDS, len(set(groups.tolist())), int(np.bincount(y).max()))
    if n_folds < 2:
        return []
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class")  # rare classes are expected here
        folds = list(StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed).split(y, y, groups))
    return [fold for fold in folds if all(len(part) for part in fold)]


def _group_folds(y: np.ndarray, groups: np.ndarray, seed: int) -> Folds:
    n_folds = min(N_FOLDS, len(set(groups.tolist())))
    return list(GroupKFold(n_folds, shuffle=True, random_state=seed).split(y, y, groups)) if n_folds > 1 else []


def _ua(y: np.ndarray, decisions: np.ndarray) -> float:
    guessed = decisions.argmax(axis=1)
    return float(np.mean([np.mean(guessed[y == label] == label) for label in np.unique(y)]))


def _class_loss(y: np.ndarray, decisions: np.ndarray) -> float:
    """Of the clips whose class the inner training had."""
    own = log_softmax(decisions, axis=1)[np.arange(len(y)), y]
    return float(-own[np.isfinite(own)].mean()) if np.isfinite(own).any() else 0.0


def _label_loss(y: np.ndarray, decisions: np.ndarray) -> float:
    """Of the labels that the inner training could tell."""
    known = np.isfinite(decisions)
    towards = np.where(y > 0, decisions, -decisions)[known]
    return float(np.logaddexp(0.0, -towards).mean()) if known.any() else 0.0


def _names(y: np.ndarray) -> tuple[str, ...]:
    return tuple(map(str, range(y.shape[1])))


SVM_TASKS: dict[str, SvmTask] = {
    "classification": SvmTask(_fit_classes, _class_folds, _ua, lambda d: np.asarray(softmax(d, axis=1)), _class_loss),
    "multilabel": SvmTask(
        _fit_labels, _group_folds, lambda y, d: MultilabelMetrics(_names(y), y, expit(d)).map, expit, _label_loss
    ),
    "regression": SvmTask(
        _fit_numbers, _group_folds, lambda y, d: RegressionMetrics(_names(y), y, d).primary.value, lambda d: d, None
    ),
}
