"""Made-up runs for the browser: a search whose genotype changes, and one whose texts are HTML and script."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.report.many_trials import write_many_trials
from tests.report.retraining_folders import write_retraining
from tests.report.run_folders import write_lines, write_search

CHANGED_AT = (6, 15)  # counted from 0
IMAGE, SCRIPT = "<img src=x onerror=pwned=1>", "</script><script>pwned=1</script>"


def write_moving_search(folder: Path) -> Path:
    """A one-shot search of 20 epochs whose first kept operations are others before two epochs."""
    run = write_search(folder, n_nodes=4)
    lines = _lines(run / "epochs.jsonl")
    for line in lines:
        if line["epoch"] < CHANGED_AT[1]:
            line["genotype"]["normal"][0] = ["max_pool_3x3" if line["epoch"] < CHANGED_AT[0] else "skip_connect", 0]
    lines[-1]["genotype"]["normal"][0] = ["dil_conv_3x3", 0]
    for line in lines[CHANGED_AT[1] :]:
        line["genotype"] = lines[-1]["genotype"]
    write_lines(run / "epochs.jsonl", lines)
    return run


def write_hostile_run(folder: Path) -> Path:
    """A search by trials with its retraining: labels, names, notes, commands and errors try to be more than text."""
    labels = [IMAGE, SCRIPT, "a & b", "'\"`"]
    run = write_many_trials(folder, 12, n_failed=2)
    record = json.loads((run / "run.json").read_text())
    record |= {"notes": ["<marquee>note</marquee>"], "warnings": [SCRIPT], "command": f"audionas search '{IMAGE}'"}
    record["data"] |= {"labels": labels, "root": f"/data/{IMAGE}", "dataset": "csv"}
    (run / "run.json").write_text(json.dumps(record))
    lines = _lines(run / "trials.jsonl")
    for line in lines:
        if line["event"] == "finished" and line["number"] in (3, 4):
            line["error"] = f"{SCRIPT}{IMAGE}"
        elif line["event"] == "proposed":
            line["hash"] = SCRIPT if line["number"] == 5 else line["hash"]
    write_lines(run / "trials.jsonl", lines)
    write_retraining(run / "retrained", labels=labels)
    return run


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
