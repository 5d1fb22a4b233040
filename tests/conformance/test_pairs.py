"""Every shipped strategy on every shipped space: it runs, or it is one of the refusals that are allowed.

Multi-trial strategies propose for stand-ins of training, as in the suite over algorithms; one-shot strategies train
real supernets of the shipped cells, in a small macro, on toy clips.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from audionas import shipped
from audionas.errors import SettingsError
from audionas.search import Strategy, load_strategy
from audionas.search.algorithms import ALGORITHMS
from audionas.search.evaluator import SearchData, TrainingEvaluator
from audionas.search.run import run_search
from audionas.spaces import SearchSpace, load_search_space
from audionas.training.tasks import TASKS
from tests.conformance.multi_trial import FEW, HAS_RL, Told
from tests.training.toys import toy_manifest, toy_tensors

STRATEGIES, SPACES = shipped.names("strategies"), shipped.names("search_spaces")
NO_SUPERNET = {"recurrent_cell", "recurrent_catalogue", "cnn_macro", "baseline"}
SMALL = {"cnn_cell": {"n_cells": 2, "channels": 2, "stem_multiplier": 1, "reduction_at": ("1/2",)},
         "darts_recurrent": {"hidden": 4}}  # fmt: skip


def is_refused(strategy: Strategy, space: SearchSpace) -> bool:
    """Whether a pair is one of those that need not run."""
    if strategy.kind == "one-shot":
        return space.kind in NO_SUPERNET
    return strategy.algorithm == "catalogue" and space.kind != "recurrent_catalogue"


@cache
def toy_evaluator() -> TrainingEvaluator:
    rows = tuple(range(24))
    parts = {"weights": rows[:12], "alphas": rows[12:]}
    data = SearchData(toy_manifest(), toy_tensors(), parts, (1, 8, 12), TASKS["classification"], batch_size=12)
    return TrainingEvaluator(data, load_strategy("darts").for_space(load_search_space("darts_cnn")).recipe)  # type: ignore[arg-type]


def small(space: SearchSpace) -> SearchSpace:
    """The shipped cells in a small macro."""
    changes: Any = {"macro": space.macro.model_copy(update=SMALL[space.kind])}
    return space.model_copy(update=changes)


@pytest.mark.parametrize("space_name", SPACES)
@pytest.mark.parametrize("name", STRATEGIES)
def test_a_shipped_pair_runs_or_is_refused_in_one_line(name: str, space_name: str, tmp_path: Path) -> None:
    strategy, space = load_strategy(name), load_search_space(space_name)
    if is_refused(strategy, space):
        with pytest.raises(SettingsError, match=rf"algorithm '{strategy.algorithm}' cannot search space .* take --"):
            strategy.for_space(space)
        return
    if ALGORITHMS[strategy.algorithm].needs_rl and not HAS_RL:
        pytest.skip("the extra rl is not installed")
    evaluator: Any = toy_evaluator() if strategy.kind == "one-shot" else Told()
    if strategy.kind == "one-shot":
        space = small(space)
        few: dict[str, Any] = {
            "random_one_shot": {"population": 3, "generations": 2, "parents": 2},
            "enas": {"samples": 3},
        }
        strategy = strategy.with_budget(epochs=1, trials=None).replace(
            settings=strategy.settings | few.get(name, {}), batch_size=12
        )
    else:
        strategy = strategy.with_budget(epochs=9, trials=3)
        few = {"draws": 5} if name == "zero_cost" else FEW.get(strategy.algorithm, {})
        strategy = strategy.replace(settings=strategy.settings | few, objective="ua")
    found = run_search(space, strategy, evaluator, seed=0, run=tmp_path)
    space.check(found.genotype)
