"""The table of speed in the benchmarks' README is what the results say."""

from __future__ import annotations

import importlib.util
from pathlib import Path

FILE = Path(__file__).parents[2] / "benchmarks" / "speed" / "table.py"


def test_the_readmes_table_comes_from_the_results() -> None:
    spec = importlib.util.spec_from_file_location("speed_table", FILE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert f"{module.START}\n\n{module.table()}\n\n{module.END}" in module.README.read_text(encoding="utf-8")
