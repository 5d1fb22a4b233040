"""Plain baselines on the clips of a corpus, under the same outer splits as the retrained networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from audionas.audio.folds import OuterSplit
from audionas.experiment.corpus import Corpus
from audionas.training.plain_baselines import plain_baselines, summarise

SEED = 0


def baseline_records(corpus: Corpus, splits: Sequence[OuterSplit]) -> list[dict[str, Any]]:
    """One JSON record a baseline; the windows of a clip count as one clip, their summaries averaged."""
    manifest = corpus.manifest
    index: dict[str, int] = {}
    clip_of_row = [index.setdefault(clip.clip, len(index)) for clip in manifest.clips]
    members: list[list[int]] = [[] for _ in index]
    for row, clip in enumerate(clip_of_row):
        members[clip].append(row)
    results = plain_baselines(
        np.stack([np.mean([summarise(corpus.features[row]) for row in rows], axis=0) for rows in members]),
        np.array([_seconds(corpus, rows) for rows in members]),
        np.array([manifest.targets[rows[0]] for rows in members]),
        [manifest.clips[rows[0]].group for rows in members],
        [(split.name, _clips(split.test, clip_of_row), _clips(split.search, clip_of_row)) for split in splits],
        len(manifest.labels),
        SEED,
    )
    return [
        {**asdict(result), "recalls": dict(zip(manifest.labels, result.recalls, strict=True))} for result in results
    ]


def _seconds(corpus: Corpus, rows: Sequence[int]) -> float:
    clips = [corpus.manifest.clips[row] for row in rows]
    return max(clip.start_s + clip.duration_s for clip in clips) - min(clip.start_s for clip in clips)


def _clips(rows: Sequence[int], clip_of_row: Sequence[int]) -> list[int]:
    return sorted({clip_of_row[row] for row in rows})
