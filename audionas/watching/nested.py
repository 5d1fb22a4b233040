"""Runs inside a run: their states, and the course of the one under way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from audionas.errors import AudionasError
from audionas.quantities import seconds_text
from audionas.records import read_json
from audionas.run_places import RUN_FILE
from audionas.watching.snapshot import Course, Part, Progress

MakeCourse = Callable[[Path, Mapping[str, Any]], Course]
WAITING = "waiting"


def read_if_there(path: Path, what: str) -> dict[str, Any] | None:
    """A JSON object; None where there is none.

    Raises:
        AudionasError: the file is damaged.
    """
    if not path.exists():
        return None
    value = read_json(path, what)
    if not isinstance(value, dict):
        raise AudionasError(f"{path}: not a {what}: expected a JSON object, got {type(value).__name__}")
    return value


def inner_course(what: str, folders: Mapping[str, Path], make: MakeCourse, total: int | None = None) -> Course:
    """The course of a run whose work lies in folders of its own, in this order.

    Args:
        what: a noun for them, as `splits`.
        make: gives the course of one of them.
        total: how many there will be; None is as many as there are folders.
    """
    total = len(folders) if total is None else total
    records = {name: read_if_there(folder / RUN_FILE, "run file") for name, folder in folders.items()}
    courses: dict[str, Course] = {}
    problems = []
    for name, record in records.items():
        if record is not None:
            try:
                courses[name] = make(folders[name], record)
            except AudionasError as why:
                problems.append(str(why))
    states = {name: WAITING if record is None else str(record.get("status")) for name, record in records.items()}
    parts = tuple(Part(name, state, _part_text(courses.get(name), records[name])) for name, state in states.items())
    begun = [name for name in records if records[name] is not None]
    current = next((name for name in begun if states[name] != "done"), begun[-1] if begun else None)
    n_done = sum(state == "done" for state in states.values())
    progress = Progress(what, n_done, total, _seconds_left(records, states, courses, total))
    if current is None or current not in courses:
        return Course(progress=(progress,), parts=parts, problems=tuple(problems))
    course = courses[current].within(current, progress, parts)
    return Course(**{**vars(course), "problems": (*problems, *course.problems)})


def _part_text(course: Course | None, record: Mapping[str, Any] | None) -> str:
    """Where a part stands, in a few words."""
    if course is None or record is None:
        return ""
    words = []
    if record.get("status") != "done" and course.progress:
        first = course.progress[0]
        words.append(f"{first.what} {first.done}" + (f"/{first.total}" if first.total else ""))
    scores = dict(course.scores)
    words += [f"{key} {scores[key]}" for key in ("UA", "mAP", "CCC", "headline") if key in scores]
    words += [course.best] if course.best else []
    if record.get("status") == "done":
        words.append(seconds_text((record.get("cost") or {}).get("seconds")))
    if record.get("status") == "failed" and record.get("error"):
        words.append(str(record["error"]))
    return ", ".join(words)


def _seconds_left(
    records: Mapping[str, Mapping[str, Any] | None],
    states: Mapping[str, str],
    courses: Mapping[str, Course],
    total: int,
) -> float | None:
    """From the time of the parts that are done, or the whole time that the one under way will take."""
    costs = [(record or {}).get("cost") or {} for name, record in records.items() if states[name] == "done"]
    spent = [float(cost["seconds"]) for cost in costs if cost.get("seconds") is not None]
    under_way = [name for name in courses if states[name] != "done"]
    left = [courses[name].progress[0].seconds_left for name in under_way if courses[name].progress]
    known = [value for value in left if value is not None]
    rest = total - sum(state == "done" for state in states.values()) - len(under_way)
    if not spent and known:
        first = courses[under_way[0]].progress[0]
        share = first.done / first.total if first.total else 0.0
        spent = [known[0] / (1.0 - share)] if share < 1.0 else [known[0]]
    if not spent:
        return None
    mean = sum(spent) / len(spent)
    return sum(known) + mean * (rest + len(left) - len(known))
