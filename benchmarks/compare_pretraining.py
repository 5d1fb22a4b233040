"""Makes the result of Future Observation Prediction against no pre-training from the folders of the three runs.

    PYTHONPATH=. python benchmarks/compare_pretraining.py emodb4 --pretraining PRE --with RUN --without OTHER

The runs are those of

    audionas pretrain CORPUS MORE ... --exclude-test-of CORPUS --out PRE
    audionas retrain PRE CORPUS --out RUN
    audionas retrain --baseline fop CORPUS --out OTHER

with equal options in the two retrainings: a difference of rules is told, and the test is that of `audionas report`
between runs of the same rules (sign-flip over groups).
"""

from __future__ import annotations

import argparse
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import Any

from record import KEPT_OF_DATA

from audionas.experiment.side_by_side import same_rules, side_runs, unlike
from audionas.records import read_json, write_json

RESULTS = Path(__file__).parent / "results" / "baselines"


def arm(run: Path) -> dict[str, Any]:
    """What is kept of one retraining."""
    record, metrics = read_json(run / "run.json", "run file"), read_json(run / "metrics.json", "metrics file")
    return {
        "command": shown(record["command"]),
        "parameters": metrics["parameters"],
        "headline": metrics["headline"],
        "per_fold": metrics["per_fold"],
        "cost": {"retrain_seconds": record["cost"]["seconds"], "clip_passes": record["cost"]["clip_passes"]},
        "warnings": record.get("warnings", []),
    }


def shown(command: str) -> str:
    """A command with the names of folders in the place of where they lay."""
    return " ".join(word.rsplit("/", 1)[-1] if word.startswith("/") else word for word in command.split())


def main() -> None:
    """Write the result and print the test."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", help="name of the corpus in the results")
    parser.add_argument("--pretraining", type=Path, required=True)
    parser.add_argument("--with", dest="begun", type=Path, required=True)
    parser.add_argument("--without", dest="plain", type=Path, required=True)
    given = parser.parse_args()
    runs = side_runs([given.begun, given.plain])
    tests, notes = same_rules(runs)
    pretraining = read_json(given.pretraining / "run.json", "run file")
    record = read_json(given.plain / "run.json", "run file")
    document = {
        "commands": [shown(pretraining["command"])],
        "date": record["created"][:10],
        "commit": subprocess.run(
            ["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True
        ).stdout.strip(),
        "data": {key: record["data"][key] for key in (*KEPT_OF_DATA, "protocol")},
        "training": {key: record[key] for key in ("epochs", "seeds", "select", "options")},
        "machine": record["machine"],
        "versions": record["versions"],
        "pretraining": {
            "clips": [
                {key: each.get(key) for key in ("dataset", "n_clips", "n_groups")} for each in pretraining["data"]
            ],
            "cost": {key: pretraining["cost"][key] for key in ("seconds", "clip_passes")},
        },
        "with": arm(given.begun),
        "without": arm(given.plain),
        "differences_of_rules": unlike(runs),
        "tests": [asdict(test) for test in tests],
        "notes": notes,
    }
    path = RESULTS.parent / "pretraining" / f"{given.corpus}-fop.json"
    path.parent.mkdir(exist_ok=True)
    write_json(path, document)
    print(path, *(pair for test in tests for pair in test.tests), *notes, sep="\n")


if __name__ == "__main__":
    main()
