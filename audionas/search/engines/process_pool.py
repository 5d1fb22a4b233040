"""Long-lived child processes with a pipe each, one trial at a time in each.

Not `concurrent.futures.ProcessPoolExecutor`, which is broken as a whole when one child dies. Here a child that dies, or
that is killed because its trial takes too long, costs that one trial and is replaced.
"""

from __future__ import annotations

import math
from multiprocessing import connection

from audionas.errors import RunError, SettingsError
from audionas.search.engines.contract import EngineOptions, Evaluator, Job, Outcome
from audionas.search.engines.failures import N_STARTS, WorkerDiedEarlyError, not_started
from audionas.search.engines.options import check_pool
from audionas.search.engines.packed import pack
from audionas.search.engines.shared_file import SharedFile
from audionas.search.engines.worker_process import WorkerProcess


class ProcessPoolEngine:
    """Starts a child when there is a job and none is idle."""

    def __init__(self, evaluator: Evaluator, options: EngineOptions) -> None:
        self.n_workers, self._timeout_s = options.workers, options.timeout_s
        self._device = str(getattr(evaluator, "device", "cpu"))
        packed = pack(evaluator)
        self._data, self._arrays = packed.data, SharedFile(packed.buffers)
        self._workers: list[WorkerProcess] = []
        self._n_failed_starts = 0

    def submit(self, job: Job) -> None:
        """Give the job to an idle child."""
        self._forget_the_dead()
        idle = [worker for worker in self._workers if worker.job is None]
        worker = idle[0] if idle else self._start()
        worker.give(job)

    def next(self) -> Outcome:
        """Wait until a child has an outcome, dies or has had its time.

        Raises:
            RunError: children die again and again before they are ready.
        """
        while True:
            for worker in self._busy():
                outcome = self._heard(worker)
                if outcome is not None:
                    return outcome
            left = min(worker.seconds_left for worker in self._busy())
            connection.wait([worker.pipe for worker in self._busy()], None if math.isinf(left) else left)

    def close(self) -> None:
        """Kill the children; may be called twice."""
        for worker in self._workers:
            worker.stop()
        self._workers.clear()
        self._arrays.close()

    def _busy(self) -> list[WorkerProcess]:
        return [worker for worker in self._workers if worker.job is not None]

    def _heard(self, worker: WorkerProcess) -> Outcome | None:
        job = worker.job
        try:
            outcome = worker.outcome()
        except WorkerDiedEarlyError as why:
            self._n_failed_starts += 1
            self._workers.remove(worker)
            if self._n_failed_starts >= N_STARTS:
                raise RunError(not_started("process_pool", str(why))) from why
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

    def _start(self) -> WorkerProcess:
        worker = WorkerProcess(self._data, self._arrays, self._device, self._timeout_s)
        self._workers.append(worker)
        return worker


def check(options: EngineOptions) -> None:
    """Refuse options that this engine has not.

    Raises:
        SettingsError: fewer than 1 worker, a timeout of 0 s or less, or an address.
    """
    check_pool(options)
    if options.address is not None:
        raise SettingsError("--address: is for --engine ray; the workers of process_pool are on this machine")


def build(evaluator: Evaluator, options: EngineOptions) -> ProcessPoolEngine:
    """The engine.

    Raises:
        SettingsError: the options do not fit, or the evaluator cannot be sent to another process.
    """
    check(options)
    return ProcessPoolEngine(evaluator, options)
