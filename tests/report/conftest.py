"""Run folders as `audionas search` and `audionas retrain` write them, with made-up numbers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from audionas.report import write_report

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
CLEAN = "pooled UA over the test folds that the search did not read; mean +- sd over seeds"
EVERY = "pooled UA over all test folds, including folds seen by the search"
LOGISTIC = "logistic regression on mean + sd of the features"


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
    _write_json(folder / "run.json", _search_record(status, labels, split, is_checked))
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
    _write_lines(folder / "epochs.jsonl", lines)
    if has_genotype:
        _write_genotype(folder / "genotype.json", cells)
    return folder


def write_trials(folder: Path, n_trials: int = 14) -> Path:
    """A random search: all trials done but the third, which failed, and the last, which is running."""
    rng = np.random.default_rng(3)
    folder.mkdir(parents=True)
    record = _search_record("done", LABELS, "1", True)
    record |= {"algorithm": "random", "strategy": "random", "alpha_reach": None, "trials": n_trials}
    _write_json(folder / "run.json", record)
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
    _write_lines(folder / "trials.jsonl", lines)
    _write_genotype(folder / "genotype.json", _cells(rng, 2, 1))
    return folder


def write_nested(folder: Path, names: Iterable[str] = ("1", "2", "3"), status: str = "done") -> Path:
    """One search an outer split; the last has `status`."""
    names = list(names)
    folder.mkdir(parents=True)
    record = _search_record(status, LABELS, None, True)
    command = "audionas search runs/emodb4 --nested --out runs/nested"
    _write_json(folder / "run.json", record | {"kind": "nested_search", "splits": names, "command": command})
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


def write_retraining(
    folder: Path,
    *,
    labels: list[str] = LABELS,
    seen: Iterable[str] = (),
    splits: Iterable[str] = ("1",),
    seeds: Iterable[int] = (0, 1, 2),
    skill: float = 0.8,
    logistic_ua: float = 0.5,
    is_checked: bool = True,
    status: str = "done",
    has_metrics: bool = True,
    genotypes: dict[str, str] | None = None,
) -> Path:
    """A retraining whose confusions are drawn with probability `skill` on the diagonal."""
    rng = np.random.default_rng(1)
    folder.mkdir(parents=True, exist_ok=True)
    splits, seeds, seen = list(splits), list(seeds), set(seen)
    run = _search_record(status, labels, None, is_checked)
    run = {key: run[key] for key in ("schema_version", "data", "features", "device", "threads", "versions", "created")}
    run |= {
        "kind": "retrain",
        "status": status,
        "command": "audionas retrain 'runs/my run' --seeds 3",
        "seeds": seeds,
    }
    run |= {
        "epochs": 30,
        "select": "last",
        "genotypes": genotypes or {},
        "cost": {"seconds": 61.5},
        "options": {"mixup": 0.0, "specaugment": False},
    }
    _write_json(folder / "run.json", run)
    per_fold = []
    for split in splits:
        for seed in seeds:
            history = [
                {"epoch": epoch, "train_loss": 1.4 * 0.93**epoch + rng.normal() * 0.02, "seconds": 0.7}
                for epoch in range(30)
            ]
            _write_lines(folder / f"split_{split}" / f"seed_{seed}" / "history.jsonl", history)
            per_fold.append(
                _scored(rng, labels, skill)
                | {"split": split, "seed": seed, "seen_by_search": split in seen, "absent_classes": []}
            )
    if not has_metrics:
        return folder
    clean = [split for split in splits if split not in seen]
    names = ["majority class", "duration only", LOGISTIC]
    rows = [
        {"name": name, "ua": ua, "wa": ua, "recalls": dict.fromkeys(labels, ua)}
        for name, ua in zip(names, (1 / len(labels), 0.4, logistic_ua), strict=True)
    ]
    metrics = {
        "schema_version": 1,
        "labels": labels,
        "parameters": 4321,
        "splits": [
            {
                "name": split,
                "n_clips": 6 * len(labels),
                "n_groups": 2,
                "seen_by_search": split in seen,
                "absent_classes": [],
            }
            for split in splits
        ],
        "headline": _pooled(per_fold, clean, seeds, len(labels), CLEAN) if clean else None,
        "all_splits": _pooled(per_fold, splits, seeds, len(labels), EVERY),
        "per_seed": [{"seed": seed, **_pooled(per_fold, clean or splits, [seed], len(labels), "")} for seed in seeds],
        "per_fold": per_fold,
        "baselines": {"headline": rows if clean else []},
        "speaker_independence_checked": is_checked,
    }
    _write_json(folder / "metrics.json", metrics)
    return folder


@pytest.fixture
def runs() -> SimpleNamespace:
    """The makers of run folders."""
    return SimpleNamespace(
        labels=LABELS, search=write_search, trials=write_trials, nested=write_nested, retraining=write_retraining
    )


@pytest.fixture
def search_run(tmp_path: Path) -> Path:
    """A finished search with its retraining, better than the plain systems."""
    run = write_search(tmp_path / "run")
    write_retraining(run / "retrained")
    return run


@pytest.fixture
def page_of() -> Callable[[Path], str]:
    """The text of the page of a run."""
    return lambda run: write_report(run).read_text(encoding="utf-8")


def _search_record(status: str, labels: list[str], split: str | None, is_checked: bool) -> dict[str, Any]:
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


def _scored(rng: np.random.Generator, labels: list[str], skill: float) -> dict[str, Any]:
    n = len(labels)
    chances = np.full((n, n), (1 - skill) / (n - 1)) + np.eye(n) * (skill - (1 - skill) / (n - 1))
    return _scores(np.array([rng.multinomial(6, row) for row in chances]), labels)


def _scores(confusion: np.ndarray, labels: list[str]) -> dict[str, Any]:
    recalls = np.diag(confusion) / confusion.sum(axis=1)
    return {
        "ua": float(recalls.mean()),
        "wa": float(np.trace(confusion) / confusion.sum()),
        "recalls": dict(zip(labels, map(float, recalls), strict=True)),
        "confusion": confusion.tolist(),
    }


def _pooled(
    per_fold: list[dict[str, Any]], splits: list[str], seeds: list[int], n_classes: int, what: str
) -> dict[str, Any]:
    sums = [
        sum(
            (np.array(fold["confusion"]) for fold in per_fold if fold["seed"] == seed and fold["split"] in splits),
            np.zeros((n_classes, n_classes), int),
        )
        for seed in seeds
    ]
    scored = [_scores(counts, [str(i) for i in range(n_classes)]) for counts in sums]
    uas, was = [row["ua"] for row in scored], [row["wa"] for row in scored]
    return {
        "what": what,
        "ua": float(np.mean(uas)),
        "ua_sd": float(np.std(uas, ddof=1)) if len(uas) > 1 else 0.0,
        "wa": float(np.mean(was)),
        "wa_sd": float(np.std(was, ddof=1)) if len(was) > 1 else 0.0,
        "seeds": seeds,
        "splits": splits,
        "n_clips": int(sums[0].sum()),
        "confusion": sums[0].tolist(),
    }


def _write_genotype(path: Path, cells: dict[str, Any]) -> None:
    _write_json(
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


def _write_json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")


def _write_lines(path: Path, lines: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
