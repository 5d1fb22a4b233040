"""How far the other kinds of run have come: chains of runs, rankings, evaluations, fusions, hypercolumns."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audionas.audio.folds import split_folder
from audionas.records import read_jsonl
from audionas.run_places import RUN_FILE
from audionas.training.measures import scored_by
from audionas.watching.headline import headline_texts
from audionas.watching.nested import MakeCourse, inner_course, read_if_there
from audionas.watching.snapshot import Course, Progress, Series
from audionas.watching.time_left import seconds_left

Line = Mapping[str, Any]


def chain_course(run: Path, record: Line, make: MakeCourse) -> Course:
    """The course of a reproduction or a comparison: ordinary runs in folders of their own, oldest first."""
    found = sorted(
        (path.parent for pattern in (f"*/{RUN_FILE}", f"*/*/{RUN_FILE}") for path in run.glob(pattern)
         if not (path.parent.parent / RUN_FILE).exists() or path.parent.parent == run),
        key=lambda folder: (str((read_if_there(folder / RUN_FILE, "run file") or {}).get("created")), str(folder)),
    )  # fmt: skip
    folders = {folder.relative_to(run).as_posix(): folder for folder in found}
    total = _n_steps(record)
    course = inner_course("steps", folders, make, total)
    if total is None:  # how many there will be, only the paper's module knows
        first = Progress("steps", course.progress[0].done, None, None)
        course = Course(**{**vars(course), "progress": (first, *course.progress[1:])})
    return course


def _n_steps(record: Line) -> int | None:
    """Searches and retrainings of a comparison; None of a reproduction."""
    plan = record.get("plan") or {}
    if not isinstance(plan.get("arms"), Mapping):
        return None
    searches = len(plan["arms"]) * int(plan.get("searches") or 1)
    return 2 * searches + len(plan.get("networks") or ()) + int(plan.get("architectures") or 0)


def hypercolumns_course(run: Path, record: Line) -> Course:
    """The course of `audionas hypercolumns`: pairs of level and classifier."""
    plan = record.get("plan") or {}
    pairs = [f"{level}_{name}" for level in plan.get("levels") or () for name in plan.get("classifiers") or ()]
    rows = {pair: read_if_there(run / pair / "metrics.json", "metrics file") for pair in pairs}
    scores = [(pair, text) for pair, metrics in rows.items() for _, text in headline_texts(metrics)[:1]]
    n_done = sum(metrics is not None for metrics in rows.values())
    return Course(progress=(Progress("levels and classifiers", n_done, len(pairs)),), scores=tuple(scores))


def rank_course(run: Path, record: Line) -> Course:
    """The course of a ranking: genotypes scored in the supernet and trained alone."""
    lines, total = read_jsonl(run / "genotypes.jsonl"), record.get("genotypes")
    left = seconds_left(lines, total - len(lines) if isinstance(total, int) else None)
    main = scored_by(lines[-1] if lines else {})
    result = read_if_there(run / "ranking.json", "ranking")
    alone = [(line.get("retrained") or [{}])[0].get(main.key) for line in lines]
    series = (
        Series(f"{main.name} in the supernet", tuple(line.get(f"supernet_{main.key}") for line in lines)),
        Series(f"{main.name} trained alone", tuple(alone)),
    )
    return Course(
        progress=(Progress("genotypes", len(lines), total, left),),
        series=series if lines else (),
        best=str(result["conclusion"]) if result and result.get("conclusion") else None,
    )


def evaluate_course(run: Path, record: Line) -> Course:
    """The course of an evaluation: networks that have predicted."""
    names = record.get("networks") or []
    n_done = sum((run / name / "predictions.csv").exists() for name in names)
    scores = headline_texts(read_if_there(run / "metrics.json", "metrics file"))
    return Course(progress=(Progress("networks", n_done, len(names)),), scores=scores)


def fuse_course(run: Path, _: Line) -> Course:
    """The course of a fusion: splits and seeds that are fused."""
    metrics = read_if_there(run / "metrics.json", "metrics file")
    tables = [path for path in run.glob(f"{split_folder('*')}/seed_*/predictions.csv") if path.is_file()]
    shown = (metrics or {}).get("headline") or (metrics or {}).get("all_splits") or {}
    return Course(
        progress=(Progress("splits and seeds", len(tables), len(tables) if metrics else None),),
        scores=headline_texts(metrics),
        best=str(shown["conclusion"]) if shown.get("conclusion") else None,
    )
