"""Support vector machines on functionals of the clips: the system that speech emotion papers of before networks beat.

Linear or radial kernel and its cost are chosen by grouped inner folds of the training clips, from which also come the
decisions that fit the one number of the calibration: scores are softmax (labels: sigmoid) of decisions over a
temperature, which moves no decision. Sources: Schuller, Steidl, Batliner 2009 (the Interspeech challenge's baseline);
Guo, Pleiss, Sun, Weinberger 2017, "On Calibration of Modern Neural Networks", section 4.2 (temperature).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize_scalar
from sklearn.preprocessing import StandardScaler

from audionas.seeding import generator
from audionas.training.svm_tasks import SVM_TASKS, SvmTask

SVM, SVR = "functionals + SVM", "functionals + SVR"
KERNELS, COSTS = ("linear", "radial"), (0.1, 1.0, 10.0, 100.0)
MOST_CLIPS = 4000  # a kernel's matrix grows with the square of the clips; of more, so many are drawn


def svm_scores(
    task: str,
    functionals: np.ndarray,
    targets: np.ndarray,
    groups: np.ndarray,
    parts: tuple[Sequence[int], Sequence[int]],
    n_outputs: int,
    seed: int,
) -> np.ndarray:
    """Scores of the test clips, (test clips, n_outputs) float64: probabilities, or predicted numbers.

    Args:
        task: `classification`, `multilabel` or `regression`.
        functionals: (clips, functionals), float.
        targets: (clips,) class indices, or (clips, outputs).
        groups: (clips,), whole groups in each inner fold.
        parts: rows that train and rows that test; scaling, kernel, cost and temperature see the first alone.
        seed: of inner folds, and of the draw where more than `MOST_CLIPS` train.
    """
    kind, (train, test) = SVM_TASKS[task], parts
    rows = _drawn(train, seed)
    x, y = functionals[rows].astype(np.float64), targets[rows]
    kernel, cost, temperature = _chosen(kind, x, y, groups[rows], n_outputs, seed)
    gram, others = _matrices(kernel, x, functionals[list(test)])
    return kind.link(kind.fit(gram, y, cost, n_outputs)(others) / temperature)


def _drawn(train: Sequence[int], seed: int) -> np.ndarray:
    rows = np.asarray(train, dtype=np.int64)
    if len(rows) <= MOST_CLIPS:
        return rows
    return np.sort(generator(seed, "clips of the support vector machine").permutation(rows)[:MOST_CLIPS])


def _chosen(
    kind: SvmTask, x: np.ndarray, y: np.ndarray, groups: np.ndarray, n_outputs: int, seed: int
) -> tuple[str, float, float]:
    """Kernel and cost with the best score of the pooled inner decisions, of equals the first; their temperature."""
    folds = kind.folds(y, groups, seed)
    best, best_score = (KERNELS[0], 1.0), -np.inf
    judged: tuple[np.ndarray, np.ndarray] | None = None  # targets and decisions of the best
    for kernel in KERNELS:
        matrices = [_matrices(kernel, x[train], x[test]) for train, test in folds]
        for cost in COSTS if folds else ():
            decisions, seen = np.zeros((len(x), n_outputs)), np.zeros(len(x), dtype=bool)
            for (train, test), (gram, others) in zip(folds, matrices, strict=True):
                decisions[test], seen[test] = kind.fit(gram, y[train], cost, n_outputs)(others), True
            found = kind.score(y[seen], decisions[seen])
            if found > best_score + 1e-12:
                best, best_score, judged = (kernel, cost), found, (y[seen], decisions[seen])
    return (*best, 1.0 if judged is None else _temperature(kind, *judged))


def _matrices(kernel: str, x: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Kernel among the training clips (clips, clips), and of others with them (others, clips).

    Of scaled values a, b of d functionals: a.b / d, or exp(-|a - b|^2 / d), which is scikit-learn's `gamma="auto"`.
    """
    scaler = StandardScaler().fit(x)
    a, b = scaler.transform(x), scaler.transform(others)
    if kernel == "linear":
        return a @ a.T / a.shape[1], b @ a.T / a.shape[1]
    return _radial(a, a), _radial(b, a)


def _radial(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    squares = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None, :] - 2 * a @ b.T
    return np.asarray(np.exp(-np.maximum(squares, 0.0) / a.shape[1]))


def _temperature(kind: SvmTask, y: np.ndarray, decisions: np.ndarray) -> float:
    """The temperature of the least log loss, between e^-5 and e^5."""
    if kind.loss is None:
        return 1.0
    loss = kind.loss
    found = minimize_scalar(lambda log: loss(y, decisions / np.exp(log)), bounds=(-5.0, 5.0), method="bounded")
    return float(np.exp(found.x))
