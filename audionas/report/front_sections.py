"""The front of a search with several objectives on the page: a picture for each cost, and a table."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from audionas.report.blocks import Picture, Pictures, Table
from audionas.report.quantities import score_text
from audionas.report.run_files import JsonObject, SearchRun
from audionas.report.svg import drawing, new_figure
from audionas.report.trials import BEST, DOT, OBJECTIVES, TrialLine, is_lower_better

COSTS = {
    "parameters": "parameters",
    "macs": "MACs a clip",
    "macs_per_second": "MACs per second of audio",
    "latency_ms": "latency (ms)",
    "memory_mb": "memory (MB)",
}
NOTE = (
    "No other trial is better in one of these and as good in the others. Scores are of validation clips, used to "
    "choose, and no results: audionas retrain takes any of these files."
)


def front_pictures(search: SearchRun, lines: Sequence[TrialLine], pictures: Pictures) -> list[Picture]:
    """The objective against each cost, the front marked; nothing where the search had one objective."""
    if not search.front:
        return []
    drawn = []
    for cost in search.front["costs"]:
        figure = draw_front(lines, search.front, cost)
        if figure:
            title = f"Front: {_objective(search.front, lines)} against {COSTS.get(cost, cost)}"
            drawn.append(pictures.make(title, figure, "Orange: the trials that no other beats in all objectives."))
    return drawn


def front_table(search: SearchRun, main: str) -> list[Table]:
    """One row a genotype of the front, best by the objective first."""
    if not search.front:
        return []
    objective, costs = search.front["objective"], search.front["costs"]
    rows = tuple(
        (
            point["file"],
            str(point["trial"] + 1),
            score_text(point[objective]),
            *(f"{point[cost]:,.4g}" if cost != "parameters" else f"{point[cost]:,.0f}" for cost in costs),
            point["hash"][:12],
        )
        for point in search.front["points"]
    )
    name = main if objective == "ua" else OBJECTIVES.get(objective, objective)
    head = ("genotype", "trial", name, *(COSTS.get(cost, cost) for cost in costs), "hash")
    return [Table(f"The front ({len(rows)} of {search.front['compared']} trials)", head, rows, NOTE)]


def draw_front(lines: Sequence[TrialLine], front: JsonObject, cost: str) -> Figure | None:
    """The objective against one cost; None where no trial has both."""
    objective = front["objective"]
    kept = {point["trial"] for point in front["points"]}
    points = [
        (value, score, line.number in kept)
        for line in lines
        if (value := _cost(line, cost)) is not None and (score := line.value(objective)) is not None
    ]
    if not points:
        return None
    with drawing():
        figure = new_figure(350, 250)
        axes = figure.add_subplot()
        others, best = [p for p in points if not p[2]], sorted(p for p in points if p[2])
        axes.scatter([x for x, *_ in others], [y for _, y, _ in others], s=20, color=DOT, alpha=0.4)
        axes.plot([x for x, *_ in best], [y for _, y, _ in best], "o-", color=BEST, markersize=5, linewidth=1)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=4))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.4g}" if value < 1e5 else f"{value:.2g}")
        axes.set_xlabel(COSTS.get(cost, cost))
        axes.set_ylabel(_objective(front, lines))
        if is_lower_better(objective):
            axes.invert_yaxis()  # better is up, as with UA
        axes.grid(color="#e6e8eb", linewidth=0.8)
        axes.margins(0.1)
    return figure


def _cost(line: TrialLine, cost: str) -> float | None:
    if cost == "parameters":
        return None if line.parameters is None else float(line.parameters)
    return line.costs.get(cost)


def _objective(front: JsonObject, lines: Sequence[TrialLine]) -> str:
    """The objective in words; `ua` is the task's main score."""
    main = next((line.main for line in lines if line.ua is not None), "UA")
    return main if front["objective"] == "ua" else OBJECTIVES.get(front["objective"], str(front["objective"]))
