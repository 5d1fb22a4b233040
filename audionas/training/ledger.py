"""`Ledger`: what a run costs, step by step: clip-passes, wall and device seconds, energy.

A clip-pass is one clip (or one window of a longer one) through a network once, forward or backward. It is the unit in
which budgets of one-shot and multi-trial searches can be made equal on any machine.

    with ledger.working():          # all counting inside goes to it, and to the ledgers around it
        with step("tuning"): ...    # under another name than the run's own
        count(forward=64, backward=64)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from audionas.training.energy import EnergyCounter

SAVE_EVERY_S = 10.0
_FIELDS = ("seconds", "device_seconds", "forward", "backward", "compared")
_active: ContextVar[tuple[Ledger, ...]] = ContextVar("ledgers", default=())
_step: ContextVar[str | None] = ContextVar("step", default=None)


class Ledger:
    """Costs of one run by step; goes on from what an earlier process of the same run had kept.

    Device seconds: on a GPU the wall time for which it was held, on a CPU the processor time of this process.

    Args:
        step: name of what the run does unless `step(...)` says otherwise.
        kept: the record of the run so far.
        save: called at most every 10 s with the record, so that a kill loses little.
    """

    def __init__(self, step: str, device: str, kept: Mapping[str, Any], save: Callable[[dict[str, Any]], None]) -> None:
        self._own_step, self._save = step, save
        self._is_cpu = not device.startswith("cuda")
        self._energy = EnergyCounter("cpu" if self._is_cpu else device)
        self._steps = {name: dict(values) for name, values in kept.get("steps", {}).items()}
        if not self._steps and kept.get("seconds"):
            self._steps[step] = {"seconds": kept["seconds"]}  # a run of before the ledger
        self._last, self._last_cpu, self._saved = time.perf_counter(), time.process_time(), time.perf_counter()

    @contextmanager
    def working(self) -> Iterator[None]:
        """Count into this ledger, and into those that are working already."""
        token = _active.set((*_active.get(), self))
        try:
            yield
        finally:
            self.tick()
            _active.reset(token)

    def add(self, **counts: int) -> None:
        """Note clip-passes, or settings compared; saves when the last save is long ago."""
        step = self._current()
        for name, number in counts.items():
            step[name] = step.get(name, 0) + number
        if time.perf_counter() - self._saved > SAVE_EVERY_S:
            self.tick()
            self._saved = time.perf_counter()
            self._save(self.record())

    def tick(self) -> None:
        """Put the time since the last tick to the step under way."""
        now, cpu, step = time.perf_counter(), time.process_time(), self._current()
        spent = {
            "seconds": now - self._last,
            "device_seconds": cpu - self._last_cpu if self._is_cpu else now - self._last,
        }
        spent |= {} if (joules := self._energy.spent()) is None else {"energy_joules": joules}
        for name, value in spent.items():
            step[name] = step.get(name, 0.0) + value
        self._last, self._last_cpu = now, cpu

    def record(self) -> dict[str, Any]:
        """JSON form: totals, and the same for each step."""
        return cost_record(self._steps)

    def take_over(self, cost: Mapping[str, Any]) -> None:
        """Put what another process spent at the same time to its steps.

        Time and energy are this ledger's own already, but for processor time, which is each process's.
        """
        counted = (*_FIELDS[2:], *(("device_seconds",) if self._is_cpu else ()))
        for name, values in cost.get("steps", {}).items():
            into = self._steps.setdefault(name, {})
            for key in counted:
                into[key] = into.get(key, 0) + values.get(key, 0)
        self._save(self.record())

    def _current(self) -> dict[str, Any]:
        return self._steps.setdefault(_step.get() or self._own_step, {})


def cost_record(steps: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Totals over steps, and the steps; `energy_joules` is None where no machine told it."""
    total: dict[str, Any] = {name: sum(step.get(name, 0) for step in steps.values()) for name in _FIELDS}
    joules = [step["energy_joules"] for step in steps.values() if step.get("energy_joules") is not None]
    return {
        "seconds": round(total["seconds"], 3),
        "device_seconds": round(total["device_seconds"], 3),
        "clip_passes": {"forward": total["forward"], "backward": total["backward"]},
        "compared": total["compared"],
        "energy_joules": round(sum(joules), 1) if joules else None,
        "steps": {name: _rounded(step) for name, step in steps.items()},
    }


def _rounded(step: Mapping[str, Any]) -> dict[str, Any]:
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in step.items()}


def count(**counts: int) -> None:
    """Note clip-passes (`forward`, `backward`), or what was `compared`, in every ledger at work.

    Compared is whatever a choice was made among: candidates of a search, re-tests, pairs of rate and epochs, kinds of
    features; a supernet counts once.
    """
    for ledger in _active.get():
        ledger.add(**counts)


def take_over(costs: Sequence[Mapping[str, Any]]) -> None:
    """Put what other processes spent into every ledger at work."""
    for ledger in _active.get():
        for cost in costs:
            ledger.take_over(cost)


@contextmanager
def uncounted() -> Iterator[None]:
    """What is computed inside is counted by whoever calls this, or not at all."""
    token = _active.set(())
    try:
        yield
    finally:
        _active.reset(token)


def cost_so_far() -> dict[str, Any]:
    """The record of the outermost ledger at work, as of now; empty where none is."""
    for ledger in _active.get()[:1]:
        ledger.tick()
        return ledger.record()
    return {}


@contextmanager
def step(name: str) -> Iterator[None]:
    """What is spent inside belongs to this step."""
    for ledger in _active.get():
        ledger.tick()
    token = _step.set(name)
    try:
        yield
    finally:
        for ledger in _active.get():
            ledger.tick()
        _step.reset(token)


def summed(costs: list[Mapping[str, Any]]) -> dict[str, Any]:
    """The cost of several runs together, step by step."""
    steps: dict[str, dict[str, Any]] = {}
    for cost in costs:
        for name, values in cost.get("steps", {}).items():
            into = steps.setdefault(name, {})
            for key, value in values.items():
                into[key] = into.get(key, 0) + value
    return cost_record(steps)
