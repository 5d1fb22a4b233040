"""The arms of the regret benchmark: each shipped strategy by trials on a table, and its plain reference beside it.

A strategy runs as it ships but for what a table asks of it, which stands in `Arm.changes` and in the results.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from regret_fidelity import WHOLE, ShortTrainings
from regret_tables import Case

from audionas import shipped
from audionas.search import extra_rl
from audionas.search.algorithms import ALGORITHMS
from audionas.search.strategy import Strategy, load_strategy
from audionas.search.tabular_replay import regret_by_budget, replay

PLAIN_REFERENCES = Path("tests/reference/plain_search")
ENUMERATING = ("catalogue",)  # takes one list only
HALVING = ("successive_halving", "hyperband")
# Of 725 rows, halving would look at each.
LEFT_OUT = {"nasbench301_rows": HALVING}
PLAIN_TIMES = {"nasbench301_rows": 1}  # as many seeds of a plain reference as of ours; else four times as many
SLOW = ("policy_gradient",)  # and here too
DRAWS = 500  # of a zero-cost ranking; of the 100 that ship, all would be trained
PROXIES = {"nas_bench_macro": ("parameters",), "nasbench301_rows": ("synflow", "naswot", "grad_norm", "parameters")}
Curve = NDArray[np.float64]


@dataclass(frozen=True)
class Arm:
    """One line of the plot."""

    strategy: str
    changes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The strategy, and the proxy that it ranks by."""
        return " by ".join((self.strategy, *filter(None, [self.changes.get("proxy")])))

    @property
    def is_short(self) -> bool:
        """Whether it trains most candidates for fewer epochs."""
        return self.strategy in HALVING

    def shipped(self) -> Strategy:
        """The strategy with its changes; the budget is the caller's."""
        strategy = load_strategy(self.strategy)
        return strategy.replace(settings={**strategy.settings, **self.changes})


def arms(case: Case) -> list[Arm]:
    """Those that can search a table and have a plain reference, random first."""
    names = [name for name in shipped.names("strategies") if load_strategy(name).kind == "multi-trial"]
    is_list = len(case.space.choices()) == 1
    if is_list:
        names = [name for name in names if name in ("random", *ENUMERATING)]
    names = [name for name in names if name not in LEFT_OUT.get(case.name, ())]
    names = [name for name in names if (is_list or name not in ENUMERATING) and _is_there(name)]
    ordered = sorted(names, key=lambda name: name != "random")
    return [arm for name in ordered for arm in _variants(name, case.name)]


def searched(case: Case, arm: Arm, seed: int, n: int) -> Curve:
    """(n,): regret after each whole training's worth of a strategy, in points of accuracy."""
    strategy = arm.shipped().with_budget(epochs=WHOLE if arm.is_short else 1, trials=n)
    evaluator = ShortTrainings(case.evaluator.rows, seed=seed) if arm.is_short else case.evaluator
    return regret_by_budget(case.evaluator, replay(case.space, strategy, evaluator, seed=seed), strategy.budget)


def plain(case: Case, arm: Arm, seed: int, n: int) -> Curve:
    """(n,): the same of its plain reference, without NNI."""
    search = import_module(f"tests.reference.plain_search.{_module(arm.strategy)}").search
    hash_of, rows, short = cache(case.hash_of), case.evaluator.rows, ShortTrainings(case.evaluator.rows, seed=seed)
    given: dict[str, Any] = {
        "name": hash_of,
        "cost": lambda point: rows[hash_of(point)].parameters,
        "proxy": lambda point: rows[hash_of(point)].proxy(arm.changes["proxy"]),
        "short": lambda point, epochs: rows[hash_of(point)].score + short.noise(hash_of(point), epochs),
    }
    asked = {key: given[key] for key in inspect.signature(search).parameters if key in given}
    sizes = [len(options) for options in case.space.choices().values()]
    scores = search(sizes, lambda point: rows[hash_of(point)].score, n, seed, **asked)
    found = case.evaluator.best - np.maximum.accumulate(np.asarray(scores, dtype=np.float64))
    found[np.isinf(found)] = np.nan
    return np.pad(found, (0, n - len(found)), mode="edge")


def plain_seeds(case: Case, arm: Arm, seeds: int) -> int:
    """How many seeds a plain reference runs with: more than ours, so that the luck is mostly ours, where it is fast."""
    return seeds * (1 if arm.strategy in SLOW else PLAIN_TIMES.get(case.name, 4))


def _variants(name: str, table: str) -> list[Arm]:
    if name != "zero_cost":
        return [Arm(name)]
    return [Arm(name, {"proxy": proxy, "draws": DRAWS}) for proxy in PROXIES[table]]


def _is_there(name: str) -> bool:
    """Whether a strategy has a plain reference, and its extra is installed."""
    is_installed = extra_rl.is_installed() or not ALGORITHMS[load_strategy(name).algorithm].needs_rl
    return is_installed and (PLAIN_REFERENCES / f"{_module(name)}.py").is_file()


def _module(name: str) -> str:
    return {"random": "random_search"}.get(name, name)
