"""Writes into strategies/README.md which shipped strategy searches which shipped space, from the code.

PYTHONPATH=. python benchmarks/strategy_pairs.py
"""

from __future__ import annotations

from pathlib import Path

from audionas import shipped
from audionas.errors import SettingsError
from audionas.records import write_text
from audionas.search.algorithms import check_pair
from audionas.search.strategy import load_strategy
from audionas.spaces import load_search_space

README = Path(__file__).parents[1] / "strategies" / "README.md"
START, END = "<!-- pairs: made by benchmarks/strategy_pairs.py -->\n", "<!-- end of pairs -->\n"


def pairs_table() -> str:
    """A Markdown table: a row a strategy, a column a space; `yes`, or `-` where the pair is refused."""
    spaces = shipped.names("search_spaces")
    lines = ["| strategy | " + " | ".join(f"`{space}`" for space in spaces) + " |", "|---" * (len(spaces) + 1) + "|"]
    for strategy in shipped.names("strategies"):
        cells = ["yes" if fits(strategy, space) else "-" for space in spaces]
        lines.append(f"| `{strategy}` | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def fits(strategy: str, space: str) -> bool:
    """Whether a shipped strategy may search a shipped space."""
    found = load_search_space(space)
    try:
        check_pair(load_strategy(strategy).algorithm, found.kind, found.name)
    except SettingsError:
        return False
    return True


def with_table(text: str) -> str:
    """The README's text with the table as the code has it."""
    head, rest = text.split(START)
    return head + START + pairs_table() + END + rest.split(END)[1]


if __name__ == "__main__":
    write_text(README, with_table(README.read_text(encoding="utf-8")))
