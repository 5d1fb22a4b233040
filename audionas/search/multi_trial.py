"""Multi-trial searches: an NNI strategy proposes samples, each is trained from scratch by an engine."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

from audionas.errors import RunError, SettingsError
from audionas.search.algorithms import builder
from audionas.search.engines import Engine, Evaluator
from audionas.search.listener import SearchListener
from audionas.search.nni_quiet import import_nni
from audionas.search.proxy_ranking import ProxyRanking
from audionas.search.retest import Winner, n_retests, name_winner, retest
from audionas.search.strategy import Strategy
from audionas.search.trial_runner import Refuse, TrialRunner
from audionas.search.trials import FILE_NAME, TrialLog
from audionas.seeding import derive
from audionas.spaces import Genotype, SearchSpace
from audionas.training.ledger import step

MakeEngine = Callable[[Evaluator], Engine]


def search_multi_trial(
    space: SearchSpace,
    strategy: Strategy,
    evaluator: Evaluator,
    seed: int,
    run: Path,
    listener: SearchListener,
    redrawn: Callable[[], Evaluator] | None = None,
    *,
    engine: MakeEngine,
    refuse: Refuse | None = None,
) -> tuple[Genotype, Winner, Literal["budget", "exhausted"]]:
    """Genotype of the winner, how it won, and what ended the search.

    Args:
        redrawn: makes what trains for the re-test; without it, `evaluator` does, and only the seeds are new.
        engine: makes what runs the trials of an evaluator.
        refuse: why a candidate may not be trained, or None; it is asked once for each.
    """
    log = TrialLog(run / FILE_NAME)
    limits = {} if refuse is None else {"refuse": refuse}
    with closing(engine(evaluator)) as workers:
        trials = TrialRunner(space, strategy, workers, seed, log, listener, **limits)
        propose_all(space, strategy, trials, ProxyRanking(space, evaluator, seed, run))
    ranked = log.ranked(strategy.objective)
    if not ranked:
        raise RunError(_nothing_left(run, trials))
    best = ranked[: n_retests(trials.count, strategy.retest)]
    retested = []
    if len(best) > 1:
        with step("selection"), closing(engine(redrawn() if redrawn else evaluator)) as workers:
            retested = retest(space, strategy, workers, seed, run, best, listener)
    winner = name_winner(ranked, retested, strategy.objective)
    sample = dict(log.finished[winner.trial].sample)
    return space.genotype(sample), winner, "exhausted" if trials.left > 1 - 1e-9 else "budget"


def propose_all(
    space: SearchSpace, strategy: Strategy, trials: TrialRunner, ranking: ProxyRanking | None = None
) -> None:
    """Let the strategy's algorithm propose until its budget is spent or it has nothing new.

    Args:
        ranking: scores candidates without training; for strategies with a warm start or a zero-cost ranking.

    Raises:
        SettingsError: the strategy needs a ranking and there is none, or its proxy has no meaning for a candidate.
    """
    import_nni()
    from nni.nas.evaluator import FunctionalEvaluator

    from audionas.search.nni_engine import TrialEngine
    from audionas.search.nni_space import AudioModelSpace
    from audionas.search.nni_zero_cost import WarmStarted

    nni_engine = TrialEngine(trials, ranking)
    nni_strategy = builder(strategy.algorithm)(seed=derive(trials.seed, strategy.algorithm), **strategy.settings)
    model_space = WarmStarted.from_model(AudioModelSpace(space), FunctionalEvaluator(_run_by_the_engine))
    if strategy.proxies and ranking is None:
        raise SettingsError(f"strategy {strategy.name!r}: nothing here computes zero-cost proxies")
    warm = strategy.warm_start
    model_space.start_with(ranking.best_first(warm.proxy, warm.draws)[: warm.take] if warm and ranking else [])
    nni_strategy(model_space, nni_engine)
    nni_engine.wait_models()


def _nothing_left(run: Path, trials: TrialRunner) -> str:
    if not trials.count:
        return (
            f"{run}: all {len(trials.log.refused)} candidates are over the limits; see {FILE_NAME} for each reason, "
            "and raise the limits or take a space of smaller networks"
        )
    return f"{run}: none of {trials.count} trials succeeded; see {FILE_NAME} for each error"


def _run_by_the_engine(_: Any) -> None:
    """NNI wants an evaluator in its model space; ours stands in the engine."""
    raise AssertionError("the engine trains, not NNI")
