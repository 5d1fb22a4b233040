"""Run folders as `audionas retrain` writes them, with made-up confusions."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from tests.report.run_folders import LABELS, search_record, write_json, write_lines

CLEAN = "pooled UA over the test folds that the search did not read; mean +- sd over seeds"
EVERY = "pooled UA over all test folds, including folds seen by the search"
LOGISTIC = "logistic regression on mean + sd of the features"


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
    run = search_record(status, labels, None, is_checked)
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
    write_json(folder / "run.json", run)
    per_fold = []
    for split in splits:
        for seed in seeds:
            history = [
                {"epoch": epoch, "train_loss": 1.4 * 0.93**epoch + rng.normal() * 0.02, "seconds": 0.7}
                for epoch in range(30)
            ]
            write_lines(folder / f"split_{split}" / f"seed_{seed}" / "history.jsonl", history)
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
    write_json(folder / "metrics.json", metrics)
    return folder


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
