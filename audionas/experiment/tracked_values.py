"""What trackers are told of a run: flat numbers, its settings, and at its end scores, hashes and genotypes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audionas.errors import AudionasError
from audionas.records import parse_yaml, read_json
from audionas.run_places import RUN_FILE
from audionas.training.ledger import cost_so_far
from audionas.training.measures import measures_of

_LEFT_OUT = ("epoch", "number", "alphas", "weights", "edge_weights", "edges", "ops", "options", "margins", "genotype",
             "unlimited", "alarm")  # fmt: skip
_OF_RUN = (
    "kind", "command", "space", "strategy", "algorithm", "seed", "seeds", "epochs", "trials", "batch_size",
    "steps_per_epoch", "alpha_reach", "select", "pick", "split", "splits", "restarts", "engine", "inner_folds",
    "retests", "limits", "device", "threads", "kernel_path", "features", "input_shape", "tuning", "options", "delay",
)  # fmt: skip
_OF_DATA = ("dataset", "task", "n_clips", "n_groups", "manifest_sha256")


def flat_numbers(record: Mapping[str, Any], prefix: str = "") -> dict[str, float]:
    """The finite numbers of a record; those of mappings in it by path.

    >>> flat_numbers({"epoch": 3, "weights_loss": 0.5, "entropy": {"normal": 2.0}, "scored_on": "monitor"}, "split_1/")
    {'split_1/weights_loss': 0.5, 'split_1/entropy/normal': 2.0}
    """
    found: dict[str, float] = {}
    for key, value in record.items():
        if key in _LEFT_OUT:
            continue
        if isinstance(value, Mapping):
            found |= flat_numbers(value, f"{prefix}{key}/")
        elif isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            found[f"{prefix}{key}"] = float(value)
    return found


def run_settings(run: Path) -> dict[str, Any]:
    """The resolved settings of a run, flat; of a nested search those of its first split."""
    record = read_json(run / RUN_FILE, "run file")
    first = next(iter(sorted(run.glob(f"split_*/{RUN_FILE}"))), None)
    inner = read_json(first, "run file") if first and record["kind"] == "nested_search" else {}
    values = {key: record.get(key, inner.get(key)) for key in _OF_RUN}
    values["data"] = {key: (record.get("data") or {}).get(key) for key in _OF_DATA}
    values["versions"] = record.get("versions")
    folder = first.parent if inner and first else run
    for name in ("strategy", "space"):
        values[f"{name}_settings"] = _yaml(folder / f"{name}.yaml")
    return _flat(values)


def end_numbers(run: Path) -> tuple[dict[str, float], dict[str, str]]:
    """The last numbers of a finished run, and what is text: hashes and the verdict."""
    numbers: dict[str, float] = {}
    texts: dict[str, str] = {}
    record = read_json(run / RUN_FILE, "run file")
    cost = cost_so_far()
    numbers |= flat_numbers({key: cost.get(key) for key in ("seconds", "device_seconds", "clip_passes")}, "cost/")
    for place, inner in _records(run, record).items():
        prefix = f"{place}/" if place else ""
        if inner.get("genotype_hash"):
            texts[f"{prefix}genotype_hash"] = str(inner["genotype_hash"])
        if (inner.get("decided") or {}).get("verdict"):
            texts[f"{prefix}verdict"] = str(inner["decided"]["verdict"])
        costs = inner.get("network_costs") or {}
        numbers |= flat_numbers(costs, f"{prefix}network/")
    if (run / "metrics.json").exists():
        numbers |= _score_numbers(read_json(run / "metrics.json", "metrics file"))
    return numbers, texts


def end_files(run: Path) -> dict[str, Path]:
    """Files for a tracker, by name: genotypes, and the metrics of a retraining."""
    paths = [*run.glob("genotype.json"), *sorted(run.glob("split_*/genotype.json")), *run.glob("metrics.json")]
    return {path.relative_to(run).as_posix(): path for path in paths}


def _records(run: Path, record: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The run, and the splits of a nested search, by their place in it."""
    if record["kind"] != "nested_search":
        return {"": record}
    return {path.parent.name: read_json(path, "run file") for path in sorted(run.glob(f"split_*/{RUN_FILE}"))}


def _score_numbers(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Scores with their intervals, and those of every fold and seed."""
    keys = [measure.key for measure in measures_of(metrics)]
    found = flat_numbers({"parameters": metrics.get("parameters"), "macs": metrics.get("macs")})
    for name in ("headline", "all_splits"):
        part = metrics.get(name) or {}
        for key in keys:
            low, high = part.get(f"{key}_interval") or (None, None)
            values = {key: part.get(key), f"{key}_sd": part.get(f"{key}_sd"), f"{key}_low": low, f"{key}_high": high}
            found |= flat_numbers(values, f"{name}/")
    for fold in metrics.get("per_fold") or []:
        found |= flat_numbers({key: fold.get(key) for key in keys}, f"split_{fold['split']}/seed_{fold['seed']}/test/")
    return found


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings by path; nothing that is not set."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{key}.")
        elif value is not None and value not in ("", [], ()):
            found[f"{prefix}{key}"] = value if isinstance(value, int | float | str) else ", ".join(map(str, value))
    return found


def _yaml(path: Path) -> dict[str, Any]:
    try:
        return parse_yaml(path.read_text(encoding="utf-8"), str(path))
    except (AudionasError, OSError):
        return {}
