"""Regret of every multi-trial strategy on complete tables, with the shipped settings, beside random search.

    PYTHONPATH=. python benchmarks/regret.py --tables FOLDER --pieces PIECES --out benchmarks/results/regret

FOLDER holds the Parquet files that `regret_tables.py` names. PIECES keeps one line a finished search, so that a
stopped run goes on. Regret is the best score of the table minus the best found, in points of accuracy. Evaluations are
whole trainings; of successive halving and Hyperband, shorter ones count in part (`regret_fidelity.py`).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from regret_arms import Arm, arms, plain, plain_seeds, searched
from regret_fidelity import rank_correlations
from regret_plot import plot
from regret_tables import TABLES, Case
from scipy import stats

from audionas.records import append_jsonl, read_jsonl, write_json
from audionas.statistics.holm import holm

EVALUATIONS = (100, 300)
CLAIMED = ("regularized_evolution", "tpe", "local_search")  # to be better than random
Curves = NDArray[np.float64]
Run = Callable[[Case, Arm, int, int], Curves]


def curves(case: Case, arm: Arm, seeds: int, pieces: Path, run: Run) -> Curves:
    """(seeds, evaluations): what stands in the pieces, and what is missing computed."""
    path = pieces / case.name / f"{run.__name__}_{arm.name.replace(' ', '_')}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    done = {line["seed"]: line["regret"] for line in read_jsonl(path)}
    for seed in range(seeds):
        if seed not in done:
            found = run(case, arm, seed, max(EVALUATIONS))
            done[seed] = [None if np.isnan(regret) else round(float(regret), 4) for regret in found]
            append_jsonl(path, {"seed": seed, "regret": done[seed]})
    return np.array([done[seed] for seed in range(seeds)], dtype=np.float64)


def summary(found: Curves) -> dict[str, Any]:
    """Mean, its 95 % interval (t), standard deviation, and each seed's regret after so many evaluations."""
    return {
        str(n): {
            "mean": round(float(found[:, n - 1].mean()), 4),
            "interval_95": [round(float(x), 4) for x in interval(found[:, n - 1])],
            "sd": round(float(found[:, n - 1].std(ddof=1)), 4),
            "seeds": found[:, n - 1].tolist(),
        }
        for n in EVALUATIONS
    }


def interval(values: Curves) -> tuple[float, float]:
    """95 % interval of a mean (t distribution); of equal values, the value."""
    half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean() - half), float(values.mean() + half)


def against_random(
    found: dict[str, Curves], names: Sequence[str], alternative: Literal["less", "two-sided"]
) -> list[dict[str, Any]]:
    """Wilcoxon signed-rank tests over seeds, all corrected together by Holm."""
    tests = [(name, n) for name in names for n in EVALUATIONS]
    p_values = [
        float(stats.wilcoxon(found[name][:, n - 1], found["random"][:, n - 1], alternative=alternative).pvalue)
        for name, n in tests
    ]
    return [
        {"strategy": name, "evaluations": n, "p": p, "p_holm": q, "mean_difference_to_random":
         round(float((found[name] - found["random"])[:, n - 1].mean()), 4)}
        for (name, n), p, q in zip(tests, p_values, holm(p_values), strict=True)
    ]  # fmt: skip


def against_plain(ours: Curves, theirs: Curves, confidence: float) -> dict[str, Any]:
    """The interval of the difference of the mean regrets (Welch), ours minus the plain reference's."""
    found = {}
    for n in EVALUATIONS:
        a, b = ours[:, n - 1], theirs[:, n - 1]
        if a.std() + b.std() == 0:
            low = high = float(a.mean() - b.mean())
        else:
            low, high = stats.ttest_ind(a, b, equal_var=False).confidence_interval(confidence)
        bounds = [round(float(low), 4), round(float(high), 4)]
        inside = bool(low <= 0 <= high)
        found[str(n)] = {"mean": round(float(b.mean()), 4), "difference": bounds, "zero_is_inside": inside}
    return found


def document(case: Case, seeds: int, pieces: Path) -> tuple[dict[str, Any], dict[str, Curves]]:
    """The result of a table, and the curves to plot."""
    every = {arm.name: arm for arm in arms(case)}
    found = {name: curves(case, arm, seeds, pieces, searched) for name, arm in every.items()}
    n_plain = {name: plain_seeds(case, arm, seeds) for name, arm in every.items()}
    references = {name: curves(case, arm, n_plain[name], pieces, plain) for name, arm in every.items()}
    confidence = 1 - 0.05 / (len(every) * len(EVALUATIONS))  # 95 % for all of them together (Bonferroni)
    claimed = [name for name in CLAIMED if name in every]
    shortened = [name for name, arm in every.items() if arm.is_short]
    others = [name for name in every if name not in ("random", *CLAIMED)]
    return {
        "schema_version": 1,
        "commands": [
            f"PYTHONPATH=. python benchmarks/regret.py --table {case.name} --seeds {seeds} --tables FOLDER "
            "--pieces PIECES --out benchmarks/results/regret"
        ],
        "date": date.today().isoformat(),
        "table": case.what,
        "best_score": case.evaluator.best,
        "seeds": seeds,
        "versions": {name: version(name) for name in ("nni", "numpy", "scipy", "torch", *_extra(every))},
        "settings": {name: arm.shipped().settings for name, arm in every.items()},
        "changed_settings": {name: dict(arm.changes) for name, arm in every.items() if arm.changes},
        "made_up_shorter_trainings": shortened,
        "their_rank_correlation": rank_correlations(case.evaluator) if shortened else {},
        "regret": {name: summary(found[name]) for name in every},
        "better_than_random": against_random(found, claimed, "less"),
        "different_from_random": against_random(found, others, "two-sided"),
        "plain_reference_seeds": n_plain,
        "plain_reference_confidence": confidence,
        "plain_reference": {name: against_plain(found[name], references[name], confidence) for name in every},
    }, found


def _extra(every: Mapping[str, Arm]) -> list[str]:
    return ["tianshou"] if "policy_gradient" in every else []


def main() -> None:
    """Search, summarise, plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=Path, required=True)
    parser.add_argument("--pieces", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--table", choices=TABLES, default="nas_bench_macro")
    given = parser.parse_args()
    case = TABLES[given.table](given.tables)
    record, found = document(case, given.seeds, given.pieces)
    write_json(given.out / f"{case.name}.json", record)
    plot(found, case.what, given.out / case.name, record["made_up_shorter_trainings"])
    print(given.out / f"{case.name}.json")


if __name__ == "__main__":
    main()
