"""Classifiers of one vector a clip: the mean over time of a pre-trained encoder's frames.

Source: Lian et al. 2019, section 4.3, which names a support vector machine and a random forest and none of their
settings. Here kernel and cost of the first are chosen by grouped inner folds of the training clips; the forest has 500
trees and scikit-learn's other defaults. Both weigh classes alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from audionas.seeding import derive
from audionas.training.functionals_svm import svm_scores

N_TREES = 500

Parts = tuple[Sequence[int], Sequence[int]]
# vectors (clips, width), class indices, groups, rows that train and that test, number of classes, seed -> class
# probabilities of the test clips, (test clips, classes) float64
Classifier = Callable[[np.ndarray, np.ndarray, np.ndarray, Parts, int, int], np.ndarray]


def svm(
    vectors: np.ndarray, targets: np.ndarray, groups: np.ndarray, parts: Parts, n_classes: int, seed: int
) -> np.ndarray:
    """A support vector machine, as `svm_scores` has it."""
    return svm_scores("classification", vectors, targets, groups, parts, n_classes, seed)


def random_forest(
    vectors: np.ndarray, targets: np.ndarray, _groups: np.ndarray, parts: Parts, n_classes: int, seed: int
) -> np.ndarray:
    """A random forest (Breiman 2001)."""
    train, test = (np.asarray(part, dtype=np.int64) for part in parts)
    state = derive(seed, "random forest") % 2**32
    forest = RandomForestClassifier(N_TREES, class_weight="balanced", random_state=state)
    forest.fit(vectors[train], targets[train])
    scores = np.zeros((len(test), n_classes))
    scores[:, forest.classes_] = forest.predict_proba(vectors[test])
    return scores


COLUMN_CLASSIFIERS: dict[str, Classifier] = {"svm": svm, "random_forest": random_forest}
