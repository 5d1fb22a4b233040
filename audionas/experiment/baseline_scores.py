"""Plain baselines on the clips of a corpus, under the same outer splits as the retrained networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from audionas.audio.folds import OuterSplit
from audionas.experiment.corpus import Corpus
from audionas.training.metrics import Metrics, pooled
from audionas.training.plain_baselines import summarise
from audionas.training.task_baselines import BASELINES, PlainClips

SEED = 0


def baseline_records(corpora: Mapping[str, Corpus], splits: Sequence[OuterSplit]) -> list[dict[str, Any]]:
    """One JSON record a baseline, pooled over splits, each split with its own features."""
    found: dict[str, list[Metrics]] = {}
    for split in splits:
        for name, metrics in _split_results(corpora[split.name], split).items():
            found.setdefault(name, []).append(metrics)
    return [{"name": name, **pooled(parts).as_record()} for name, parts in found.items()]


def _split_results(corpus: Corpus, split: OuterSplit) -> dict[str, Metrics]:
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
    )
    return BASELINES[manifest.task](clips, _clips(split.test, clip_of_row), _clips(split.search, clip_of_row), SEED)


def _seconds(corpus: Corpus, rows: Sequence[int]) -> float:
    clips = [corpus.manifest.clips[row] for row in rows]
    return max(clip.start_s + clip.duration_s for clip in clips) - min(clip.start_s for clip in clips)


def _clips(rows: Sequence[int], clip_of_row: Sequence[int]) -> list[int]:
    return sorted({clip_of_row[row] for row in rows})
