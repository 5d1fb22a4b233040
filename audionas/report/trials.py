"""The trials of a multi-trial search: a scatter of UA against parameters, and a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from audionas.report.svg import drawing, new_figure


@dataclass(frozen=True)
class TrialLine:
    """What `trials.jsonl` says of one trial; a trial without a `finished` line is "running"."""

    number: int
    genotype_hash: str
    status: str
    ua: float | None = None
    wa: float | None = None
    loss: float | None = None
    parameters: int | None = None
    seconds: float | None = None
    error: str = ""


def trial_lines(events: Sequence[Mapping[str, Any]]) -> list[TrialLine]:
    """One line a trial, in order of number; of a trial run twice, the last proposal and the last finish."""
    proposed = {event["number"]: event for event in events if event.get("event") == "proposed"}
    finished = {event["number"]: event for event in events if event.get("event") == "finished"}
    lines = []
    for number in sorted(proposed.keys() | finished.keys()):
        end = finished.get(number, {})
        score = end.get("score") or {}
        lines.append(
            TrialLine(
                number=number,
                genotype_hash=str(proposed.get(number, {}).get("hash") or ""),
                status=str(end.get("status") or "running"),
                ua=score.get("ua"),
                wa=score.get("wa"),
                loss=score.get("loss"),
                parameters=score.get("parameters"),
                seconds=end.get("seconds"),
                error=str(end.get("error") or ""),
            )
        )
    return lines


def count_statuses(lines: Sequence[TrialLine]) -> str:
    """How many trials ended how, e.g. "8 done, 1 failed"."""
    counts = Counter(line.status for line in lines)
    return ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))


def draw_trials(lines: Sequence[TrialLine]) -> Figure | None:
    """UA on the validation part against parameters, numbered; None where no trial has both."""
    points = [(line.parameters, line.ua, line.number) for line in lines if line.parameters and line.ua is not None]
    if not points:
        return None
    sizes, uas, _ = zip(*points, strict=True)
    best = max(points, key=lambda point: (point[1], -point[0]))
    with drawing():
        figure = new_figure(350, 250)
        axes = figure.add_subplot()
        axes.scatter(sizes, uas, s=26, color="#2166ac", alpha=0.7)
        axes.scatter(*best[:2], s=70, facecolor="none", edgecolor="#c2570c", linewidth=2)
        if len(points) <= 15:
            for size, ua, number in points:
                axes.annotate(str(number), (size, ua), (4, 4), textcoords="offset points", fontsize=8)
        if max(sizes) > 10 * min(sizes):
            axes.set_xscale("log")
            axes.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
            axes.xaxis.set_minor_formatter(NullFormatter())
        else:
            axes.xaxis.set_major_locator(MaxNLocator(nbins=4))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.set_xlabel("parameters")
        axes.set_ylabel("UA on the validation part")
        axes.grid(color="#e6e8eb", linewidth=0.8)
        axes.margins(0.1)
    return figure
