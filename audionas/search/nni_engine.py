"""NNI's view of our engines: a strategy submits models and hears of their ends as events, in the main thread.

One class serves every engine; `audionas/search/engines/` says where the work is done. A strategy may set
`model.fidelity` before it submits, and finds the whole result in `model.trial` when it hears of the end.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nni.nas.execution import ExecutionEngine
from nni.nas.execution.event import FinalMetricEvent, TrainingEndEvent
from nni.nas.space import ModelStatus

from audionas.search.proxy_ranking import ProxyRanking
from audionas.search.strategy import Budget
from audionas.search.trial_runner import TrialRunner
from audionas.search.trials import Trial


class TrialEngine(ExecutionEngine):  # type: ignore[misc]
    """Hands proposals to a `TrialRunner`; nothing here sleeps or polls.

    `ranking` scores candidates without training, for strategies that ask for it.
    """

    def __init__(self, runner: TrialRunner, ranking: ProxyRanking | None = None) -> None:
        super().__init__()
        self.ranking = ranking
        self._runner = runner
        self._history: list[Any] = []
        self._expecting: dict[int, list[Any]] = {}

    @property
    def budget(self) -> Budget:
        """How long a whole training is, and how many of them there may be."""
        return self._runner.strategy.budget

    @property
    def objective(self) -> str:
        """The score that decides between trials."""
        return self._runner.strategy.objective

    @property
    def left(self) -> float:
        """Whole trainings that may still begin; a strategy of several fidelities asks before it proposes."""
        return self._runner.left

    def submit_models(self, *models: Any) -> None:
        """Start trials; what is known, or over a limit, is answered at once."""
        for model in models:
            self._history.append(model)
            model.status = ModelStatus.Training
            answer = self._runner.propose(model.sample, getattr(model, "fidelity", None))
            if answer.trial is not None:
                self._end(model, answer.trial)
            elif answer.number is None:
                self._end(model, None)
            else:
                self._expecting.setdefault(answer.number, []).append(model)

    def idle_worker_available(self) -> bool:
        """True, after waiting for a free worker: NNI would sleep and ask again."""
        while self._runner.n_under_way and self._runner.is_full:
            self._hear()
        return True

    def budget_available(self) -> bool:
        """Whether another model may be submitted."""
        return self._runner.has_budget

    def wait_models(self, *models: Any) -> None:
        """Wait for these models, or for all."""
        wanted = models or tuple(self._history)
        while any(not model.status.completed() for model in wanted) and self._runner.n_under_way:
            self._hear()

    def wait_for_one(self) -> None:
        """Wait for whichever trial ends next, if any is under way."""
        if self._runner.n_under_way:
            self._hear()

    def list_models(self, status: ModelStatus | None = None) -> Iterable[Any]:
        """Every model that was submitted, or those of a status."""
        return [model for model in self._history if status is None or model.status == status]

    def shutdown(self) -> None:
        """Nothing: who made the engine closes it."""

    def _hear(self) -> None:
        trial = self._runner.next()
        for model in self._expecting.pop(trial.number, []):
            self._end(model, trial)

    def _end(self, model: Any, trial: Trial | None) -> None:
        """Tell the strategy; a failed or refused candidate has no metric."""
        model.trial = trial
        score = trial.score if trial else None
        if score is not None:
            value = score.objective(self._runner.strategy.objective)
            self.dispatch_model_event(FinalMetricEvent(model, value))
        self.dispatch_model_event(TrainingEndEvent(model, ModelStatus.Trained if score else ModelStatus.Failed))
