"""The parent's side of one child of `process_pool`."""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from multiprocessing import resource_tracker

from audionas.search.engines.contract import Job, Outcome
from audionas.search.engines.failures import WorkerDiedEarlyError, died, timed_out
from audionas.search.engines.meter import N_VALUES, clear, costs_of, note_seconds_of
from audionas.search.engines.shared_file import SharedFile
from audionas.search.engines.worker import BEGUN, READY, serve

JOIN_S = 10.0


class WorkerProcess:
    """A child, its pipe, and the job that it has, if any.

    Attributes:
        pipe: readable when the child said something, or died.
        card: the GPU that it was dealt, if there are several.
    """

    def __init__(
        self, data: bytes, arrays: SharedFile, device: str, timeout_s: float | None, card: str | None = None
    ) -> None:
        context = multiprocessing.get_context("spawn")
        self._device, self._timeout_s, self.card = device, timeout_s, card
        self._values = context.RawArray("d", N_VALUES)
        self.pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, data, arrays, self._values, card), daemon=True)
        with _interrupts_held():
            self._process.start()
        theirs.close()  # so that the pipe ends when the child does
        self.job: Job | None = None
        self._is_ready, self._has_begun, self._deadline = False, False, float("inf")

    @property
    def is_alive(self) -> bool:
        """Whether the child can be given a job: an idle one says nothing, its pipe ends when it does."""
        return not self.pipe.closed and not self.pipe.poll()

    @property
    def seconds_left(self) -> float:
        """Until the job is stopped; infinite without a timeout, or while the child is still loading."""
        return max(0.0, self._deadline - time.monotonic())

    def give(self, job: Job) -> None:
        """Send a job; its time runs from when the child is ready."""
        self.job, self._has_begun = job, False
        clear(self._values)  # of the last trial's costs, should this one die before it begins
        self._start_clock()
        with suppress(OSError):  # it died just now: `outcome` finds out
            self.pipe.send(job)

    def outcome(self) -> Outcome | None:
        """How the job ended; None while it is under way. After a death or a stop the child is gone.

        Raises:
            WorkerDiedEarlyError: the child died before it began the job.
        """
        try:
            while self.pipe.poll():
                message = self.pipe.recv()
                if message not in (READY, BEGUN):
                    return self._ended(message)
                self._is_ready, self._has_begun = True, message == BEGUN
                self._start_clock()
        except (EOFError, OSError):
            return self._gone()
        if self.seconds_left > 0:
            return None
        assert self._timeout_s is not None
        if self._process.pid is not None:
            note_seconds_of(self._values, self._process.pid)
        self.stop()
        return self._failed(timed_out(self._timeout_s))

    def stop(self) -> None:
        """Kill the child; it has nothing to save."""
        self.pipe.close()
        self._process.kill()
        self._process.join()

    def _start_clock(self) -> None:
        if self._is_ready and self._timeout_s is not None:
            self._deadline = time.monotonic() + self._timeout_s

    def _gone(self) -> Outcome:
        self._process.join(JOIN_S)
        reason = died(self._process.exitcode)
        self.stop()
        if not self._has_begun:
            raise WorkerDiedEarlyError(reason)
        return self._failed(reason)

    def _failed(self, reason: str) -> Outcome:
        assert self.job is not None
        return self._ended(Outcome(self.job.number, None, reason))

    def _ended(self, outcome: Outcome) -> Outcome:
        self.job, self._deadline = None, float("inf")
        return replace(outcome, costs=costs_of(self._values, self._device))


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """A child started inside never hears of Ctrl-C, which the terminal sends to all; this process hears it after."""
    resource_tracker.ensure_running()  # starting it would lift the mask
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
