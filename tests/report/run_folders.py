"""Run folders as `audionas search` writes them, with made-up numbers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

OPS = [
    "none",
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
]
LABELS = ["anger", "happiness", "neutral", "sadness"]


def write_search(
    folder: Path,
    *,
    status: str = "done",
    n_epochs: int = 20,
    n_nodes: int = 2,
    labels: list[str] = LABELS,
    split: str | None = "1",
    has_genotype: bool = True,
    is_checked: bool = True,
    skips: int = 1,
    seed: int = 0,
) -> Path:
    """A one-shot search of `n_nodes` intermediate nodes; `n_epochs` of 20 are on record."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "run.json", search_record(status, labels, split, is_checked))
    edges = [[2 + node, source] for node in range(n_nodes) for source in range(2 + node)]
    directions = {cell: rng.normal(size=(len(edges), len(OPS))) for cell in ("normal", "reduce")}
    cells = _cells(rng, n_nodes, skips)
    for cell in ("normal", "reduce"):
        for i, (op, source) in enumerate(cells[cell]):
            directions[cell][edges.index([2 + i // 2, source])][OPS.index(op)] = 3.0
    lines = []
    for epoch in range(n_epochs):
        alphas = {cell: (direction * epoch / 12).tolist() for cell, direction in directions.items()}
        lines.append(
            {
                "epoch": epoch,
                "weights_loss": 1.4 * 0.95**epoch + rng.normal() * 0.02,
                "alphas_loss": 1.42 * 0.96**epoch + rng.normal() * 0.03,
                "supernet_ua": min(0.95, 0.25 + 0.03 * epoch + rng.normal() * 0.02),
                "network_ua": min(0.9, 0.25 + 0.02 * epoch + rng.normal() * 0.04) if epoch % 2 else None,
                "scored_on": "used by the search",
                "alphas": alphas,
                "edges": edges,
                "ops": OPS,
                "entropy": {"normal": 2.08 - 0.02 * epoch, "reduce": 2.08 - 0.015 * epoch},
                "margins": {"normal": [0.1, 0.02, 0.3, 0.05], "reduce": [0.1, 0.2, 0.01, 0.4]},
                "skips": skips,
                "genotype": cells,
                "parameters": 4321,
                "seconds": 3.2,
            }
        )
    write_lines(folder / "epochs.jsonl", lines)
    if has_genotype:
        _write_genotype(folder / "genotype.json", cells)
    return folder


def write_trials(folder: Path, n_trials: int = 14) -> Path:
    """A random search: all trials done but the third, which failed, and the last, which is running."""
    rng = np.random.default_rng(3)
    folder.mkdir(parents=True)
    record = search_record("done", LABELS, "1", True)
    record |= {"algorithm": "random", "strategy": "random", "alpha_reach": None, "trials": n_trials}
    write_json(folder / "run.json", record)
    (folder / "strategy.yaml").write_text("algorithm: random\nobjective: ua\n", encoding="utf-8")
    lines: list[dict[str, Any]] = []
    for number in range(n_trials):
        lines.append(
            {
                "event": "proposed",
                "number": number,
                "hash": f"{number:02d}abcdef012345",
                "sample": {},
                "epochs": 5,
                "seed": number,
            }
        )
        score = {
            "ua": rng.uniform(0.3, 0.7),
            "wa": rng.uniform(0.3, 0.7),
            "loss": rng.uniform(0.8, 1.4),
            "parameters": int(rng.integers(2000, 60000)),
        }
        status, error = ("failed", "loss is not finite at step 12") if number == 2 else ("done", None)
        if number < n_trials - 1:
            lines.append(
                {
                    "event": "finished",
                    "number": number,
                    "status": status,
                    "score": None if error else score,
                    "seconds": 4.0,
                    "error": error,
                }
            )
    write_lines(folder / "trials.jsonl", lines)
    _write_genotype(folder / "genotype.json", _cells(rng, 2, 1))
    return folder


def write_nested(folder: Path, names: Iterable[str] = ("1", "2", "3"), status: str = "done") -> Path:
    """One search an outer split; the last has `status`."""
    names = list(names)
    folder.mkdir(parents=True)
    record = search_record(status, LABELS, None, True)
    command = "audionas search runs/emodb4 --nested --out runs/nested"
    write_json(folder / "run.json", record | {"kind": "nested_search", "splits": names, "command": command})
    for seed, name in enumerate(names):
        is_last = name == names[-1]
        unfinished = is_last and status != "done"
        write_search(
            folder / f"split_{name}",
            split=name,
            seed=seed,
            status=status if is_last else "done",
            n_epochs=4 if unfinished else 20,
            has_genotype=not unfinished,
        )
    return folder


def search_record(status: str, labels: list[str], split: str | None, is_checked: bool) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "kind": "search",
        "status": status,
        "created": "2025-11-21T09:00:00",
        "argv": ["audionas", "search"],
        "command": "audionas search runs/emodb4 --exclude-fold 1 --seed 0 --out runs/first",
        "space": "darts_cnn_small",
        "strategy": "darts_small_data",
        "algorithm": "darts",
        "seed": 0,
        "device": "cpu",
        "threads": 2,
        "kernel_path": "torch",
        "data": {
            "root": "/data/emodb4",
            "dataset": "emodb",
            "manifest_sha256": "ab" * 32,
            "n_clips": 118,
            "n_groups": 10,
            "labels": labels,
            "group_source": "speaker, from file names" if is_checked else "each file",
            "fold_source": "the corpus's own sessions",
            "speaker_independence_checked": is_checked,
        },
        "features": {
            "name": "log_mel",
            "sample_rate_hz": 16000,
            "n_mels": 32,
            "hop_ms": 32.0,
            "frames": 64,
            "deltas": False,
        },
        "feature_key": "cafe",
        "input_shape": [1, 32, 64],
        "split": split,
        "parts": {
            "weights": {"n_clips": 48, "n_groups": 4},
            "alphas": {"n_clips": 47, "n_groups": 4},
            "monitor": None,
        },
        "epochs": 20,
        "batch_size": 16,
        "steps_per_epoch": 3,
        "alpha_reach": 3.2,
        "estimate": {"seconds": 55, "memory_mb": 310},
        "warnings": ["class 'sadness' has no clips in the alphas part"],
        "notes": ["2 clips were cut to 2.1 s, 31 were padded"],
        "versions": {"audionas": "0.1.0", "torch": "2.13.0", "nni": "3.0", "python": "3.11.2"},
        "cost": {"seconds": 64.2, "clip_passes": {"forward": 3840, "backward": 1920}},
    }


def _cells(rng: np.random.Generator, n_nodes: int, skips: int) -> dict[str, Any]:
    cells: dict[str, Any] = {}
    for cell in ("normal", "reduce"):
        pairs = []
        for node in range(n_nodes):
            for source in sorted(rng.choice(2 + node, 2, replace=False).tolist()):
                pairs.append([str(rng.choice([op for op in OPS[1:] if op != "skip_connect"])), source])
        for i in range(skips if cell == "normal" else 0):
            pairs[-1 - i][0] = "skip_connect"
        cells[cell] = pairs
        cells[f"{cell}_concat"] = list(range(2, 2 + n_nodes))
    return cells


def _write_genotype(path: Path, cells: dict[str, Any]) -> None:
    write_json(
        path,
        {
            "schema_version": 1,
            "kind": "cnn_cell",
            "space": "darts_cnn_small",
            "cells": cells,
            "macro": {},
            "hash": "0123456789abcdef",
            "provenance": {},
        },
    )


def write_json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")


def write_lines(path: Path, lines: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
