"""The default engine: one trial after another in this process, so that the order of events is fixed."""

from __future__ import annotations

from audionas.errors import SettingsError
from audionas.search.engines.contract import EngineOptions, Evaluator, Job, Outcome
from audionas.search.engines.work import work


class InProcessEngine:
    """Runs each job when its outcome is asked for."""

    n_workers = 1

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator
        self._waiting: list[Job] = []

    def submit(self, job: Job) -> None:
        """Keep the job."""
        self._waiting.append(job)

    def next(self) -> Outcome:
        """Do the job."""
        return work(self._evaluator, self._waiting.pop(0))

    def close(self) -> None:
        """Nothing runs in the background."""


def check(options: EngineOptions) -> None:
    """Refuse options: there are none.

    Raises:
        SettingsError: several workers, a timeout or an address are asked of it.
    """
    if options != EngineOptions():
        raise SettingsError(
            "--engine in_process: runs one trial after another and cannot stop one; "
            "--workers and --timeout are for process_pool and ray, --address for ray"
        )


def build(evaluator: Evaluator, options: EngineOptions) -> InProcessEngine:
    """The engine.

    Raises:
        SettingsError: it has no options.
    """
    check(options)
    return InProcessEngine(evaluator)
