"""Plain baselines on the clips of a corpus, under the same outer splits as the retrained networks.

Each leaves its predictions of the headline's test clips in `baselines/<name>.csv` of the run, and its scores are those
of that table, so that it can be compared clip by clip and verified.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from audionas.audio.folds import OuterSplit
from audionas.experiment.corpus import Corpus
from audionas.training.plain_baselines import summarise
from audionas.training.predictions import Predictions, joined
from audionas.training.task_baselines import BASELINES, PlainClips
from audionas.training.tasks import TaskSeam

SEED = 0
FOLDER = "baselines"


def baseline_place(name: str) -> str:
    """Where a run keeps the predictions of a baseline.

    >>> baseline_place("logistic regression on mean + sd of the features")
    'baselines/logistic_regression_on_mean_sd_of_the_features.csv'
    """
    return f"{FOLDER}/{re.sub(r'[^A-Za-z0-9]+', '_', name).strip('_')}.csv"


def baseline_predictions(
    corpora: Mapping[str, Corpus], splits: Sequence[OuterSplit], functionals: np.ndarray | None = None
) -> dict[str, Predictions]:
    """Predictions of the splits' test clips together, by the name of each baseline; each split has its own features.

    Scores are class probabilities (of the majority class one-hot), probabilities of labels, or predicted numbers.
    `functionals` (rows, functionals) are those of all splits; without them the system that hears them is not there.
    """
    found: dict[str, list[Predictions]] = {}
    for split in splits:
        for name, each in _split_results(corpora[split.name], split, functionals).items():
            found.setdefault(name, []).append(each)
    return {name: joined(parts, "test") for name, parts in found.items()}


def written_baselines(run: Path, found: Mapping[str, Predictions], task: TaskSeam) -> list[dict[str, Any]]:
    """Write the tables of predictions into a run; gives one JSON record a baseline, of what the table holds."""
    for name, predictions in found.items():
        predictions.write(run / baseline_place(name))
    return [baseline_record(run, name, task) for name in found]


def baseline_record(run: Path, name: str, task: TaskSeam) -> dict[str, Any]:
    """The record of a baseline from its predictions.

    Raises:
        AudionasError: they are missing or damaged.
    """
    place = baseline_place(name)
    found = Predictions.read(run / place)
    return {
        "name": name,
        "predictions": place,
        **task.metrics(found.truth, found.scores, found.labels).as_record(),
    }


def _split_results(corpus: Corpus, split: OuterSplit, functionals: np.ndarray | None) -> dict[str, Predictions]:
    """The baselines on one split; the windows of a clip count as one clip, their summaries averaged."""
    manifest = corpus.manifest
    index: dict[str, int] = {}
    clip_of_row = [index.setdefault(clip.clip, len(index)) for clip in manifest.clips]
    members: list[list[int]] = [[] for _ in index]
    for row, clip in enumerate(clip_of_row):
        members[clip].append(row)
    clips = PlainClips(
        np.stack([np.mean([summarise(corpus.own_block(row)) for row in rows], axis=0) for rows in members]),
        np.array([_seconds(corpus, rows) for rows in members]),
        np.array([manifest.targets[rows[0]] for rows in members]),
        [manifest.clips[rows[0]].group for rows in members],
        manifest.labels,
        None if functionals is None else np.stack([functionals[rows].mean(axis=0) for rows in members]),
    )
    test, names = _clips(split.test, clip_of_row), list(index)
    scores = BASELINES[manifest.task](clips, test, _clips(split.search, clip_of_row), SEED)
    tested = tuple(names[clip] for clip in test), tuple(clips.groups[clip] for clip in test)
    return {
        name: Predictions(*tested, clips.targets[test], each, manifest.labels, task=manifest.task)
        for name, each in scores.items()
    }


def _seconds(corpus: Corpus, rows: Sequence[int]) -> float:
    clips = [corpus.manifest.clips[row] for row in rows]
    return max(clip.start_s + clip.duration_s for clip in clips) - min(clip.start_s for clip in clips)


def _clips(rows: Sequence[int], clip_of_row: Sequence[int]) -> list[int]:
    return sorted({clip_of_row[row] for row in rows})
