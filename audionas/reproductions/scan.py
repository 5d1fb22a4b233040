"""A scan of one setting of a hand-made system, as a paper's figure shows it: a grid search, its report, its picture.

    OUT/scan_strategy.yaml   OUT/<space>, an ordinary search   OUT/<space>.svg

Every point is trained under the paper's rules in inner folds of the speakers that train the first split, and scored on
all of them; no clip of a test speaker is read.
"""

from __future__ import annotations

import io
from pathlib import Path

from audionas.experiment.run_step import run_step, words
from audionas.experiment.search import SearchRequest, resume, search
from audionas.experiment.search_plan import yaml_text
from audionas.experiment.talk import Talk
from audionas.models.baselines import BASELINES
from audionas.records import read_jsonl, write_text
from audionas.report import write_report
from audionas.report.filter_shapes import draw_filter_shapes, shape_points
from audionas.report.svg import NO_METADATA, drawing
from audionas.report.trials import trial_lines
from audionas.reproductions.hand_made_plan import HandMadePlan
from audionas.search.trials import FILE_NAME
from audionas.spaces import BaselineSpace, load_search_space

INNER_FOLDS = 5
MINIATURE_POINTS = 4  # spread over the options: at least two of one panel
STRATEGY = "scan_strategy.yaml"


def scan(name: str, plan: HandMadePlan, out: Path, talk: Talk) -> None:
    """Train every point of a space, or of a miniature a few; goes on after a stop."""
    place = out / name
    talk.say(f"{plan.paper}: {name}")

    def start(place: Path) -> None:
        write_text(out / STRATEGY, yaml_text(_strategy(name, plan)))
        search(_request(name, plan, out, place), talk)

    run_step(place, start, resume, talk)
    write_report(place)
    _draw(place, out / f"{name}.svg")


def _request(name: str, plan: HandMadePlan, out: Path, place: Path) -> SearchRequest:
    flags = {
        "--space": name, "--strategy": out / STRATEGY, "--device": plan.device, "--threads": plan.threads,
        "--out": place,
    }  # fmt: skip
    return SearchRequest(
        out / "prepared", name, str(out / STRATEGY), device=plan.device, threads=plan.threads, out=place,
        argv=("search", str(out / "prepared"), *words(flags)),
    )  # fmt: skip


def _strategy(name: str, plan: HandMadePlan) -> dict[str, object]:
    space = load_search_space(name)
    assert isinstance(space, BaselineSpace)
    line = BASELINES[space.baseline]
    return {
        "algorithm": "grid",
        "source": line.paper,
        "batch_size": line.batch_size,
        "parts": {"train": 0.75, "validation": 0.25},
        "settings": {"order": "spread" if plan.is_smoke else "listed"},
        "objective": "ua",
        "inner_folds": 0 if plan.is_smoke else INNER_FOLDS,
        "retest": 0,
        "class_weighting": line.class_weighting,
        "recipe": dict(line.recipe) | {"milestones": list(line.recipe.get("milestones", ()))},
        "budget": {
            "trials": MINIATURE_POINTS if plan.is_smoke else space.size(),
            "epochs": 1 if plan.is_smoke else max(plan.epochs.values()),
        },
    }


def _draw(run: Path, out: Path) -> None:
    events = read_jsonl(run / FILE_NAME)
    lines = trial_lines(events)
    figure = draw_filter_shapes(shape_points(events, lines), (lines[0].main, lines[0].second))
    if figure is None:
        return
    stream = io.StringIO()
    with drawing():
        figure.savefig(stream, format="svg", metadata=NO_METADATA)
    write_text(out, stream.getvalue())
