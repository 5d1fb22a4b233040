"""`Predictions`: scores of clips in one table, windows of a clip averaged; what report and fuse read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd

from audionas.audio.manifest import Manifest, read_table
from audionas.errors import RunError
from audionas.records import write_text

FIXED_COLUMNS = ("clip", "group", "label", "predicted", "part")


@dataclass(frozen=True)
class Predictions:
    """Scores (clips, labels) float64 for the clips of one part, with the truth (clips,) int64."""

    clips: tuple[str, ...]
    groups: tuple[str, ...]
    truth: np.ndarray
    scores: np.ndarray
    labels: tuple[str, ...]
    part: str = "test"

    def write(self, path: Path) -> None:
        """Write a CSV: clip, group, label, predicted, part and one `p:<label>` column a class."""
        table = pd.DataFrame({
            "clip": self.clips,
            "group": self.groups,
            "label": [self.labels[i] for i in self.truth],
            "predicted": [self.labels[i] for i in self.scores.argmax(axis=1)],
            "part": self.part,
        })  # fmt: skip
        for i, label in enumerate(self.labels):
            table[f"p:{label}"] = [f"{score:.9g}" for score in self.scores[:, i]]
        text = StringIO()
        table.to_csv(text, index=False, lineterminator="\n")
        write_text(path, text.getvalue())

    @staticmethod
    def read(path: Path) -> Predictions:
        """Read what `write` wrote.

        Raises:
            RunError: a column is missing, a score is no number, or a label has no scores.
        """
        table = read_table(path)
        missing = [name for name in FIXED_COLUMNS if name not in table.columns]
        labels = tuple(str(name)[2:] for name in table.columns if str(name).startswith("p:"))
        if missing or not labels or not len(table):
            raise RunError(f"{path}: not a predictions table (missing: {', '.join(missing) or 'scores'})")
        unknown_labels = sorted(set(table["label"]) - set(labels))
        try:
            scores = table[[f"p:{label}" for label in labels]].to_numpy(dtype=np.float64)
        except ValueError as why:
            raise RunError(f"{path}: not a predictions table (a score is no number: {why})") from why
        if unknown_labels:
            raise RunError(f"{path}: not a predictions table (no scores for label {unknown_labels[0]!r})")
        truth = np.array([labels.index(label) for label in table["label"]], dtype=np.int64)
        part = str(table["part"].iloc[0])
        return Predictions(tuple(table["clip"]), tuple(table["group"]), truth, scores, labels, part)


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
    )
