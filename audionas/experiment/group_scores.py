"""Scores of each group (speaker, recording) and the worst of them: a mean over people can hide one of them.

The worst of N groups is low by chance too, the more so the fewer clips a group has. Groups of fewer than
`SMALL_GROUP_CLIPS` clips are marked, and are the worst group only where all are so small.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from audionas.audio.folds import split_folder
from audionas.experiment.score_means import mean_scores
from audionas.quantities import count_text
from audionas.training.measures import measure_of_key
from audionas.training.predictions import Predictions, joined
from audionas.training.tasks import TaskSeam

SMALL_GROUP_CLIPS = 10


def group_scores(
    run: Path, splits: Sequence[str], seeds: Sequence[int], task: TaskSeam, is_checked: bool
) -> dict[str, Any]:
    """`per_group` and `worst_group` of a retraining, over the test clips of these splits.

    Args:
        is_checked: whether groups are known (`speaker_independence_checked`); else there is nothing to tell.
    """
    if not is_checked:
        return {"per_group": [], "worst_group": None}
    each = []
    for seed in seeds:
        folders = [run / split_folder(name) / f"seed_{seed}" for name in splits]
        each.append(joined([Predictions.read(folder / "predictions.csv") for folder in folders], "test"))
    return group_records(each, task)


def group_records(each: Sequence[Predictions], task: TaskSeam) -> dict[str, Any]:
    """`per_group` and `worst_group` from the predictions of several trainings (seeds, or networks).

    A group's scores are those of its own clips alone: its UA is the mean recall of the classes it has. They are
    averaged over the trainings in which it was tested, with the sd over them (None with one).
    """
    groups = sorted({group for found in each for group in found.groups})
    records = [_record(group, each, task) for group in groups]
    return {"per_group": records, "worst_group": _worst(records, task.main)}


def worst_group_line(metrics: dict[str, Any]) -> str | None:
    """One line for a person, or None where groups are not known."""
    worst = metrics.get("worst_group")
    if not worst:
        return None
    score = worst["score"]
    return (
        f"worst group: {worst['group']}, {measure_of_key(score).name} {worst[score]:.3f} "
        f"({count_text(worst['n_clips'], 'clip')}; lowest of {count_text(worst['n_groups'], 'group')})"
    )


def _record(group: str, each: Sequence[Predictions], task: TaskSeam) -> dict[str, Any]:
    found = []
    for predictions in each:
        own = np.array([name == group for name in predictions.groups])
        if own.any():
            found.append(task.metrics(predictions.truth[own], predictions.scores[own], predictions.labels).as_record())
    return {
        "group": group,
        "n_clips": found[0]["n_clips"],
        **mean_scores(found),
        "absent_classes": found[0].get("absent_classes", []),
        "is_small": found[0]["n_clips"] < SMALL_GROUP_CLIPS,
    }


def _worst(records: Sequence[dict[str, Any]], score: str) -> dict[str, Any] | None:
    large = [record for record in records if not record["is_small"]] or list(records)
    if not large or score not in large[0]:
        return None
    worst = min(large, key=lambda record: (record[score], record["group"]))
    kept = {key: worst[key] for key in ("group", "n_clips", score, f"{score}_sd", "is_small")}
    n_small = len(records) - len(large)
    left_out = f", {count_text(n_small, 'group')} with fewer left out" if n_small else ""
    of = "all are smaller" if worst["is_small"] else f"groups of {SMALL_GROUP_CLIPS} clips or more{left_out}"
    return {
        "score": score,
        **kept,
        "n_groups": len(large),
        "what": f"lowest {measure_of_key(score).name} of a group ({of})",
    }
