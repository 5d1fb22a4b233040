"""What engines with workers of their own share: who is idle, who ended how, who is replaced."""

from __future__ import annotations

from typing import ClassVar, Generic, Protocol, TypeVar

from audionas.errors import RunError
from audionas.search.engines.contract import Job, Outcome
from audionas.search.engines.failures import N_STARTS, WorkerDiedEarlyError, not_started


class Worker(Protocol):
    """One worker of a pool; `job` is what it does now."""

    job: Job | None

    @property
    def is_alive(self) -> bool:
        """Whether it can take a job."""
        ...

    @property
    def seconds_left(self) -> float:
        """Until its job is to be stopped; infinite without a timeout."""
        ...

    def give(self, job: Job) -> None:
        """Begin a job."""
        ...

    def outcome(self) -> Outcome | None:
        """How its job ended; None while it goes on. Raises `WorkerDiedEarlyError` where the job is not to blame."""
        ...

    def stop(self) -> None:
        """End it, whatever it does."""
        ...


WorkerT = TypeVar("WorkerT", bound=Worker)


class WorkerPool(Generic[WorkerT]):
    """An engine that starts a worker when there is a job and none is idle."""

    name: ClassVar[str]
    n_workers: int

    def __init__(self) -> None:
        self._workers: list[WorkerT] = []
        self._n_failed_starts = 0

    def submit(self, job: Job) -> None:
        """Give the job to an idle worker."""
        self._forget_the_dead()
        idle = [worker for worker in self._workers if worker.job is None]
        if not idle:
            idle = [self._start()]
            self._workers += idle
        idle[0].give(job)

    def next(self) -> Outcome:
        """Wait until a worker has an outcome, dies or has had its time.

        Raises:
            RunError: workers die again and again before they are ready.
        """
        while True:
            busy = self._busy()
            for worker in busy:
                outcome = self._heard(worker)
                if outcome is not None:
                    return outcome
            busy = self._busy()
            self._wait(busy, min(worker.seconds_left for worker in busy))

    def close(self) -> None:
        """Kill the workers; may be called twice."""
        for worker in self._workers:
            worker.stop()
        self._workers.clear()

    def _start(self) -> WorkerT:
        raise NotImplementedError

    def _wait(self, busy: list[WorkerT], seconds: float) -> None:
        """Until one of them has something to tell, so many seconds at most (perhaps infinitely many)."""
        raise NotImplementedError

    def _busy(self) -> list[WorkerT]:
        return [worker for worker in self._workers if worker.job is not None]

    def _heard(self, worker: WorkerT) -> Outcome | None:
        job = worker.job
        try:
            outcome = worker.outcome()
        except WorkerDiedEarlyError as why:
            self._n_failed_starts += 1
            self._workers.remove(worker)
            if self._n_failed_starts >= N_STARTS:
                raise RunError(not_started(self.name, str(why))) from why
            assert job is not None
            self.submit(job)
            return None
        if outcome is not None:
            self._n_failed_starts = 0
        return outcome

    def _forget_the_dead(self) -> None:
        for worker in [worker for worker in self._workers if worker.job is None and not worker.is_alive]:
            worker.stop()
            self._workers.remove(worker)
