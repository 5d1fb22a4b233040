"""Makes a result JSON from finished run folders.

    python benchmarks/record.py RETRAINED --out benchmarks/results/emodb4-darts_cnn_small-darts_small_data.json

RETRAINED is the folder of a retraining inside the folder of its search. For a search alone (a measurement of
speed and memory), give that folder, and `--peak-memory-mb` as `/usr/bin/time -v` reports it.
"""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path
from statistics import median
from typing import Any

from audionas.records import read_json, read_jsonl, write_json

KEPT_OF_DATA = (
    "dataset", "manifest_sha256", "n_clips", "n_groups", "labels", "group_source", "fold_source",
    "speaker_independence_checked",
)  # fmt: skip


def search_record(run: Path) -> dict[str, Any]:
    """Speed, plan and result of one search."""
    record = read_json(run / "run.json", "run file")
    kept = (
        "split",
        "epochs",
        "batch_size",
        "steps_per_epoch",
        "alpha_reach",
        "estimate",
        "parts",
        "input_shape",
        "warnings",
    )
    found: dict[str, Any] = {key: record[key] for key in kept if key in record}
    found["genotype"] = read_json(run / "genotype.json", "genotype file")["cells"]
    found["seconds"] = record["cost"]["seconds"]
    epochs = read_jsonl(run / "epochs.jsonl")
    if epochs:
        each = [epoch["seconds"] for epoch in epochs]
        found |= {
            "seconds_per_epoch": {"min": min(each), "median": median(each), "max": max(each)},
            "seconds_per_step": round(median(each) / record["steps_per_epoch"], 3),
            "last_epoch": {
                key: epochs[-1][key]
                for key in (
                    "weights_loss",
                    "alphas_loss",
                    "supernet_ua",
                    "network_ua",
                    "scored_on",
                    "entropy",
                    "margins",
                    "skips",
                )
            },
        }
    return found


def searches(run: Path) -> list[dict[str, Any]]:
    """The search of a folder, or the searches of a nested one."""
    record = read_json(run / "run.json", "run file")
    names = record.get("splits")
    return [search_record(run / f"split_{name}") for name in names] if names else [search_record(run)]


def result(run: Path, peak_memory_mb: float | None) -> dict[str, Any]:
    """The whole document."""
    record = read_json(run / "run.json", "run file")
    retraining = record if record["kind"] == "retrain" else None
    search_folder = run.parent if retraining else run
    search = read_json(search_folder / "run.json", "run file")
    document: dict[str, Any] = {
        "commands": [part["command"] for part in (search, retraining) if part],
        "date": search["created"][:10],
        "commit": subprocess.run(
            ["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True
        ).stdout.strip(),
        "data": {key: search["data"][key] for key in KEPT_OF_DATA},
        "space": search["space"],
        "strategy": search["strategy"],
        "search_seeds": [search["seed"]],
        "threads": search["threads"],
        "machine": search["machine"],
        "versions": search["versions"],
        "searches": searches(search_folder),
        "cost": {"search_seconds": search["cost"]["seconds"]},
    }
    if peak_memory_mb is not None:
        document["peak_memory_mb"] = peak_memory_mb
    if retraining:
        metrics = read_json(run / "metrics.json", "metrics file")
        document["cost"]["retrain_seconds"] = retraining["cost"]["seconds"]
        document |= {"retraining": {key: retraining[key] for key in ("epochs", "seeds", "select", "options")}}
        document |= {
            key: metrics[key] for key in ("parameters", "headline", "all_splits", "per_seed", "per_fold", "splits")
        }
        document["baselines"] = metrics["baselines"]["headline"]
    return document


def main() -> None:
    """Parse, make, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--peak-memory-mb", type=float)
    parser.add_argument("--note", action="append", default=[], help="a remark for readers")
    parser.add_argument("--commit", help="git commit that ran; default: the one checked out")
    parser.add_argument("--shorten", action="append", default=[], metavar="PATH=NAME", help="a path to write as a name")
    words = parser.parse_args()
    found = result(words.run, words.peak_memory_mb) | {"notes": words.note}
    if words.commit:
        found["commit"] = words.commit
    for pair in words.shorten:
        path, name = pair.split("=", 1)
        found["commands"] = [command.replace(path, name) for command in found["commands"]]
    write_json(words.out, found)
    print(words.out)


if __name__ == "__main__":
    main()
