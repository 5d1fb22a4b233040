"""How decided the searches of a run folder are: recorded when a one-shot search ends, read back for its last line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from audionas.audio.folds import split_folder
from audionas.experiment.run_folder import RUN_FILE, RunFolder
from audionas.records import read_jsonl
from audionas.search_logs import EPOCHS_FILE
from audionas.spaces.decision import decision_of, decisions_sentence, evolved_decision

EVOLUTION_FILE = "evolution.jsonl"


def record_decision(run: RunFolder, epoch: int) -> None:
    """Save `decided` in the run.json of a one-shot search whose genotype is that of `epoch`, counted from 0.

    Where an evolution chose, there are no margins and no verdict: the scores of the path that won are kept.
    """
    if (run.path / EVOLUTION_FILE).exists():
        run.save(decided=evolved_decision(read_jsonl(run.path / EVOLUTION_FILE), epoch))
        return
    line = next(line for line in read_jsonl(run.path / EPOCHS_FILE) if line["epoch"] == epoch)
    run.save(decided=decision_of(line))


def decisions(path: Path) -> dict[str, dict[str, Any]]:
    """The `decided` record of each split that has one, by the name of the split.

    Searches by trials have one only if they were restarted: their kept operations have no margins.
    """
    run = RunFolder.open(path, "search", "nested_search")
    folders = [path / split_folder(name) for name in run.record.get("splits", [])] or [path]
    records = [RunFolder.open(folder).record for folder in folders if (folder / RUN_FILE).exists()]
    return {record["split"]: record["decided"] for record in records if "decided" in record}


def decision_lines(path: Path) -> list[str]:
    """What the console says at the end of a search: one line, or none where nothing is known."""
    sentence = decisions_sentence(list(decisions(path).values()))
    return [sentence] if sentence else []
