"""Curves of several runs in one picture each: training losses, scores over epochs, the best trial so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import mean

from audionas.report.blocks import Gallery, Picture, Pictures, Section
from audionas.report.curves import COLOURS, Line, draw_lines
from audionas.report.run_files import History, RunFiles, SearchRun
from audionas.report.trial_sections import objective_text
from audionas.report.trials import is_lower_better, main_name, trial_lines
from audionas.training.measures import measures_of

Runs = Sequence[tuple[str, RunFiles]]
DASHES = ("-", "--", ":", "-.")


def side_curves(runs: Runs, pictures: Pictures) -> Section | None:
    """A picture for each kind of curve that any of the runs has."""
    drawn = [
        *_pictures(
            runs, pictures, _training, "Training loss of the retraining", "training loss", "Mean over folds and seeds."
        ),
        *_pictures(
            runs, pictures, _supernet, "Score of the supernet", "main score", "Of nested searches: the mean over folds."
        ),
        *_trials(runs, pictures),
    ]
    return Section("side-curves", "Curves of all runs", (Gallery(tuple(drawn)),)) if drawn else None


def _pictures(
    runs: Runs,
    pictures: Pictures,
    of_run: Callable[[RunFiles], Mapping[int, float]],
    title: str,
    y_label: str,
    caption: str,
    x_label: str = "epoch",
) -> list[Picture]:
    lines = []
    for place, (name, files) in enumerate(runs):
        points = of_run(files)
        if points:
            style = COLOURS[place % len(COLOURS)], DASHES[place // len(COLOURS) % len(DASHES)]
            lines.append(Line(name, tuple(points), tuple(points.values()), *style))
    return [pictures.make(title, draw_lines(lines, y_label=y_label, x_label=x_label), caption)] if lines else []


def _training(files: RunFiles) -> dict[int, float]:
    return _means([_losses(history) for history in files.retraining.histories]) if files.retraining else {}


def _losses(history: History) -> dict[int, float]:
    lines = enumerate(history.epochs)
    return {
        int(line.get("epoch", i)) + 1: line["train_loss"] for i, line in lines if line.get("train_loss") is not None
    }


def _supernet(files: RunFiles) -> dict[int, float]:
    key = f"supernet_{measures_of(files.data)[0].key}"
    return _means(
        [
            {int(line["epoch"]) + 1: line[key] for line in search.epochs if line.get(key) is not None}
            for search in files.searches
        ]
    )


def _trials(runs: Runs, pictures: Pictures) -> list[Picture]:
    """One picture an objective: the best so far against the number of trials."""
    found = []
    searched = [(name, files) for name, files in runs if any(search.trials for search in files.searches)]
    for objective in dict.fromkeys(files.searches[0].objective for _, files in searched):
        own = [(name, files) for name, files in searched if files.searches[0].objective == objective]
        label = objective_text(objective, main_name(trial_lines(own[0][1].searches[0].trials)))
        caption = "Validation, used to choose, so optimistic. Of nested searches: the mean over folds."
        found += _pictures(own, pictures, _best_so_far, f"Best {label} so far", label, caption, "trials finished")
    return found


def _best_so_far(files: RunFiles) -> dict[int, float]:
    return _means([_best(search) for search in files.searches])


def _best(search: SearchRun) -> dict[int, float]:
    better = min if is_lower_better(search.objective) else max
    values = [line.value(search.objective) for line in trial_lines(search.trials) if line.status == "done"]
    course: dict[int, float] = {}
    for number, value in enumerate((value for value in values if value is not None), start=1):
        course[number] = better(value, course.get(number - 1, value))
    return course


def _means(courses: Sequence[Mapping[int, float]]) -> dict[int, float]:
    """The mean at every place that any of them has."""
    places = sorted({place for course in courses for place in course})
    return {place: mean(course[place] for course in courses if place in course) for place in places}
