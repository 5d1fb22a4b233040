"""Writes the tables of `benchmarks/README.md` from `benchmarks/results/*.json`.

python benchmarks/tables.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
START, END = "<!-- tables -->", "<!-- end of tables -->"


def scores(results: dict[str, dict[str, Any]]) -> list[str]:
    """One row a retrained search, its plain baselines below it."""
    lines = [
        "### Scores", "",
        "Pooled over the test folds that the search did not read; mean +- sd over retraining seeds.", "",
        "| result | clips | speakers | parameters | UA | WA | search s | retrain s |",
        "|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for name, found in results.items():
        head = found.get("headline")
        if not head:
            continue
        cost, data = found["cost"], found["data"]
        lines.append(
            f"| [{name}](results/{name}.json) | {head['n_clips']} | {data['n_groups']} | {found['parameters']} | "
            f"{head['ua']:.3f} +- {head['ua_sd']:.3f} | {head['wa']:.3f} +- {head['wa_sd']:.3f} | "
            f"{cost['search_seconds']:.0f} | {cost['retrain_seconds']:.0f} |"
        )
        lines += [
            f"| - {plain['name']}, same folds | | | | {plain['ua']:.3f} | {plain['wa']:.3f} | | |"
            for plain in found["baselines"]
        ]
    return lines


def speeds(results: dict[str, dict[str, Any]]) -> list[str]:
    """One row a search: size of input, seconds a step, memory."""
    lines = [
        "",
        "### Speed and memory of searches",
        "",
        "| result | input | batch | threads | seconds a step | peak memory |",
        "|---|---|---|---|---|---|",
    ]
    for name, found in results.items():
        for search in found["searches"]:
            if "seconds_per_step" not in search:
                continue
            memory = f"{found['peak_memory_mb'] / 1024:.1f} GiB" if "peak_memory_mb" in found else ""
            shape = "x".join(map(str, search["input_shape"]))
            lines.append(
                f"| [{name}](results/{name}.json), fold {search['split']} left out | {shape} | "
                f"{search['batch_size']} | {found['threads']} | {search['seconds_per_step']:.2f} | {memory} |"
            )
    return lines


def commands(results: dict[str, dict[str, Any]]) -> list[str]:
    """What each result was made with."""
    lines = ["", "### Commands and machines", ""]
    for name, found in results.items():
        machine = found["machine"]
        lines.append(
            f"- {name}: {'; '.join(f'`{command}`' for command in found['commands'])}; "
            f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB; {found['date']}. "
            f"{' '.join(found.get('notes', []))}"
        )
    return lines


def main() -> None:
    """Replace the part between the two marks."""
    files = {path.stem: json.loads(path.read_text()) for path in sorted((FOLDER / "results").glob("*.json"))}
    results = {name: found for name, found in files.items() if "searches" in found}  # not the simulation
    page = FOLDER / "README.md"
    head = page.read_text().split(START)[0]
    body = "\n".join([*scores(results), *speeds(results), *commands(results)])
    page.write_text(f"{head}{START}\n\n{body}\n\n{END}\n")


if __name__ == "__main__":
    main()
