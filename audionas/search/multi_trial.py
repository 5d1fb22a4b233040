"""Multi-trial searches: an NNI strategy proposes samples, each is trained from scratch in this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from audionas.errors import RunError
from audionas.search.algorithms import builder
from audionas.search.attempt import Evaluator, attempt
from audionas.search.listener import SearchListener
from audionas.search.nni_quiet import import_nni
from audionas.search.retest import Winner, n_retests, name_winner, retest
from audionas.search.strategy import Strategy
from audionas.search.trials import FILE_NAME, Trial, TrialLog
from audionas.seeding import derive
from audionas.spaces import Genotype, SearchSpace
from audionas.training.ledger import step


def search_multi_trial(
    space: SearchSpace,
    strategy: Strategy,
    evaluator: Evaluator,
    seed: int,
    run: Path,
    listener: SearchListener,
    redrawn: Callable[[], Evaluator] | None = None,
) -> tuple[Genotype, Winner, Literal["budget", "exhausted"]]:
    """Genotype of the winner, how it won, and what ended the search.

    Args:
        redrawn: makes what trains for the re-test; without it, `evaluator` does, and only the seeds are new.
    """
    import_nni()
    from nni.nas.evaluator import FunctionalEvaluator
    from nni.nas.space import SimplifiedModelSpace

    from audionas.search.nni_engine import InProcessEngine
    from audionas.search.nni_space import AudioModelSpace

    trials = TrialRunner(space, strategy, evaluator, seed, TrialLog(run / FILE_NAME), listener)
    engine = InProcessEngine(max_model_count=strategy.budget.trials)
    nni_strategy = builder(strategy.algorithm)(seed=derive(seed, strategy.algorithm), **strategy.settings)
    model_space = SimplifiedModelSpace.from_model(AudioModelSpace(space), FunctionalEvaluator(run_trial, trials=trials))
    nni_strategy(model_space, engine)
    ranked = trials.log.ranked(strategy.objective)
    if not ranked:
        raise RunError(f"{run}: none of {trials.count} trials succeeded; see {FILE_NAME} for each error")
    best = ranked[: n_retests(trials.count, strategy.retest)]
    retested = []
    if len(best) > 1:
        again = redrawn() if redrawn else evaluator
        with step("selection"):
            retested = retest(space, strategy, again, seed, run, best, listener)
    winner = name_winner(ranked, retested, strategy.objective)
    sample = dict(trials.log.finished[winner.trial].sample)
    return space.genotype(sample), winner, "exhausted" if engine.budget_available() else "budget"


class TrialRunner:
    """Runs proposals in order; those that the log already answers are not run again."""

    def __init__(
        self,
        space: SearchSpace,
        strategy: Strategy,
        evaluator: Evaluator,
        seed: int,
        log: TrialLog,
        listener: SearchListener,
    ) -> None:
        self.space, self.strategy, self.evaluator = space, strategy, evaluator
        self.seed, self.log, self.listener = seed, log, listener
        self.count = 0

    def __call__(self, sample: dict[str, str]) -> Trial:
        """The finished trial of the next proposal.

        Raises:
            RunError: the log holds another proposal at this place (other space, settings or versions).
        """
        number, genotype = self.count, self.space.genotype(sample)
        self.count += 1
        logged = self.log.finished.get(number)
        if logged is not None:
            if logged.hash != genotype.hash:
                raise RunError(f"{FILE_NAME}: trial {number} was another genotype; this log is of another search")
            return logged
        trial_seed = derive(self.seed, "trial", number)
        self.log.propose(number, genotype, sample, self.strategy.budget.epochs, trial_seed)
        trial = self._run(number, genotype, sample, trial_seed)
        self.log.finish(trial)
        self.listener.on_trial(trial)
        return trial

    def _run(self, number: int, genotype: Genotype, sample: dict[str, str], seed: int) -> Trial:
        twin = self.log.of_hash(genotype.hash)
        if twin is not None:
            return Trial(number, genotype.hash, sample, twin.status, twin.score, f"same cell as trial {twin.number}")
        return attempt(self.evaluator, number, genotype, sample, epochs=self.strategy.budget.epochs, seed=seed)


def run_trial(model: Any, trials: Callable[[dict[str, str]], Trial]) -> None:
    """What NNI calls for each proposal: runs it and reports its objective; a failed trial reports nothing."""
    import nni

    from audionas.search.nni_engine import TrialFailedError

    trial = trials(model.sample)
    if trial.score is None:
        raise TrialFailedError(trial.error or "failed")
    nni.report_final_result(trial.score.objective(trials.strategy.objective))  # type: ignore[attr-defined]
