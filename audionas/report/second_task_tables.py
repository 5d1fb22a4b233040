"""Scores of a second task on the page; nothing where there is none."""

from __future__ import annotations

from audionas.quantities import count_text
from audionas.report.blocks import Table
from audionas.report.quantities import score_text
from audionas.report.run_files import JsonObject


def second_task_tables(metrics: JsonObject) -> list[Table]:
    """Pooled scores of the second task, and those of each fold and seed."""
    found = metrics.get("second_task")
    if not found or not found.get("n_clips"):
        return []
    n_seeds = len(found["seeds"])
    pooled = (
        "pooled", "all" if n_seeds > 1 else str(found["seeds"][0]), str(found["n_clips"]),
        *(score_text(found[key], found[f"{key}_sd"], n_seeds) for key in ("ua", "wa")),
    )  # fmt: skip
    folds = [
        (each["split"], str(each["seed"]), str(each["n_clips"]), score_text(each["ua"]), score_text(each["wa"]))
        for each in found["per_fold"]
    ]
    caption = (
        f"Second task: {found['column']} ({', '.join(found['labels'])}), "
        f"{count_text(found['n_clips'], 'test clip')} with a value"
    )
    return [Table(caption, ("fold", "seed", "clips", "UA", "WA"), (pooled, *folds))]
