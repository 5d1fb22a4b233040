"""The driver's side of one Ray actor."""

from __future__ import annotations

import time
from typing import Any

from audionas import __version__
from audionas.errors import RunError
from audionas.search.engines.contract import Job, Outcome
from audionas.search.engines.failures import WorkerDiedEarlyError, timed_out


class RayWorker:
    """An actor, and the job that it has, if any.

    Attributes:
        answer: what is awaited of it: that it is ready, or its outcome.
    """

    def __init__(self, trainer: type, shared: Any, timeout_s: float | None) -> None:
        import ray

        self._actor = ray.remote(num_cpus=1, max_restarts=0)(trainer).remote(shared)
        self._timeout_s = timeout_s
        self.answer = self._actor.version.remote()
        self.job: Job | None = None
        self.is_alive, self._is_ready, self._deadline = True, False, float("inf")

    @property
    def seconds_left(self) -> float:
        """Until the job is stopped; infinite without a timeout, or while the actor is still loading."""
        return max(0.0, self._deadline - time.monotonic())

    def give(self, job: Job) -> None:
        """Send a job, at once or when the actor is ready; its time runs from then."""
        self.job = job
        if self._is_ready:
            self._run()

    def outcome(self) -> Outcome | None:
        """How the job ended; None while it is under way. After a death or a stop the actor is gone.

        Raises:
            WorkerDiedEarlyError: the actor died before it was ready.
            RunError: the actor has another version of audionas.
        """
        import ray
        from ray.exceptions import RayError

        while ray.wait([self.answer], timeout=0)[0]:
            try:
                answer = ray.get(self.answer)
            except RayError as why:
                return self._gone(why)
            if isinstance(answer, Outcome):
                return self._ended(answer)
            self._ready(str(answer))
        if self.seconds_left > 0:
            return None
        self.stop()
        assert self._timeout_s is not None
        return self._failed(timed_out(self._timeout_s))

    def stop(self) -> None:
        """Kill the actor; it has nothing to save."""
        import ray

        if self.is_alive:
            self.is_alive = False
            ray.kill(self._actor)

    def _ready(self, version: str) -> None:
        if version != __version__:
            raise RunError(f"--engine ray: a worker has audionas {version}, this is {__version__}; install one version")
        self._is_ready = True
        self._run()

    def _run(self) -> None:
        self.answer = self._actor.run.remote(self.job)
        if self._timeout_s is not None:
            self._deadline = time.monotonic() + self._timeout_s

    def _gone(self, why: Exception) -> Outcome:
        self.stop()
        if not self._is_ready:
            raise WorkerDiedEarlyError(" ".join(str(why).split())[:300])
        return self._failed("the worker died; perhaps out of memory")

    def _failed(self, reason: str) -> Outcome:
        assert self.job is not None
        return self._ended(Outcome(self.job.number, None, reason))

    def _ended(self, outcome: Outcome) -> Outcome:
        self.job, self._deadline = None, float("inf")
        return outcome
