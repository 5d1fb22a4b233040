"""The reasons of trials whose worker did not live to tell them."""

from __future__ import annotations

import signal

N_STARTS = 3  # a worker that dies before it is ready is started anew so many times


class WorkerDiedEarlyError(Exception):
    """A worker died before it began its job, which is not to blame."""


def died(exit_code: int | None) -> str:
    """Why a worker died, from its exit code; negative ones are signals.

    >>> died(-9)
    'the worker died (signal 9); perhaps out of memory'
    >>> died(-11), died(3), died(None)
    ('the worker died (signal 11, SIGSEGV)', 'the worker died (exit status 3)', 'the worker died')
    """
    if exit_code is None:
        return "the worker died"
    if exit_code == -signal.SIGKILL:
        return "the worker died (signal 9); perhaps out of memory"
    if exit_code >= 0:
        return f"the worker died (exit status {exit_code})"
    known = -exit_code in [each.value for each in signal.Signals]
    name = f", {signal.Signals(-exit_code).name}" if known else ""
    return f"the worker died (signal {-exit_code}{name})"


def timed_out(seconds: float) -> str:
    """The reason of a trial that was stopped.

    >>> timed_out(30.0)
    'stopped after 30 s (--timeout)'
    """
    return f"stopped after {seconds:g} s (--timeout)"


def not_started(engine: str, reason: str) -> str:
    """The line of a search whose workers cannot start."""
    return (
        f"--engine {engine}: a worker died {N_STARTS} times before it was ready: {reason}; see the lines above, "
        "free memory or use fewer --workers, and go on with --resume. In a script of your own, search only "
        'under `if __name__ == "__main__":`, as every child reads it'
    )
