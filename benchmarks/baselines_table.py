"""Writes the tables of hand-made systems of `benchmarks/README.md` from `benchmarks/results/baselines/*.json`.

python benchmarks/baselines_table.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
START, END = "<!-- baselines -->", "<!-- end of baselines -->"


def table(results: list[dict[str, Any]]) -> list[str]:
    """One row a system, best first; then the plain ones that need no training of a network."""
    first = results[0]
    lines = [
        f"### {first['name']}: {first['headline']['n_clips']} clips, {first['data']['n_groups']} groups, "
        f"protocol {first['data']['protocol']}",
        "",
        f"{first['training']['epochs']} epochs, batch {first['training']['options']['batch_size']}, the last epoch; "
        "intervals over groups; s: wall time, an upper bound, since other work ran on the machine.",
        "",
        "| system | paper | parameters | seeds | UA | 95 % | WA | s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for found in sorted(results, key=lambda found: -found["headline"]["ua"]):
        lines.append(_row(found))
    lines += [f"| {plain['name']} | | | | {plain['ua']:.3f} | | {plain['wa']:.3f} | |" for plain in first["plain"]]
    return [*lines, ""]


def _row(found: dict[str, Any]) -> str:
    head = found["headline"]
    bounds = head["ua_interval"]
    between = f"{bounds[0]:.3f} to {bounds[1]:.3f}" if bounds else ""
    place = f"results/baselines/{found['name']}-{found['baseline']}.json"
    return (
        f"| [{found['baseline']}]({place}) | {found['paper']} | {found['parameters']:,} | "
        f"{len(found['training']['seeds'])} | {_spread(head, 'ua')} | "
        f"{between} | {_spread(head, 'wa')} | {found['cost']['retrain_seconds']:.0f} |"
    )


def _spread(head: dict[str, Any], key: str) -> str:
    sd = head[f"{key}_sd"]
    return f"{head[key]:.3f}" + (f" +- {sd:.3f}" if sd is not None else "")


def main() -> None:
    """Replace the part between the two marks."""
    corpora: dict[str, list[dict[str, Any]]] = {}
    for path in sorted((FOLDER / "results" / "baselines").glob("*.json")):
        name = path.stem.split("-")[0]
        corpora.setdefault(name, []).append({**json.loads(path.read_text()), "name": name})
    body = "\n".join(line for results in corpora.values() for line in table(results))
    page = FOLDER / "README.md"
    before, _, rest = page.read_text().partition(START)
    after = rest.partition(END)[2]
    page.write_text(f"{before}{START}\n\n{body}\n{END}{after}")


if __name__ == "__main__":
    main()
