"""`Table`: rows of text and numbers with a title and a note, as JSON and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Cell = str | float | int | None


@dataclass(frozen=True)
class Table:
    """One table; a cell that was not measured is None and reads `-`."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""

    def record(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "title": self.title,
            "columns": list(self.columns),
            "rows": [list(row) for row in self.rows],
            "note": self.note,
        }

    def markdown(self) -> str:
        """The table as Markdown, with its title above and its note below."""
        lines = [f"### {self.title}", "", _line(self.columns), _line(["---"] * len(self.columns))]
        lines += [_line([_text(cell) for cell in row]) for row in self.rows]
        return "\n".join([*lines, *(["", self.note] if self.note else []), ""])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _text(cell: Cell) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, int):
        return f"{cell:,}"
    return f"{cell:.3f}" if isinstance(cell, float) else cell


def mean_sd_cell(value: float, sd: float | None) -> str:
    """A score, with its standard deviation where there is one.

    >>> mean_sd_cell(0.75, 0.01), mean_sd_cell(0.75, None)
    ('0.750 +- 0.010', '0.750')
    """
    return f"{value:.3f}" + (f" +- {sd:.3f}" if sd is not None else "")


def interval_cell(bounds: Sequence[float] | None, form: str = ".3f") -> str | None:
    """An interval, with `form` "+.3f" of a difference; None where there is none.

    >>> interval_cell((0.5, 0.75)), interval_cell((-0.1, 0.2), "+.3f")
    ('0.500 to 0.750', '-0.100 to +0.200')
    """
    return f"{bounds[0]:{form}} to {bounds[1]:{form}}" if bounds else None
