"""What the searches of a reproduction decided, and how firmly: reach of the alphas, margins, agreement over splits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from audionas.audio.folds import find_split, split_folder
from audionas.audio.manifest import Manifest
from audionas.experiment.run_folder import RunFolder
from audionas.records import read_json, read_jsonl
from audionas.search import load_strategy
from audionas.search.one_shot import alpha_reach
from audionas.spaces.agreement import cell_agreement
from audionas.spaces.cnn_cell import KINDS


def one_shot_facts(run: Path) -> dict[str, Any]:
    """Of a nested one-shot search: how far alphas could move, margins of kept edges, agreement over splits.

    `reach` is steps x rate: Adam moves an alpha by about its rate a step at most, and a softmax over 8 operations
    needs differences of about 1 to decide. A margin is the softmax weight of a kept operation above its runner-up.
    """
    splits = RunFolder.open(run).record["splits"]
    folders = [run / split_folder(name) for name in splits]
    records = [RunFolder.open(folder).record for folder in folders]
    last = [read_jsonl(folder / "epochs.jsonl")[-1] for folder in folders]
    margins = [margin for epoch in last for each in epoch["margins"].values() for margin in each]
    cells = [read_json(folder / "genotype.json", "genotype file")["cells"] for folder in folders]
    return {
        "splits": len(splits),
        "strategy": records[0]["strategy"],
        "steps_times_rate": round(mean(record["alpha_reach"] for record in records), 3),
        "steps_times_rate_as_published": round(mean(_published_reach(folder) for folder in folders), 3),
        "margin_mean": round(mean(margins), 4),
        "margin_min": round(min(margins), 4),
        "agreement": round(_agreement(cells), 3),
        "different_genotypes": len({epoch_hash["genotype_hash"] for epoch_hash in records}),
        "seconds": round(sum(record["cost"]["seconds"] for record in records), 1),
    }


def catalogue_facts(runs: Sequence[Path], chosen: Mapping[str, str]) -> dict[str, Any]:
    """Of nested catalogue searches, one for each kind of frames: trials, failures, what each split took.

    Args:
        chosen: for each split the name of the search that it took.
    """
    splits = list(chosen)
    folders = [run / split_folder(name) for run in runs for name in splits]
    trials = [
        [line for line in read_jsonl(folder / "trials.jsonl") if line["event"] == "finished"] for folder in folders
    ]
    taken = [runs[0].parent / chosen[name] / split_folder(name) for name in splits]
    facts = {
        "splits": len(splits),
        "trials": sum(map(len, trials)),
        "failed": sum(line["status"] == "failed" for lines in trials for line in lines),
        "winners": [_winner(folder) for folder in taken],
        "seconds": round(sum(RunFolder.open(folder).record["cost"]["seconds"] for folder in folders), 1),
    }
    return facts if len(runs) == 1 else {**facts, "frames taken": [int(chosen[name].split("_")[1]) for name in splits]}


def _winner(folder: Path) -> str:
    """The option (catalogue id) of the trial that won."""
    document = read_json(folder / "genotype.json", "genotype file")
    number = document["provenance"]["epoch_or_trial"]
    lines = read_jsonl(folder / "trials.jsonl")
    return str(next(x["sample"]["recipe"] for x in lines if x["event"] == "proposed" and x["number"] == number))


def _published_reach(folder: Path) -> float:
    """Steps x rate of the paper's own search on the same split: weights on all search clips but the validating ones."""
    split = find_split(Manifest.read(folder), RunFolder.open(folder).record["split"])
    return alpha_reach(load_strategy("darts_emotionnas"), {"weights": set(split.search) - set(split.dev)})


def _agreement(cells: Sequence[dict[str, Any]]) -> float:
    """Mean share of edges that two splits' genotypes have in common; 1 for a single split."""
    shares = [cell_agreement([cell[kind] for cell in cells], cells[0]["edges_per_node"]) for kind in KINDS]
    return mean(1.0 if share is None else share for share in shares)
