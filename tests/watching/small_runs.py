"""Run folders of every kind, as far as they have come, with made-up numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from filelock import FileLock

from tests.report.run_folders import write_json, write_lines


def write_run(folder: Path, kind: str, status: str = "done", **fields: Any) -> Path:
    """A folder with a `run.json` alone."""
    write_json(
        folder / "run.json",
        {
            "schema_version": 1, "kind": kind, "status": status, "created": "2026-01-01T00:00:00+00:00",
            "command": f"audionas {kind}", "cost": {"seconds": 10.0}, "warnings": [], **fields,
        },
    )  # fmt: skip
    return folder


def epoch(number: int, **fields: Any) -> dict[str, Any]:
    """A line of `epochs.jsonl`."""
    line = {
        "epoch": number, "weights_loss": 1.5 - 0.1 * number, "alphas_loss": 1.6, "supernet_ua": 0.5,
        "network_ua": 0.25 + 0.05 * number, "scored_on": "monitor", "entropy": {"normal": 2.0}, "skips": 1,
        "skips_of": 4, "parameters": 1234, "seconds": 2.0,
        "genotype": {"normal": [["skip_connect", 0], ["sep_conv_3x3", 1]], "normal_concat": [2],
                     "reduce": [["max_pool_3x3", 0], ["none", 1]], "reduce_concat": [2], "edges_per_node": 2},
    }  # fmt: skip
    return line | fields


def write_epochs(folder: Path, n: int) -> None:
    """So many epochs of a supernet."""
    write_lines(folder / "epochs.jsonl", [epoch(k) for k in range(n)])


def write_history(folder: Path, n: int, *, is_done: bool = False) -> None:
    """So many epochs of one training."""
    write_lines(folder / "history.jsonl", [{"epoch": k, "train_loss": 1.0 / (k + 1), "seconds": 0.5} for k in range(n)])
    if is_done:
        write_json(folder / "result.json", {"seed": 0, "parameters": 10})


def hold(folder: Path) -> FileLock:
    """The lock of a run, held as the process that works on it holds it."""
    lock = FileLock(folder / ".lock")
    lock.acquire(timeout=0)
    return lock
