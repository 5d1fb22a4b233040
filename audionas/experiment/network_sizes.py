"""Sizes of the networks of a retraining, from their `result.json`: of the largest, which may be of another split."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from audionas.records import read_json

SIZES = ("parameters", "macs", "macs_per_second")


def network_sizes(run: Path) -> dict[str, Any]:
    """The largest parameter count, MACs of a clip and MACs per second of audio over splits and seeds.

    None where a training of before MACs were counted says nothing of them.
    """
    results = [read_json(path, "result") for path in sorted(run.glob("split_*/seed_*/result.json"))]
    return {name: _largest([result.get(name) for result in results]) for name in SIZES}


def _largest(values: list[Any]) -> Any:
    return max(values) if values and None not in values else None
