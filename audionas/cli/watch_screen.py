"""What `audionas watch` shows on a terminal."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from audionas.quantities import seconds_text
from audionas.watching.lines import (
    WIDTH,
    current_name,
    part_text,
    printable,
    progress_text,
    series_text,
    shown_parts,
    status_text,
)
from audionas.watching.snapshot import Progress, Snapshot

_STYLES = {
    "running": "green", "starting": "green", "done": "bold green", "interrupted": "yellow", "failed": "bold red",
    "died": "bold red", "waiting": "dim",
}  # fmt: skip


def screen(snapshot: Snapshot, *, is_ascii: bool = False) -> RenderableType:
    """The run as of a snapshot."""
    course = snapshot.course
    rows = Table.grid(padding=(0, 2))
    rows.add_column(no_wrap=True, style="dim")
    rows.add_column(overflow="fold")

    def add(name: str, text: str, style: str = "") -> None:
        rows.add_row(Text(printable(name)), Text(printable(text), style=style))

    add("run", snapshot.run)
    add("status", status_text(snapshot), _STYLES.get(snapshot.state, ""))
    if snapshot.seconds:
        add("work so far", seconds_text(snapshot.seconds))
    for each in course.progress:
        rows.add_row(Text(printable(each.what)), _progress(each))
    if course.current:
        add(current_name(snapshot), course.current, "bold")
    for name, text in course.scores:
        add(name, text)
    for series in course.series:
        add(series.name, series_text(series, is_ascii=is_ascii), "cyan")
    if course.best:
        add("best so far", course.best, "bold")
    for place, line in enumerate(course.genotype):
        add("" if place else "genotype", line)
    for part in (*shown_parts(course.parts), *snapshot.inside):
        add(part.name, part_text(part), _STYLES.get(part.status, ""))
    for line in snapshot.warnings:
        add("warning", line, "yellow")
    for line in course.problems:
        add("cannot be read", line, "red")
    return Group(Text(printable(snapshot.title), style="bold"), rows)


def _progress(progress: Progress) -> RenderableType:
    if not progress.total:
        return Text(progress_text(progress))
    row = Table.grid(padding=(0, 2))
    row.add_row(ProgressBar(progress.total, min(progress.done, progress.total), WIDTH), Text(progress_text(progress)))
    return row
