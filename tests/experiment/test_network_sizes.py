"""The sizes in `metrics.json` are those of the largest network, and unknown where one training tells none."""

from __future__ import annotations

import json
from pathlib import Path

from audionas.experiment.network_sizes import network_sizes


def _result(run: Path, place: str, **sizes: float) -> None:
    (run / place).mkdir(parents=True)
    (run / place / "result.json").write_text(json.dumps({"parameters": 1, **sizes}))


def test_the_largest_of_splits_and_seeds_counts(tmp_path: Path) -> None:
    _result(tmp_path, "split_1/seed_0", parameters=10, macs=200, macs_per_second=100.0)
    _result(tmp_path, "split_2/seed_0", parameters=30, macs=150, macs_per_second=120.0)
    _result(tmp_path, "split_2/seed_0/inner_1", parameters=99)
    assert network_sizes(tmp_path) == {"parameters": 30, "macs": 200, "macs_per_second": 120.0}


def test_sizes_of_a_training_of_before_macs_were_counted_are_unknown(tmp_path: Path) -> None:
    _result(tmp_path, "split_1/seed_0", parameters=10, macs=200, macs_per_second=100.0)
    _result(tmp_path, "split_2/seed_0", parameters=30)
    assert network_sizes(tmp_path) == {"parameters": 30, "macs": None, "macs_per_second": None}
