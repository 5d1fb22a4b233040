"""A snapshot as lines of plain text: rows of a name and what it is."""

from __future__ import annotations

from collections.abc import Sequence

from audionas.quantities import seconds_text
from audionas.watching.snapshot import Part, Progress, Series, Snapshot
from audionas.watching.sparkline import sparkline

PARTS_SHOWN = 12
WIDTH = 40  # of a sparkline and a bar


def snapshot_lines(snapshot: Snapshot, *, is_ascii: bool = False) -> list[str]:
    """What a person reads of a run, line by line."""
    course = snapshot.course
    rows = [("run", snapshot.run), ("status", status_text(snapshot))]
    rows += [("work so far", seconds_text(snapshot.seconds))] if snapshot.seconds else []
    rows += [(each.what, progress_text(each)) for each in course.progress]
    if course.current:
        rows.append((current_name(snapshot), course.current))
    rows += list(course.scores)
    rows += [(each.name, series_text(each, is_ascii=is_ascii)) for each in course.series]
    rows += [("best so far", course.best)] if course.best else []
    rows += [("genotype" if place == 0 else "", line) for place, line in enumerate(course.genotype)]
    rows += [(part.name, part_text(part)) for part in shown_parts(course.parts)]
    rows += [(part.name, part_text(part)) for part in snapshot.inside]
    rows += [("warning", line) for line in snapshot.warnings]
    rows += [("cannot be read", line) for line in course.problems]
    width = max(len(name) for name, _ in rows)
    return [printable(snapshot.title), *(printable(f"  {name:<{width}}  {text}").rstrip() for name, text in rows)]


def status_text(snapshot: Snapshot) -> str:
    """The state, and of one that has ended how."""
    return snapshot.ended or snapshot.state


def current_name(snapshot: Snapshot) -> str:
    """What the part that is shown is called."""
    return "last part" if snapshot.has_ended else "now"


def progress_text(progress: Progress) -> str:
    """Done of how many, and the time left."""
    text = f"{progress.done}" + (f" of {progress.total}" if progress.total is not None else "")
    is_left = progress.seconds_left is not None and (progress.total is None or progress.done < progress.total)
    return f"{text}, about {seconds_text(progress.seconds_left)} left" if is_left else text


def series_text(series: Series, width: int = WIDTH, *, is_ascii: bool = False) -> str:
    """A sparkline with its first and last number."""
    known = [value for value in series.values if value is not None]
    return f"{sparkline(series.values, width, is_ascii=is_ascii)}  {known[0]:.3f} to {known[-1]:.3f}" if known else ""


def part_text(part: Part) -> str:
    """State and words of a part."""
    return f"{part.status}: {part.text}" if part.text else part.status


def shown_parts(parts: Sequence[Part]) -> list[Part]:
    """The parts around the one under way, with a line for those left out."""
    if len(parts) <= PARTS_SHOWN:
        return list(parts)
    place = next((k for k, part in enumerate(parts) if part.status not in ("done", "waiting")), len(parts))
    begin = max(0, min(place - PARTS_SHOWN // 2, len(parts) - PARTS_SHOWN))
    left = len(parts) - PARTS_SHOWN
    return [*parts[begin : begin + PARTS_SHOWN], Part("", f"and {left} more")]


def printable(text: str) -> str:
    """A text from a file without characters that could steer a terminal."""
    return "".join(each if each.isprintable() else "?" for each in text)
