"""What `audionas predict` found, as a table for people, CSV and JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from audionas.audio.labels import SEPARATOR
from audionas.audio.manifest import Task
from audionas.experiment.cuts import Cut
from audionas.training.prediction_columns import PROBABILITY, THRESHOLD, VALUE


@dataclass(frozen=True)
class Predicted:
    """Scores (cuts, labels) float64; `skipped` are the errors of files that were left out."""

    task: Task
    labels: tuple[str, ...]
    networks: tuple[str, ...]
    cuts: tuple[Cut, ...]
    scores: np.ndarray
    skipped: tuple[str, ...] = ()

    @property
    def has_segments(self) -> bool:
        """Whether a file was cut."""
        return not all(cut.is_whole for cut in self.cuts)

    def lines(self) -> list[str]:
        """For standard output: a table of whole files, CSV where there are segments."""
        if self.has_segments:
            return self.csv_text(with_scores=False).splitlines()
        rows = [["file", *self._titles()]]
        rows += [[str(cut.file.path), *self._shown(each)] for cut, each in zip(self.cuts, self.scores, strict=True)]
        widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
        return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]

    def csv_text(self, *, with_scores: bool = True) -> str:
        """file, start and end in s, label and probability; then the probability of every label, if asked for."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        is_regression = self.task == "regression"
        more = [f"{PROBABILITY}{label}" for label in self.labels] if with_scores and not is_regression else []
        writer.writerow(["file", "start", "end", *self._titles(), *more])
        for cut, each in zip(self.cuts, self.scores, strict=True):
            scores = [f"{score:.9g}" for score in each] if more else []
            place = [str(cut.file.path), f"{cut.start_s:.3f}", f"{cut.end_s:.3f}"]
            writer.writerow([*place, *self._shown(each), *scores])
        return text.getvalue()

    def record(self) -> dict[str, Any]:
        """For a script."""
        return {
            "task": self.task,
            "labels": list(self.labels),
            "networks": list(self.networks),
            "predictions": [self._row(cut, each) for cut, each in zip(self.cuts, self.scores, strict=True)],
            "skipped": list(self.skipped),
        }

    def _row(self, cut: Cut, each: np.ndarray) -> dict[str, Any]:
        scores = dict(zip(self.labels, map(float, each), strict=True))
        place = {"file": str(cut.file.path), "start": round(cut.start_s, 6), "end": round(cut.end_s, 6)}
        if self.task == "regression":
            return {**place, "values": scores}
        chosen = self._chosen(each)
        if self.task == "multilabel":
            return {**place, "labels": [self.labels[k] for k in chosen], "probabilities": scores}
        top = self.labels[chosen[0]]
        return {**place, "label": top, "probability": scores[top], "probabilities": scores}

    def _titles(self) -> list[str]:
        return [f"{VALUE}{label}" for label in self.labels] if self.task == "regression" else ["label", "probability"]

    def _shown(self, each: np.ndarray) -> list[str]:
        """Label and probability; several of each joined; of a regression its numbers."""
        if self.task == "regression":
            return [f"{value:.6g}" for value in each]
        chosen = self._chosen(each)
        return [_joined(self.labels[k] for k in chosen), _joined(f"{each[k]:.4f}" for k in chosen)]

    def _chosen(self, each: np.ndarray) -> Sequence[int]:
        if self.task == "multilabel":
            return [int(k) for k in np.flatnonzero(each >= THRESHOLD)]
        return [int(each.argmax())]


def _joined(words: Any) -> str:
    return SEPARATOR.join(words)
