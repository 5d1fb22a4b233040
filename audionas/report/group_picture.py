"""The score of each group (speaker, recording) as a dot, the lowest above."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from audionas.quantities import count_text
from audionas.report.blocks import Gallery, Pictures
from audionas.report.confusion import short
from audionas.report.run_files import JsonObject
from audionas.report.svg import drawing, new_figure
from audionas.training.measures import measures_of

DOT, POOLED = "#2166ac", "#c2570c"
ROW, MOST_GROUPS = 15.0, 60


def group_picture(metrics: JsonObject, pictures: Pictures) -> list[Gallery]:
    """One picture, or none of fewer than two groups."""
    main, _ = measures_of(metrics)
    records = [record for record in metrics.get("per_group") or [] if record.get(main.key) is not None]
    if len(records) < 2:
        return []
    records.sort(key=lambda record: (record[main.key], record["group"]))
    pooled = (metrics.get("headline") or metrics.get("all_splits") or {}).get(main.key)
    shown = _shown(records)
    figure = draw_groups(
        [str(record["group"]) for record in shown],
        [float(record[main.key]) for record in shown],
        [float(record.get(f"{main.key}_sd") or 0.0) for record in shown],
        main.name,
        pooled,
    )
    caption = "Dot: its own test clips; bar: ± sd over trainings"
    caption += f"; line: {main.name} pooled over these clips." if pooled is not None else "."
    if len(shown) < len(records):
        caption += f" The {len(shown) // 2} lowest and the {len(shown) // 2} highest of {len(records):,} groups."
    return [Gallery((pictures.make(f"{main.name} of {count_text(len(records), 'group')}", figure, caption),))]


def draw_groups(
    names: Sequence[str], scores: Sequence[float], sds: Sequence[float], measure: str, pooled: float | None
) -> Figure:
    """Draw (groups,) scores, in the order given from above."""
    places = np.arange(len(names))
    with drawing():
        figure = new_figure(350, 60 + ROW * len(names))
        axes = figure.add_subplot()
        if pooled is not None:
            axes.axvline(pooled, color=POOLED, linewidth=1.2)
        axes.errorbar(scores, places, xerr=sds, fmt="o", color=DOT, markersize=4.5, linewidth=1.2)
        axes.set_yticks(places, [short(name) for name in names], fontsize=8)
        axes.set_ylim(len(names) - 0.4, -0.6)
        if min(scores) >= 0 and max(scores) <= 1:
            axes.set_xlim(-0.02, 1.02)
        axes.set_xlabel(measure)
    return figure


def _shown(records: Sequence[JsonObject]) -> list[JsonObject]:
    if len(records) <= MOST_GROUPS:
        return list(records)
    return [*records[: MOST_GROUPS // 2], *records[-MOST_GROUPS // 2 :]]
