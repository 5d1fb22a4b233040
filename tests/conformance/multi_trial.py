"""What the suite over multi-trial algorithms runs: every algorithm on a shipped space of each kind that it accepts.

`python -m tests.conformance.multi_trial` prints the proposals of all of them as JSON, for a test in a fresh process.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from audionas import shipped
from audionas.search import extra_rl
from audionas.search.algorithms import ALGORITHMS
from audionas.search.engines import make_engine
from audionas.search.evaluator import Score
from audionas.search.multi_trial import propose_all
from audionas.search.proxy_ranking import ProxyRanking
from audionas.search.strategy import Strategy, load_strategy
from audionas.search.trial_runner import TrialRunner
from audionas.search.trials import FILE_NAME, TrialLog
from audionas.seeding import generator
from audionas.spaces import Genotype, SearchSpace, load_search_space, space_from_settings
from audionas.training.fit import NonFiniteLossError

EPOCHS = 9
HAS_RL = extra_rl.is_installed()  # without the extra, what needs it is left out
NAMES = [name for name, each in ALGORITHMS.items() if each.kind == "multi-trial" and (HAS_RL or not each.needs_rl)]
# so that few trials already show what comes after an algorithm's random start
FEW = {
    "regularized_evolution": {"population": 5, "sample": 2},
    "tpe": {"startup_trials": 5},
    "local_search": {"draws": 3},
    "policy_gradient": {"samples_per_update": 5, "repeats": 2},
}


@cache
def space_of(kind: str) -> SearchSpace:
    """The first shipped space of a kind, the smallest where the name says so; of hand-made systems a larger one.

    The shipped one of that kind has 30 points for `grid`; others look at all of them within a budget.
    """
    if kind == "baseline":
        widths = [2, 3, 4, 5, 6, 7, 8, 10, 12, 16]
        options = {"channels": [[a, b, c] for a in widths for b in widths for c in widths]}
        settings = {"kind": kind, "features": "log_mel_small", "baseline": "plain_cnn", "options": options}
        return space_from_settings(settings, "widths", "widths.yaml")
    names = sorted(shipped.names("search_spaces"), key=lambda name: "small" not in name)
    return next(space for space in map(load_search_space, names) if space.kind == kind)


PAIRS = [(name, kind) for name in NAMES for kind in ALGORITHMS[name].spaces]


def strategy_of(name: str, trials: int) -> Strategy:
    """The shipped strategy of an algorithm, with a short random start."""
    shipped_as = next(s for s in shipped.names("strategies") if load_strategy(s).algorithm == name)
    found = load_strategy(shipped_as)
    if "draws" in found.settings and name == "zero_cost":  # every trial is one of the draws
        found = found.replace(settings=found.settings | {"draws": max(trials, found.settings["draws"])})
    found = found.with_budget(epochs=EPOCHS, trials=trials)
    return found.replace(settings=found.settings | FEW.get(name, {}))


class Told:
    """Stands for training: a candidate's scores are drawn from its hash, and some fail."""

    def __init__(self, fails: Callable[[str], bool] = lambda _: False) -> None:
        self.seen: list[tuple[str, int, float]] = []
        self._fails = fails

    def evaluate(self, genotype: Genotype, *, epochs: int, seed: int, fraction: float = 1.0) -> Score:
        self.seen.append((genotype.hash, epochs, fraction))
        if self._fails(genotype.hash):
            raise NonFiniteLossError("epoch 0: the training loss is nan")
        ua, loss = generator(int(genotype.hash[:12], 16), "scores").uniform(size=2).tolist()
        return Score(ua, ua, loss, loss, 10, 0.1, 0)

    def proxy(self, genotype: Genotype, name: str, *, seed: int) -> float:
        return float(generator(int(genotype.hash[:12], 16), "proxy").uniform())


def search(
    name: str,
    space: SearchSpace,
    path: Path,
    told: Told,
    *,
    trials: int = 16,
    seed: int = 0,
    refuse: Callable[[Genotype], str | None] = lambda _: None,
) -> TrialRunner:
    """Run an algorithm to its end, logging into `path`."""
    path.mkdir(parents=True, exist_ok=True)
    strategy, engine = strategy_of(name, trials), make_engine("in_process", told)
    runner = TrialRunner(space, strategy, engine, seed, TrialLog(path / FILE_NAME), refuse=refuse)
    propose_all(space, strategy, runner, ProxyRanking(space, told, seed, path))
    return runner


def proposals(name: str, kind: str, seed: int = 0, trials: int = 16) -> list[str]:
    """The first 12 digits of the hash of each proposal, in order."""
    with TemporaryDirectory() as folder:
        log = search(name, space_of(kind), Path(folder), Told(), trials=trials, seed=seed).log
        return [log.proposed[number][:12] for number in sorted(log.proposed)]


if __name__ == "__main__":
    print(json.dumps({f"{name} {kind}": proposals(name, kind) for name, kind in PAIRS}))
