"""Regret of every multi-trial strategy on complete tables, with the shipped settings, beside random search.

    PYTHONPATH=. python benchmarks/regret.py --tables FOLDER --pieces PIECES --out benchmarks/results/regret

FOLDER holds the Parquet files that `regret_tables.py` names. PIECES keeps one line a finished search, so that a
stopped run goes on. Regret is the best score of the table minus the best found, in points of accuracy.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from datetime import date
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from regret_plot import plot
from regret_tables import TABLES, Case
from scipy import stats

from audionas import shipped
from audionas.records import append_jsonl, read_jsonl, write_json
from audionas.search.strategy import load_strategy
from audionas.search.tabular_replay import regret_curve, replay
from audionas.statistics.holm import holm

EVALUATIONS = (100, 300)
CLAIMED = ("regularized_evolution", "tpe", "local_search")  # to be better than random
PLAIN_TIMES = 4  # times as many seeds of a plain reference, so that the luck is mostly ours
ENUMERATING = ("catalogue",)  # takes one list only
Curves = NDArray[np.float64]


def strategies(case: Case) -> list[str]:
    """The shipped multi-trial strategies with a plain reference that can search a table, random first."""
    found = [name for name in shipped.names("strategies") if load_strategy(name).kind == "multi-trial"]
    is_list = len(case.space.choices()) == 1
    fitting = [name for name in found if name in ("random", *ENUMERATING)] if is_list else found
    fitting = [name for name in fitting if is_list or name not in ENUMERATING]
    return sorted(filter(has_plain, fitting), key=lambda name: name != "random")


def has_plain(name: str) -> bool:
    """Whether a strategy has a plain reference."""
    return (Path("tests/reference/plain_search") / f"{_module(name)}.py").is_file()


def _module(name: str) -> str:
    return {"random": "random_search"}.get(name, name)


def searched(case: Case, name: str, seed: int) -> Curves:
    """(evaluations,): regret after each trial of a strategy as it ships."""
    strategy = load_strategy(name).with_budget(epochs=1, trials=max(EVALUATIONS))
    return regret_curve(case.evaluator, replay(case.space, strategy, case.evaluator, seed=seed))


def plain(case: Case, name: str, seed: int) -> Curves:
    """(evaluations,): the same of its plain reference, without NNI."""
    search: Callable[..., list[float]] = import_module(f"tests.reference.plain_search.{_module(name)}").search
    sizes = [len(options) for options in case.space.choices().values()]
    scores = search(sizes, case.score, max(EVALUATIONS), seed)
    return case.evaluator.best - np.maximum.accumulate(np.asarray(scores, dtype=np.float64))


def curves(case: Case, name: str, seeds: int, pieces: Path, run: Callable[[Case, str, int], Curves]) -> Curves:
    """(seeds, evaluations): what stands in the pieces, and what is missing computed."""
    path = pieces / case.name / f"{run.__name__}_{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    done = {line["seed"]: line["regret"] for line in read_jsonl(path)}
    for seed in range(seeds):
        if seed not in done:
            done[seed] = [round(float(regret), 4) for regret in run(case, name, seed)]
            append_jsonl(path, {"seed": seed, "regret": done[seed]})
    return np.array([done[seed] for seed in range(seeds)])


def summary(found: Curves) -> dict[str, Any]:
    """Mean, its 95 % interval (t), and each seed's regret after so many evaluations."""
    return {
        str(n): {
            "mean": round(float(found[:, n - 1].mean()), 4),
            "interval_95": [round(float(x), 4) for x in interval(found[:, n - 1])],
            "seeds": found[:, n - 1].tolist(),
        }
        for n in EVALUATIONS
    }


def interval(values: Curves) -> tuple[float, float]:
    """95 % interval of a mean (t distribution); of equal values, the value."""
    half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean() - half), float(values.mean() + half)


def better_than_random(found: dict[str, Curves], names: Sequence[str]) -> list[dict[str, Any]]:
    """One-sided Wilcoxon signed-rank tests over seeds, all corrected together by Holm."""
    tests = [(name, n) for name in names for n in EVALUATIONS]
    p_values = [
        float(stats.wilcoxon(found[name][:, n - 1], found["random"][:, n - 1], alternative="less").pvalue)
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
    names = strategies(case)
    found = {name: curves(case, name, seeds, pieces, searched) for name in names}
    references = {name: curves(case, name, PLAIN_TIMES * seeds, pieces, plain) for name in names}
    confidence = 1 - 0.05 / (len(names) * len(EVALUATIONS))  # 95 % for all of them together (Bonferroni)
    claimed = [name for name in CLAIMED if name in names]
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
        "versions": {name: version(name) for name in ("nni", "numpy", "scipy")},
        "settings": {name: load_strategy(name).settings for name in names},
        "regret": {name: summary(found[name]) for name in names},
        "better_than_random": better_than_random(found, claimed),
        "plain_reference_seeds": PLAIN_TIMES * seeds,
        "plain_reference_confidence": confidence,
        "plain_reference": {name: against_plain(found[name], references[name], confidence) for name in names},
    }, found


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
    plot(found, case.what, given.out / case.name)
    print(given.out / f"{case.name}.json")


if __name__ == "__main__":
    main()
