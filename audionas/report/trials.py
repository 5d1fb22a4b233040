"""The trials of a multi-trial search as their log tells them, and pictures of them, by what decided."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from audionas.quantities import count_text
from audionas.report.svg import drawing, new_figure
from audionas.training.measures import MEASURES

OBJECTIVES = {"ua": "UA", "loss": "validation loss", "balanced_loss": "class-balanced validation loss"}
DOT, BEST = "#2166ac", "#c2570c"


@dataclass(frozen=True)
class TrialLine:
    """What `trials.jsonl` says of one trial; a trial without a `finished` line is "running".

    `recipe` is the choice from a catalogue; `epoch` counts from 0 and is the one that was scored, of `epochs`.
    `number` counts from 0, as the file does; `shown` counts from 1, as the page and the console do.
    `ua` and `wa` are the main and the second score of the task, `main` and `second` their names. `fraction` is the
    share of the training clips that it was trained on.
    """

    number: int
    genotype_hash: str
    status: str
    ua: float | None = None
    wa: float | None = None
    loss: float | None = None
    balanced_loss: float | None = None
    parameters: int | None = None
    seconds: float | None = None
    error: str = ""
    epoch: int | None = None
    epochs: int | None = None
    recipe: str = ""
    main: str = "UA"
    second: str = "WA"
    fraction: float = 1.0
    costs: Mapping[str, float] = field(default_factory=dict)

    @property
    def thoroughness(self) -> float:
        """How much it was trained: epochs times the share of the training clips."""
        return (self.epochs or 0) * self.fraction

    @property
    def shown(self) -> int:
        """The number for people."""
        return self.number + 1

    @property
    def shown_error(self) -> str:
        """The error for people: of an architecture met before, with the number of that trial from 1."""
        found = re.fullmatch(r"same cell as trial (\d+)", self.error)
        return f"same cell as trial {int(found[1]) + 1}" if found else self.error

    def value(self, objective: str) -> float | None:
        """The score that an objective reads: `ua`, `loss` or `balanced_loss`."""
        return {"ua": self.ua, "loss": self.loss, "balanced_loss": self.balanced_loss}.get(objective)


def trial_lines(events: Sequence[Mapping[str, Any]]) -> list[TrialLine]:
    """One line a trial, in order of number; of a trial run twice, the last proposal and the last finish."""
    proposed = {event["number"]: event for event in events if event.get("event") == "proposed"}
    finished = {event["number"]: event for event in events if event.get("event") == "finished"}
    lines = []
    for number in sorted(proposed.keys() | finished.keys()):
        start, end = proposed.get(number, {}), finished.get(number, {})
        score = end.get("score") or {}
        main, second = next((pair for pair in MEASURES.values() if pair[0].key in score), MEASURES["classification"])
        lines.append(
            TrialLine(
                number=number,
                genotype_hash=str(start.get("hash") or ""),
                status=str(end.get("status") or "running"),
                ua=score.get(main.key),
                wa=score.get(second.key),
                main=main.name,
                second=second.name,
                loss=score.get("loss"),
                balanced_loss=score.get("balanced_loss"),
                parameters=score.get("parameters"),
                seconds=end.get("seconds"),
                error=str(end.get("error") or ""),
                epoch=score.get("epoch"),
                epochs=start.get("epochs"),
                fraction=float(start.get("fraction") or 1.0),
                costs=score.get("costs") or {},
                recipe=str((start.get("sample") or {}).get("recipe") or ""),
            )
        )
    return lines


def is_lower_better(objective: str) -> bool:
    """Whether an objective is a loss."""
    return objective != "ua"


def best_first(lines: Sequence[TrialLine], objective: str) -> list[TrialLine]:
    """Best first as the search ranks them: trained most, objective, fewer parameters, earlier; without a score last.

    Scores of shorter trainings are not compared with those of longer ones.
    """
    sign = 1.0 if is_lower_better(objective) else -1.0

    def rank(line: TrialLine) -> tuple[bool, float, float, int, int]:
        value = line.value(objective)
        return (value is None, -line.thoroughness, sign * (value or 0.0), line.parameters or 0, line.number)

    return sorted(lines, key=rank)


def has_fidelities(lines: Sequence[TrialLine]) -> bool:
    """Whether trials were trained differently thoroughly."""
    return len({line.thoroughness for line in lines}) > 1


def fidelity_text(line: TrialLine) -> str:
    """How much a trial was trained, e.g. "7 epochs" or "20 epochs on 33 % of the clips"."""
    if line.epochs is None:
        return ""
    share = f" on {100 * line.fraction:.0f} % of the clips" if line.fraction < 1 else ""
    return count_text(line.epochs, "epoch") + share


def worth(lines: Sequence[TrialLine]) -> float:
    """What trials cost, in trainings of the most thorough kind."""
    most = max((line.thoroughness for line in lines), default=0.0)
    return sum(line.thoroughness for line in lines) / most if most else 0.0


def count_statuses(lines: Sequence[TrialLine]) -> str:
    """How many trials ended how, e.g. "8 done, 1 failed"."""
    counts = Counter(line.status for line in lines)
    return ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))


def failure_reasons(lines: Sequence[TrialLine]) -> dict[str, list[TrialLine]]:
    """The failed trials by the kind of their error, the commonest first."""
    reasons: dict[str, list[TrialLine]] = {}
    for line in lines:
        if line.status == "failed":
            reasons.setdefault(_reason(line.error), []).append(line)
    return dict(sorted(reasons.items(), key=lambda pair: (-len(pair[1]), pair[0])))


def _reason(error: str) -> str:
    """The class of an error's text, which stands before its colon."""
    if error.startswith("same cell as trial"):
        return "same cell as a trial that failed"
    head = error.split(":", 1)[0].strip()
    return head if head.isidentifier() else error or "not recorded"


def draw_trials(lines: Sequence[TrialLine], objective: str) -> Figure | None:
    """The objective on the validation part against parameters, numbered; None where no trial has both."""
    shown = [line for line in lines if line.parameters and line.value(objective) is not None]
    if not shown:
        return None
    points = [(float(line.parameters or 0), line.value(objective) or 0.0) for line in shown]
    best = points[shown.index(best_first(shown, objective)[0])]
    with drawing():
        most = max(line.thoroughness for line in shown)
        weak = [line.thoroughness < most for line in shown]
        figure = _scatter(points, [str(line.shown) for line in shown], best, weak)
        axes = figure.axes[0]
        sizes = [size for size, _ in points]
        if max(sizes) > 10 * min(sizes):
            axes.set_xscale("log")
            axes.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
            axes.xaxis.set_minor_formatter(NullFormatter())
        else:
            axes.xaxis.set_major_locator(MaxNLocator(nbins=4))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.set_xlabel("parameters")
        _set_values(axes, objective, [value for _, value in points], main_name(lines))
    return figure


def draw_against_text(lines: Sequence[TrialLine], objective: str, losses: Mapping[str, float]) -> Figure | None:
    """The objective against the recipes' losses as language models; None below three trials that have both."""
    shown = [line for line in lines if line.recipe in losses and line.value(objective) is not None]
    if len(shown) < 3:
        return None
    points = [(losses[line.recipe], line.value(objective) or 0.0) for line in shown]
    best = points[shown.index(best_first(shown, objective)[0])]
    with drawing():
        figure = _scatter(points, [line.recipe for line in shown], best)
        figure.axes[0].xaxis.set_major_locator(MaxNLocator(nbins=5))
        figure.axes[0].set_xlabel("loss on text (nats)")
        _set_values(figure.axes[0], objective, [value for _, value in points], main_name(lines))
    return figure


def main_name(lines: Sequence[TrialLine]) -> str:
    """The name of the trials' main score: UA where no trial has one."""
    return next((line.main for line in lines if line.ua is not None), "UA")


def _set_values(axes: Axes, objective: str, values: Sequence[float], main: str) -> None:
    """Name and scale of the vertical axis; one loss far above the others does not flatten them."""
    axes.set_ylabel(f"{main} on the validation part" if objective == "ua" else _loss_text(objective, main))
    if is_lower_better(objective) and max(values) > 4 * min(values) > 0:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.yaxis.set_minor_formatter(NullFormatter())


def _loss_text(objective: str, main: str) -> str:
    """The loss that decides, with its unit: that of a regression is 1 - CCC and has none."""
    return OBJECTIVES.get(objective, objective) + ("" if main == "CCC" else " (nats)")


def _scatter(
    points: Sequence[tuple[float, float]], names: Sequence[str], best: tuple[float, float], weak: Sequence[bool] = ()
) -> Figure:
    """Dots; `weak` ones are pale."""
    figure = new_figure(350, 250)
    axes = figure.add_subplot()
    colours = [to_rgba(DOT, 0.25 if is_weak else 0.7) for is_weak in weak or [False] * len(points)]
    axes.scatter([x for x, _ in points], [y for _, y in points], s=26, color=colours)
    axes.scatter([best[0]], [best[1]], s=110, facecolor="none", edgecolor=BEST, linewidth=2)
    if len(points) <= 15:
        for point, name in zip(points, names, strict=True):
            axes.annotate(name, point, (4, 4), textcoords="offset points", fontsize=8)
    axes.grid(color="#e6e8eb", linewidth=0.8)
    axes.margins(0.1)
    return figure
