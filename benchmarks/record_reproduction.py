"""Makes a result JSON from the folder of a finished reproduction.

python benchmarks/record_reproduction.py RUN --out benchmarks/results/reproductions/emodb4-emotionnas-folds.json
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from audionas.experiment.machine_paths import clean_text, without_machine_paths
from audionas.records import read_json, write_json, write_text


def result(run: Path, commit: str, remarks: list[str]) -> dict[str, Any]:
    """The tables and scores of a reproduction, with what is needed to repeat it; no path of the machine."""
    record = read_json(run / "run.json", "run file")
    tables = read_json(run / "tables.json", "tables")
    steps = {
        file.parent.relative_to(run).as_posix(): read_json(file, "run file")
        for pattern in ("*/run.json", "*/*/run.json")
        for file in sorted(run.glob(pattern))
    }
    frames = [step for step in steps if step.startswith("frames/search")]
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
        "features": {step: _without_paths(steps[step]["features_asked"]) for step in ("spectrogram/search", *frames)},
        "settings_taken": _settings_taken(run),
        **{
            key: tables[key]
            for key in ("plan", "notes", "tables", "scores", "baselines", "fusion", "searches", "claims")
        },
    }


def _settings_taken(run: Path) -> dict[str, Any]:
    """What each split chose on its own search clips: kind of frames, learning rate, epochs, with what was compared."""
    taken: dict[str, Any] = {}
    choice = run / "frames" / "choice.json"
    if choice.is_file():
        taken["frames"] = read_json(choice, "choice")
    for file in sorted(run.glob("*/masked/split_*/tuning.json")):
        taken[file.parent.relative_to(run).as_posix()] = read_json(file, "tuning")
    return taken


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
    document = without_machine_paths(result(given.run, given.commit, given.remark), {})
    write_json(given.out, document)
    tables = clean_text((given.run / "tables.md").read_text(encoding="utf-8"), {})
    head = [
        f"`{document['commands'][0]}`, {document['date']}, commit {given.commit}",
        "",
        *(f"- {x}" for x in given.remark),
    ]
    write_text(given.out.with_suffix(".md"), "\n".join([*head, tables]))


if __name__ == "__main__":
    main()
