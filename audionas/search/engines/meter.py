"""What a trial costs, counted in the process that runs it, and known to the parent even if that process is killed."""

from __future__ import annotations

import time
from collections.abc import Iterator, MutableSequence
from contextlib import contextmanager
from typing import Any

import psutil

from audionas.training.ledger import Ledger

PASSES = ("forward", "backward")
SECONDS, STARTED = len(PASSES), len(PASSES) + 1  # processor seconds of the trial; of the process when it began
N_VALUES = len(PASSES) + 2


class Meter(Ledger):
    """A ledger of one trial at a time, in `values`.

    Args:
        values: `N_VALUES` numbers, shared between the processes or not.
    """

    def __init__(self, values: MutableSequence[float]) -> None:
        super().__init__("trial", "cpu", {}, lambda _: None)
        self._values = values

    @contextmanager
    def trial(self) -> Iterator[None]:
        """Count from nothing what is done inside."""
        clear(self._values)
        self._values[STARTED] = time.process_time()
        with self.working():
            yield
        self._note_seconds()

    def add(self, **counts: int) -> None:
        """Note clip-passes, and the time until now; anything else is counted by the parent."""
        for place, name in enumerate(PASSES):
            self._values[place] += counts.get(name, 0)
        self._note_seconds()

    def _note_seconds(self) -> None:
        self._values[SECONDS] = time.process_time() - self._values[STARTED]


def clear(values: MutableSequence[float]) -> None:
    """Forget the last trial."""
    for place in range(N_VALUES):
        values[place] = 0.0


def note_seconds_of(values: MutableSequence[float], pid: int) -> None:
    """Processor seconds until now of a trial in another process, which may hang and note nothing itself."""
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.Error:
        return
    if values[STARTED] > 0:
        values[SECONDS] = max(values[SECONDS], times.user + times.system - values[STARTED])


def costs_of(values: MutableSequence[float], device: str) -> dict[str, Any]:
    """What the parent's ledger adds. The time for which a GPU is held is the parent's own wall time already."""
    passes = {name: int(values[place]) for place, name in enumerate(PASSES)}
    return passes if device.startswith("cuda") else passes | {"device_seconds": values[SECONDS]}
