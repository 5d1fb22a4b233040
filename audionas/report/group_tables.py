"""The table of groups (speakers, recordings) of a retraining, the worst first."""

from __future__ import annotations

from audionas.quantities import count_text
from audionas.report.blocks import Block, Table
from audionas.report.quantities import plain, score_text
from audionas.report.run_files import JsonObject
from audionas.training.measures import measure_of_key


def group_tables(metrics: JsonObject) -> list[Block]:
    """One table, or none where groups are not known; the lowest score stands first."""
    records = metrics.get("per_group") or []
    if not records:
        return []
    worst = metrics.get("worst_group") or {}
    score = str(worst.get("score") or "ua")
    rows = [
        (
            str(record["group"]),
            *(score_text(record.get(key), record.get(f"{key}_sd"), _n_seeds(metrics)) for key in _scores(records)),
            plain(record.get("n_clips")),
            plain(record.get("absent_classes") or []),
            _mark(record, worst),
        )
        for record in sorted(records, key=lambda record: (record.get(score, 0.0), record["group"]))
    ]
    head = ("group", *(measure_of_key(key).name for key in _scores(records)), "clips", "absent classes", "remark")
    note = (
        f"Each group's own test clips, mean ± sd over trainings. The lowest of {count_text(len(records), 'group')} is "
        "low by chance too: a few clips move a group's score far."
    )
    return [Table("Per group, worst first", head, tuple(rows), note)]


def _scores(records: list[JsonObject]) -> list[str]:
    return [key for key, value in records[0].items() if isinstance(value, float) and not key.endswith("_sd")]


def _mark(record: JsonObject, worst: JsonObject) -> str:
    marks = ["worst group"] if record["group"] == worst.get("group") else []
    return ", ".join(marks + (["few clips"] if record.get("is_small") else []))


def _n_seeds(metrics: JsonObject) -> int:
    scores = metrics.get("headline") or metrics.get("all_splits") or {}
    return len(scores.get("seeds") or []) or int(scores.get("n_networks") or 0)
