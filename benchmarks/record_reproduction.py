"""Makes a result JSON from the folder of a finished reproduction.

python benchmarks/record_reproduction.py RUN --out benchmarks/results/reproductions/emodb4-emotionnas-folds.json
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from audionas.records import read_json, write_json, write_text

STEPS = ("spectrogram/search", "spectrogram/masked", "spectrogram/unmasked", "frames/search", "frames/masked",
         "frames/unmasked", "fused")  # fmt: skip


def result(run: Path, commit: str, remarks: list[str]) -> dict[str, Any]:
    """The tables and scores of a reproduction, with what is needed to repeat it; no path of the machine."""
    record = read_json(run / "run.json", "run file")
    tables = read_json(run / "tables.json", "tables")
    steps = {step: read_json(run / step / "run.json", "run file") for step in STEPS}
    return {
        "commands": [record["command"]],
        "steps": {
            step: {"seconds": each["cost"]["seconds"], "warnings": each["warnings"]} for step, each in steps.items()
        },
        "remarks": remarks,
        "date": record["created"][:10],
        "commit": commit,
        "data": {key: value for key, value in record["data"].items() if key != "root"},
        "machine": record["machine"],
        "versions": record["versions"],
        "features": {name: _without_paths(steps[f"{name}/masked"]["features"]) for name in ("spectrogram", "frames")},
        **{
            key: tables[key]
            for key in ("plan", "notes", "tables", "scores", "baselines", "fusion", "searches", "claims")
        },
    }


def _without_paths(settings: dict[str, Any]) -> dict[str, Any]:
    return {key: Path(value).name if key in ("model", "checkpoint") else value for key, value in settings.items()}


def main() -> None:
    """Write the result, and its tables as Markdown beside it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--commit", required=True, help="git commit of the code that ran")
    parser.add_argument("--remark", action="append", default=[], help="what a reader of the numbers must know")
    given = parser.parse_args()
    document = result(given.run, given.commit, given.remark)
    write_json(given.out, document)
    tables = (given.run / "tables.md").read_text(encoding="utf-8")
    head = [
        f"`{document['commands'][0]}`, {document['date']}, commit {given.commit}",
        "",
        *(f"- {x}" for x in given.remark),
    ]
    write_text(given.out.with_suffix(".md"), "\n".join([*head, tables]))


if __name__ == "__main__":
    main()
