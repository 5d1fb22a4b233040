"""Which of several kinds of frames each split takes: those whose best recipe has the lowest validation loss.

Kinds of frames (encoder, layer, pooling) are choices like any other: each has a nested search of its own, and a split
takes the one that its own search clips prefer, so that no test clip has a say.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from audionas.audio.folds import split_folder
from audionas.experiment.run_folder import RunFolder
from audionas.records import read_json, read_jsonl, write_json

FILE_NAME = "choice.json"


def search_names(frames: Sequence[str]) -> list[str]:
    """Folder names of the searches: `search`, or `search_1`, ... of several kinds of frames."""
    return ["search"] if len(frames) == 1 else [f"search_{number}" for number in range(1, len(frames) + 1)]


def chosen_searches(folder: Path, names: Sequence[str]) -> tuple[Path, ...]:
    """What a stream is retrained from: its nested search, or of several the chosen one of each split."""
    if len(names) == 1:
        return (folder / names[0],)
    if not (folder / FILE_NAME).exists():
        write_json(folder / FILE_NAME, _choice(folder, names))
    splits = read_json(folder / FILE_NAME, "choice")["splits"]
    return tuple(folder / record["chosen"] / split_folder(record["split"]) for record in splits)


def chosen_names(folder: Path, names: Sequence[str]) -> dict[str, str]:
    """The search that each split takes."""
    if len(names) == 1:
        return dict.fromkeys(RunFolder.open(folder / names[0]).record["splits"], names[0])
    records = read_json(folder / FILE_NAME, "choice")["splits"]
    return {record["split"]: record["chosen"] for record in records}


def _choice(folder: Path, names: Sequence[str]) -> dict[str, Any]:
    splits = RunFolder.open(folder / names[0]).record["splits"]
    records = []
    for split in splits:
        losses = {name: _winners_loss(folder / name / split_folder(split)) for name in names}
        records.append({"split": split, "chosen": min(names, key=lambda name: losses[name]), "losses": losses})
    what = "validation loss of each search's winner, on search clips of the split; the lowest is taken"
    return {"schema_version": 1, "what": what, "splits": records}


def _winners_loss(run: Path) -> float:
    """The validation loss of the trial that won."""
    number = read_json(run / "genotype.json", "genotype file")["provenance"]["epoch_or_trial"]
    lines = read_jsonl(run / "trials.jsonl")
    return float(next(x["score"]["loss"] for x in lines if x["event"] == "finished" and x["number"] == number))
