"""Makes fronts.json: non-dominated ranks and crowding distances by pymoo, another implementation (pymoo 0.6.2).

    pip install pymoo==0.6.2 && python tests/reference/nsga2/make_fronts.py

Points are drawn from few values in some cases, so that ties occur in the ranks; crowding distances are compared for
fronts of 3 points or more without ties, which implementations treat differently. pymoo divides the distances by the number of objectives
and the file keeps them multiplied again, as the paper has them.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from pymoo.operators.survival.rank_and_crowding.metrics import calc_crowding_distance
from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting

SHAPES = [
    (1, 2, 0),
    (2, 2, 0),
    (20, 2, 0),
    (30, 3, 0),
    (40, 4, 0),
    (30, 2, 5),
    (40, 3, 4),
]  # points, objectives, values


def main() -> None:
    rng = np.random.default_rng(0)
    cases = []
    for n_points, n_objectives, n_values in SHAPES:
        shape = (n_points, n_objectives)
        values = rng.uniform(size=shape).round(6) if not n_values else rng.integers(n_values, size=shape).astype(float)
        fronts = NonDominatedSorting().do(values)
        ranks = [next(rank for rank, front in enumerate(fronts) if point in front) for point in range(n_points)]
        crowded = [] if n_values else [_crowded(values, front) for front in fronts if len(front) > 2]
        cases.append({"values": values.tolist(), "ranks": ranks, "fronts": crowded})
    Path(__file__).with_name("fronts.json").write_text(json.dumps(cases) + "\n")


def _crowded(values: np.ndarray, front: np.ndarray) -> dict[str, list[float | None]]:
    """Points of a front and their distances; None is infinite."""
    distances = calc_crowding_distance(values[front]) * values.shape[1]
    return {
        "points": [int(point) for point in front],
        "distances": [None if np.isinf(each) else round(float(each), 12) for each in distances],
    }


if __name__ == "__main__":
    main()
