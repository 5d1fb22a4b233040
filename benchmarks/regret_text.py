"""The tables of regret in `README.md`, from `results/regret/`: PYTHONPATH=. python benchmarks/regret_text.py"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from audionas.records import read_json, write_text

HERE = Path(__file__).parent
README, RESULTS = HERE / "README.md", HERE / "results" / "regret"
TABLES = ("nas_bench_macro", "nasbench301_rows")


def table(found: dict[str, Any]) -> str:
    """One row a strategy: mean (95 % interval of the mean), and standard deviation over seeds, after 100 and 300."""
    lines = ["| strategy | after 100 evaluations | sd | after 300 evaluations | sd |", "|---|---|---|---|---|"]
    for name, at in found["regret"].items():
        cells = [f"`{name}`{' (made-up shorter trainings)' if name in found['made_up_shorter_trainings'] else ''}"]
        for each in at.values():
            low, high = (max(bound, 0.0) for bound in each["interval_95"])
            cells += [f"{each['mean']:.3f} ({low:.3f} to {high:.3f})", f"{each['sd']:.3f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def with_tables(text: str) -> str:
    """The README with the tables of now between their marks."""
    for name in TABLES:
        before, rest = text.split(f"<!-- regret {name} -->", 1)
        _, after = rest.split("<!-- end -->", 1)
        found = read_json(RESULTS / f"{name}.json", "a result")
        text = f"{before}<!-- regret {name} -->\n\n{table(found)}\n\n<!-- end -->{after}"
    return text


if __name__ == "__main__":
    write_text(README, with_tables(README.read_text(encoding="utf-8")))
