"""Makes a result JSON, with its tables as Markdown, from the folder of a finished comparison.

python benchmarks/record_comparison.py RUN --out benchmarks/results/comparisons/NAME.json --commit HASH
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from audionas.records import read_json, write_json, write_text

KEPT = ("plan", "conclusions", "tables", "arms", "comparisons", "notes")


def result(run: Path, commit: str, remarks: list[str]) -> dict[str, Any]:
    """The tables of a comparison, with what is needed to repeat it; no path of the machine."""
    record, tables = read_json(run / "run.json", "run file"), read_json(run / "tables.json", "tables")
    found = {
        "commands": [record["command"]],
        "remarks": remarks,
        "date": record["created"][:10],
        "commit": commit,
        "data": {key: value for key, value in record["data"].items() if key != "root"},
        "machine": record["machine"],
        "versions": record["versions"],
        "cost": record["cost"],
        **{key: tables[key] for key in KEPT},
    }
    if (run / "budget.json").exists():
        found["budget"] = read_json(run / "budget.json", "budget")
    return found


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
    head = [f"`{document['commands'][0]}`, {document['date']}, commit {given.commit}", ""]
    tables = (given.run / "tables.md").read_text(encoding="utf-8")
    write_text(given.out.with_suffix(".md"), "\n".join([*head, *(f"- {x}" for x in given.remark), tables]))


if __name__ == "__main__":
    main()
