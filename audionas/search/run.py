"""`run_search`: (space, strategy, evaluator) -> the best genotype, through NNI; killable and resumable."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from audionas.errors import SettingsError
from audionas.search.engines import EngineOptions, check_engine, make_engine
from audionas.search.evaluator import TrainingEvaluator
from audionas.search.listener import Pick, SearchListener
from audionas.search.multi_trial import search_multi_trial
from audionas.search.one_shot import search_one_shot
from audionas.search.retest import Winner
from audionas.search.strategy import Strategy
from audionas.search.trial_runner import Refuse
from audionas.spaces import CnnCellSpace, Genotype, SearchSpace


@dataclass(frozen=True)
class SearchResult:
    """The genotype found and how the search ended; of a multi-trial search, how its winner won."""

    genotype: Genotype
    epoch_or_trial: int
    seconds: float
    stopped_by: Literal["budget", "exhausted"]
    winner: Winner | None = None


def run_search(
    space: SearchSpace,
    strategy: Strategy,
    evaluator: TrainingEvaluator,
    engine: str = "in_process",
    *,
    seed: int,
    run: Path,
    pick: Pick = "last",
    listener: SearchListener | None = None,
    redrawn: Callable[[], TrainingEvaluator] | None = None,
    options: EngineOptions | None = None,
    refuse: Refuse | None = None,
) -> SearchResult:
    """Search, logging into `run` (`epochs.jsonl`, `checkpoint/` or `trials.jsonl`, `retests.jsonl`); goes on from logs.

    Args:
        engine: where trials run, with its `options`; a one-shot search runs in this process and takes no other.
        refuse: of a multi-trial search, why a candidate may not be trained (it is over a hard limit), or None.
        redrawn: of a multi-trial search, makes the evaluator of the re-test; without it only the seeds are new there.

    Raises:
        SettingsError: the engine is unknown or cannot do this search, the algorithm cannot search this kind of space,
            or `pick="best"` without a monitor part.
        NonFiniteLossError: the supernet's loss became NaN or infinite.
        RunError: no trial of a multi-trial search succeeded.
    """
    if pick == "best" and not (strategy.kind == "one-shot" and evaluator.data.parts.get("monitor")):
        raise SettingsError("--pick best: needs a one-shot search with a monitor part (parts.monitor above 0)")
    strategy = strategy.for_space(space)
    check_engine(engine, options or EngineOptions(), strategy.name, strategy.kind)
    started = time.perf_counter()
    listener = listener or SearchListener()
    winner: Winner | None = None
    if isinstance(space, CnnCellSpace) and strategy.kind == "one-shot":
        genotype: Genotype
        genotype, number = search_one_shot(space, strategy, evaluator, seed, run, pick, listener)
        stopped: Literal["budget", "exhausted"] = "budget"
    else:
        genotype, winner, stopped = search_multi_trial(
            space, strategy, evaluator, seed, run, listener, redrawn,
            engine=partial(make_engine, engine, options=options), refuse=refuse,
        )  # fmt: skip
        number = winner.trial
    return SearchResult(genotype, number, time.perf_counter() - started, stopped, winner)
