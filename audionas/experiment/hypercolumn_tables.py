"""The table of hypercolumns: levels down, classifiers across, as `tables.json` and `tables.md`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audionas.experiment.table import Cell, Table, mean_sd_cell
from audionas.records import read_json, write_json, write_text

# Lian et al. 2019, table 2: WA in percent on IEMOCAP, one split.
PAPER: dict[str, dict[str, float]] = {
    "F": {"svm": 61.04, "random_forest": 62.57, "attention_lstm": 58.93},
    "h1": {"svm": 63.92, "random_forest": 56.66, "attention_lstm": 64.68},
    "h2": {"svm": 63.53, "random_forest": 57.39, "attention_lstm": 62.38},
    "h_add": {"svm": 63.72, "random_forest": 58.35, "attention_lstm": 64.88},
    "h_concat": {"svm": 64.11, "random_forest": 58.16, "attention_lstm": 65.54},
}


def write_tables(run: Path, plan: Mapping[str, Any]) -> None:
    """Write the tables of a finished run from the `metrics.json` of each pair."""
    scores = {
        (level, name): read_json(run / f"{level}_{name}" / "metrics.json", "metrics file")
        for level in plan["levels"]
        for name in plan["classifiers"]
    }
    tables = [_table(plan, scores, key) for key in ("wa", "ua")]
    notes = [
        "the paper's figures are on one split of IEMOCAP; on another corpus only the sizes can be compared",
        *([_seen_note(scores)] if _seen_note(scores) else []),
    ]
    write_json(
        run / "tables.json",
        {"schema_version": 1, "tables": [table.record() for table in tables], "notes": notes},
    )
    text = "\n".join([*(f"- {note}" for note in notes), "", *(table.markdown() for table in tables)])
    write_text(run / "tables.md", text)


def _table(plan: Mapping[str, Any], scores: Mapping[tuple[str, str], Mapping[str, Any]], key: str) -> Table:
    names = plan["classifiers"]
    theirs = names if key == "wa" else []
    rows: list[tuple[Cell, ...]] = []
    for level in plan["levels"]:
        found = [scores[level, name]["headline"] or scores[level, name]["all_splits"] for name in names]
        ours = [mean_sd_cell(each[key], each[f"{key}_sd"]) for each in found]
        paper = [_percent(PAPER.get(level, {}).get(name)) for name in theirs]
        rows.append((level, *ours, *paper))
    columns = ("level", *names, *(f"{name}, paper's %" for name in theirs))
    return Table(f"Hypercolumns: {key.upper()}, pooled over test folds, mean +- sd over seeds", columns, tuple(rows))


def _percent(score: float | None) -> str | None:
    return None if score is None else f"{score:.2f}"


def _seen_note(scores: Mapping[tuple[str, str], Mapping[str, Any]]) -> str:
    if all(document["headline"] is not None for document in scores.values()):
        return ""
    return (
        "THE ENCODER HAS READ CLIPS OF EVERY TEST FOLD: these scores are optimistic; see --exclude-test-of of pretrain"
    )
