"""What the label text of a clip means under each task, and the targets that training gets from it.

`classification`: the text is the class. `multilabel`: names separated by `;`, none for an empty text.
`regression`: one number for each target, separated by `;`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

SEPARATOR = ";"
N_BINS = 5  # of a regression target, for folds; a fifth of the clips each


def label_names(text: str, separator: str = SEPARATOR) -> tuple[str, ...]:
    """The labels in a cell, each once, sorted; blanks around them and empty ones are dropped.

    >>> label_names("rain; dog;;rain"), label_names("")
    (('dog', 'rain'), ())
    """
    return tuple(sorted({name.strip() for name in text.split(separator)} - {""}))


def target_values(text: str) -> tuple[float, ...]:
    """The numbers in a cell. Raises ValueError for one that is no finite number.

    >>> target_values("2.5;3")
    (2.5, 3.0)
    """
    values = tuple(float(number) for number in text.split(SEPARATOR))
    if not all(math.isfinite(value) for value in values):
        raise ValueError(f"{text!r} is not finite")
    return values


def labels_of(task: str, texts: Sequence[str], named: Sequence[str]) -> tuple[str, ...]:
    """The labels of a corpus, sorted; those of a regression are its targets, which no text names."""
    if task == "regression":
        return tuple(named)
    if task == "multilabel":
        return tuple(sorted({name for text in texts for name in label_names(text)}))
    return tuple(sorted(set(texts)))


def targets_of(task: str, texts: Sequence[str], labels: Sequence[str]) -> np.ndarray:
    """Class indices (clips,) int64; of several labels 0 or 1, of a regression numbers: (clips, labels) float32."""
    if task == "regression":
        return np.array([target_values(text) for text in texts], dtype=np.float32).reshape(len(texts), -1)
    index = {label: i for i, label in enumerate(labels)}
    if task == "classification":
        return np.array([index[text] for text in texts], dtype=np.int64)
    table = np.zeros((len(texts), len(labels)), dtype=np.float32)
    for row, text in enumerate(texts):
        table[row, [index[name] for name in label_names(text)]] = 1.0
    return table


def strata_of(task: str, targets: np.ndarray, n_labels: int) -> np.ndarray:
    """What folds and parts spread evenly, (clips, strata) float64: each class; each label; each fifth of a target.

    Of several labels the number of clips is one stratum more, so that parts are of their sizes even where few labels
    are. The idea of counting labels one by one is that of Sechidis, Tsoumakas, Vlahavas, "On the Stratification of
    Multi-label Data", 2011; here whole groups are dealt out, not clips.
    """
    if task == "classification":
        return np.asarray(np.eye(n_labels)[targets])
    if task == "multilabel":
        return np.column_stack([targets, np.ones(len(targets))]).astype(np.float64)
    inner = np.linspace(0, 1, N_BINS + 1)[1:-1]
    bins = [np.searchsorted(np.quantile(column, inner), column, side="right") for column in targets.T]
    return np.column_stack([np.eye(N_BINS)[own] for own in bins])
