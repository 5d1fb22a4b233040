"""`take_snapshot(run)`: reads what a run's files say at this moment; writes nothing and takes no lock."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from audionas.errors import AudionasError, RunError
from audionas.experiment.run_folder import RunFolder
from audionas.run_places import BASELINES_RETRAINED, RANKING, RUN_FILE
from audionas.watching.liveness import is_worked_on
from audionas.watching.searches import search_course
from audionas.watching.snapshot import Course, Part, Snapshot, State
from audionas.watching.steps import (
    chain_course,
    evaluate_course,
    fuse_course,
    hypercolumns_course,
    rank_course,
)
from audionas.watching.trainings import pretrain_course, retrain_course

STARTING_S = 600.0  # kernels may be compiled before a run is locked
Line = Mapping[str, Any]


def course_of(run: Path, record: Line) -> Course:
    """The course of a run of any kind.

    Raises:
        RunError: the kind is unknown.
        AudionasError: a file of the run is damaged.
    """
    kind = str(record.get("kind"))
    if kind not in COURSES:
        raise RunError(f"{run / RUN_FILE}: kind {kind!r} is unknown to this audionas; known: {', '.join(COURSES)}")
    return COURSES[kind](run, record)


def _chain(run: Path, record: Line) -> Course:
    return chain_course(run, record, course_of)


COURSES: dict[str, Callable[[Path, Line], Course]] = {
    "search": search_course, "nested_search": search_course, "retrain": retrain_course, "pretrain": pretrain_course,
    "hypercolumns": hypercolumns_course, "rank": rank_course, "evaluate": evaluate_course, "fuse": fuse_course,
    "compare": _chain, "reproduce": _chain,
}  # fmt: skip


def take_snapshot(run: Path) -> Snapshot:
    """The run in a folder, as far as its files can be read; what is damaged stands in `problems`.

    Raises:
        RunError: the folder is none of a run, or its run.json is damaged or of another version.
    """
    record = RunFolder.open(run).record
    state = _state(run, record)
    try:
        course = course_of(run, record)
    except (AudionasError, LookupError, TypeError, ValueError, AttributeError) as why:
        if not isinstance(why, AudionasError):  # a file with JSON of a form that nobody wrote
            why = RunError(f"{run}: a file of this run has another form than expected ({type(why).__name__}: {why})")
        course = Course(problems=(str(why),))
    return Snapshot(
        run=str(run),
        kind=str(record["kind"]),
        state=state,
        title=_title(record),
        ended=_ended(run, record, state),
        created=str(record.get("created", "")),
        seconds=float(record["cost"].get("seconds") or 0.0),
        course=course if state in ("running", "starting") else course.ended(),
        warnings=tuple(map(str, record["warnings"])),
        inside=_inside(run) if record.get("kind") in ("search", "nested_search") else (),
    )


def _state(run: Path, record: Line) -> State:
    status = str(record["status"])
    if status in ("done", "interrupted", "failed"):
        return status  # type: ignore[return-value]
    held = is_worked_on(run)
    if held is None:
        age_s = time.time() - (run / RUN_FILE).stat().st_mtime
        return "starting" if age_s < STARTING_S else "died"
    return "running" if held else "died"


def _title(record: Line) -> str:
    """What the run does, in a line."""
    words = [str(record["kind"]).replace("_", " ")]
    for key, what in (("strategy", ""), ("space", "over "), ("split", "split "), ("seed", "seed ")):
        if isinstance(record.get(key), str | int):
            words.append(f"{what}{record[key]}")
    plan = record.get("plan")
    named = plan.get("paper", "emotionnas") if record["kind"] == "reproduce" and isinstance(plan, Mapping) else None
    if named is None and isinstance(plan, Mapping):
        named = plan.get("space")
    words += [str(named)] if named else []
    data = record.get("data")
    if isinstance(data, Mapping) and data.get("root"):
        words.append(f"on {Path(str(data['root'])).name}")
    return f"{words[0]}: {', '.join(words[1:])}" if words[1:] else words[0]


def _ended(run: Path, record: Line, state: State) -> str | None:
    """How the run ended and what to do; None while it goes on."""
    go_on = f"go on with: {_resume(run, record)}"
    if state == "died":
        return f"its process has died (the run is not finished, and nobody works on it); {go_on}"
    if state == "interrupted":
        return f"interrupted; {go_on}"
    if state == "failed":
        return f"failed: {record.get('error') or 'no reason is on record'}; mend it, and {go_on}"
    stopped_by = record.get("stopped_by")
    early = f" (stopped by {stopped_by})" if stopped_by not in (None, "budget") else ""
    return f"done{early}" if state == "done" else None


def _resume(run: Path, record: Line) -> str:
    kind, plan = str(record["kind"]), record.get("plan") or {}
    if kind == "fuse":
        return str(record.get("command"))
    command = {"nested_search": "search"}.get(kind, kind)
    if kind == "reproduce":
        command += f" {plan.get('paper', 'emotionnas')}"
    return f"audionas {command} --resume {run}"


def _inside(run: Path) -> tuple[Part, ...]:
    """Later steps that lie in a search's folder: its retrainings, its ranking, hand-made networks beside it."""
    places = [*run.glob(f"retrained*/{RUN_FILE}"), *run.glob(f"{RANKING}/{RUN_FILE}")]
    places += run.glob(f"{BASELINES_RETRAINED}/*/{RUN_FILE}")
    parts = []
    for folder in sorted(place.parent for place in places):
        try:
            record = RunFolder.open(folder).record
        except RunError as why:
            parts.append(Part(str(folder.relative_to(run)), "damaged", str(why)))
            continue
        state = _state(folder, record)
        look = f"audionas watch {folder}" if state in ("running", "starting") else ""
        parts.append(Part(folder.relative_to(run).as_posix(), state, look))
    return tuple(parts)
