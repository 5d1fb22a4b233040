"""Long-lived child processes with a pipe each, one trial at a time in each.

Not `concurrent.futures.ProcessPoolExecutor`, which is broken as a whole when one child dies. Here a child that dies, or
that is killed because its trial takes too long, costs that one trial and is replaced.
"""

from __future__ import annotations

import math
from collections import Counter
from multiprocessing import connection

from audionas.errors import SettingsError
from audionas.search.engines.contract import EngineOptions, Evaluator
from audionas.search.engines.options import check_pool
from audionas.search.engines.packed import pack
from audionas.search.engines.shared_file import SharedFile
from audionas.search.engines.worker_pool import WorkerPool
from audionas.search.engines.worker_process import WorkerProcess
from audionas.training.devices import cards_of


class ProcessPoolEngine(WorkerPool[WorkerProcess]):
    """Starts a child when there is a job and none is idle; of several GPUs it gets that with the fewest children."""

    name = "process_pool"

    def __init__(self, evaluator: Evaluator, options: EngineOptions) -> None:
        super().__init__()
        self.n_workers, self._timeout_s = options.workers, options.timeout_s
        self._device = str(getattr(evaluator, "device", "cpu"))
        self._cards = cards_of(self._device)
        packed = pack(evaluator)
        self._data, self._arrays = packed.data, SharedFile(packed.buffers)

    def close(self) -> None:
        """Kill the children; may be called twice."""
        super().close()
        self._arrays.close()

    def _start(self) -> WorkerProcess:
        taken = Counter(worker.card for worker in self._workers)
        card = min(self._cards, key=lambda each: taken[each], default=None)
        return WorkerProcess(self._data, self._arrays, self._device, self._timeout_s, card)

    def _wait(self, busy: list[WorkerProcess], seconds: float) -> None:
        connection.wait([worker.pipe for worker in busy], None if math.isinf(seconds) else seconds)


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
