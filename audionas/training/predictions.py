"""`Predictions`: scores of clips in one table, windows of a clip averaged; what report and fuse read.

A table holds several parts: `train` (clips that the weights were trained on), `validation` (those that chose the
epoch), `test`, and `inner_oof` (training clips, each predicted by a network that was trained without its group).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd

from audionas.audio.manifest import Manifest, Task, read_table
from audionas.errors import RunError, unknown
from audionas.records import write_text
from audionas.training.prediction_columns import read_values, task_of_columns, text_columns, value_columns

FIXED_COLUMNS = ("clip", "group", "label", "predicted", "part")
PARTS = ("train", "validation", "test", "inner_oof")


@dataclass(frozen=True)
class Predictions:
    """Scores (clips, labels) float64 for the clips of one part, with the truth (clips,) int64.

    Of several labels a clip, and of a regression, the truth is (clips, labels) float32; scores of a regression are
    predicted numbers in the targets' own units.
    """

    clips: tuple[str, ...]
    groups: tuple[str, ...]
    truth: np.ndarray
    scores: np.ndarray
    labels: tuple[str, ...]
    part: str = "test"
    task: Task = "classification"

    def write(self, path: Path) -> None:
        """Write a table of this part alone."""
        write_predictions(path, [self])

    @staticmethod
    def read(path: Path, part: str = "test") -> Predictions:
        """Read one part of a table.

        Raises:
            RunError: the table is damaged, as in `read_predictions`, or does not hold this part.
        """
        found = read_predictions(path)
        if part not in found:
            raise RunError(f"{path}: no predictions of part {part!r}; it has: {', '.join(found)}")
        return found[part]


def write_predictions(path: Path, parts: Sequence[Predictions]) -> None:
    """Write a CSV, part after part: clip, group, label, predicted, part and one `p:<label>` column a class.

    Of several labels a clip also `t:<label>`, 1 or 0; of a regression `t:<target>` and `y:<target>` alone.
    """
    text = StringIO()
    table = pd.concat([_table(part) for part in parts], ignore_index=True)
    table.to_csv(text, index=False, lineterminator="\n")
    write_text(path, text.getvalue())


def _table(part: Predictions) -> pd.DataFrame:
    if part.task != "classification":
        return _table_of_values(part)
    labels = part.labels
    table = pd.DataFrame({
        "clip": part.clips,
        "group": part.groups,
        "label": [labels[i] for i in part.truth],
        "predicted": [labels[i] for i in part.scores.argmax(axis=1)],
        "part": part.part,
    })  # fmt: skip
    for i, label in enumerate(labels):
        table[f"p:{label}"] = [f"{score:.9g}" for score in part.scores[:, i]]
    return table


def _table_of_values(part: Predictions) -> pd.DataFrame:
    """Of several labels a clip, or of numbers."""
    is_several = part.task == "multilabel"
    texts = text_columns(part.labels, part.truth, part.scores) if is_several else {}
    values = value_columns(part.task, part.labels, part.truth, part.scores)
    return pd.DataFrame({"clip": part.clips, "group": part.groups, **texts, "part": part.part, **values})


def read_predictions(path: Path) -> dict[str, Predictions]:
    """The parts of a table that `write_predictions` wrote, in its order.

    Raises:
        RunError: a column is missing, a score is no finite number, a label has no scores, a part is unknown, or a
            clip stands twice in one part.
    """
    table = read_table(path)
    task = task_of_columns(table)
    if task != "classification":
        return _parts_of_values(path, table, task)
    missing = [name for name in FIXED_COLUMNS if name not in table.columns]
    labels = tuple(str(name)[2:] for name in table.columns if str(name).startswith("p:"))
    if missing or not labels or not len(table):
        raise RunError(f"{path}: not a predictions table (missing: {', '.join(missing) or 'scores'})")
    scores = _scores(path, table, labels)
    return {
        str(part): _part(path, table.loc[rows], scores[np.asarray(rows)], labels, str(part))
        for part, rows in table.groupby("part", sort=False).groups.items()
    }


def _parts_of_values(path: Path, table: pd.DataFrame, task: Task) -> dict[str, Predictions]:
    labels, truth, scores = read_values(path, table, task)
    parts = {}
    for name, indices in table.groupby("part", sort=False).groups.items():
        rows, own = np.asarray(indices), table.loc[indices]
        _check_part(path, own, str(name))
        parts[str(name)] = Predictions(
            tuple(own["clip"]), tuple(own["group"]), truth[rows], scores[rows], labels, str(name), task
        )
    return parts


def _scores(path: Path, table: pd.DataFrame, labels: Sequence[str]) -> np.ndarray:
    try:
        scores = table[[f"p:{label}" for label in labels]].to_numpy(dtype=np.float64)
    except ValueError as why:
        raise RunError(f"{path}: not a predictions table (a score is no number: {why})") from why
    if not np.isfinite(scores).all():
        raise RunError(f"{path}: not a predictions table (a score is not finite)")
    return scores


def _part(path: Path, table: pd.DataFrame, scores: np.ndarray, labels: tuple[str, ...], part: str) -> Predictions:
    unknown_labels = sorted(set(table["label"]) - set(labels))
    if unknown_labels:
        raise RunError(f"{path}: not a predictions table (no scores for label {unknown_labels[0]!r})")
    _check_part(path, table, part)
    truth = np.array([labels.index(label) for label in table["label"]], dtype=np.int64)
    return Predictions(tuple(table["clip"]), tuple(table["group"]), truth, scores, labels, part)


def _check_part(path: Path, table: pd.DataFrame, part: str) -> None:
    if part not in PARTS:
        raise RunError(f"{path}: not a predictions table ({unknown('part', part, PARTS)})")
    twice = table.loc[table["clip"].duplicated(), "clip"]
    if len(twice):
        raise RunError(f"{path}: not a predictions table (clip {twice.iloc[0]!r} stands twice in part {part})")


def average_windows(manifest: Manifest, rows: Sequence[int], scores: np.ndarray, part: str = "test") -> Predictions:
    """Predictions of clips from scores (rows, labels) of their windows, averaged clip by clip."""
    members: dict[str, list[int]] = {}
    for position, row in enumerate(rows):
        members.setdefault(manifest.clips[row].clip, []).append(position)
    first = [rows[positions[0]] for positions in members.values()]
    return Predictions(
        clips=tuple(members),
        groups=tuple(manifest.clips[row].group for row in first),
        truth=manifest.targets[first],
        scores=np.stack([scores[positions].mean(axis=0) for positions in members.values()]),
        labels=manifest.labels,
        part=part,
        task=manifest.task,
    )


def joined(parts: Sequence[Predictions], part: str) -> Predictions:
    """Predictions of several sets of clips as one part, one set after the other."""
    return Predictions(
        clips=tuple(clip for each in parts for clip in each.clips),
        groups=tuple(group for each in parts for group in each.groups),
        truth=np.concatenate([each.truth for each in parts]),
        scores=np.concatenate([each.scores for each in parts]),
        labels=parts[0].labels,
        part=part,
        task=parts[0].task,
    )
