"""Where trials run: in this process, in child processes, or on a Ray cluster; all behind one small contract."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, cast

from audionas.errors import SettingsError, unknown
from audionas.search.engines.contract import Engine, EngineOptions, Evaluator, Job, Outcome

DEFAULT = "in_process"
ENGINES: dict[str, str] = {
    "in_process": "one trial after another, here",
    "process_pool": "several at a time, each in a child process that may die",
    "ray": "the same on a Ray cluster: one made for the run, or a running one (extra `ray`)",
}


def make_engine(name: str, evaluator: Evaluator, options: EngineOptions | None = None) -> Engine:
    """An engine that trains with `evaluator`; close it when the search ends.

    Raises:
        SettingsError: the name is not in `ENGINES`, or the options do not fit it.
        RunError: the engine cannot start.
    """
    build = cast(Callable[[Evaluator, EngineOptions], Engine], _module(name).build)
    return build(evaluator, options or EngineOptions())


def check_engine(name: str, options: EngineOptions, strategy: str, kind: str) -> None:
    """Refuse, before any work, an engine that cannot do the work of a strategy of this kind.

    Raises:
        SettingsError: the name is not in `ENGINES`, the options do not fit it, it is not installed, or it is to train
            a supernet.
    """
    module = _module(name)
    if kind == "one-shot" and name != DEFAULT:
        raise SettingsError(
            f"--engine {name}: strategy {strategy!r} is one-shot and trains one supernet, in this process; leave "
            "--engine out, or take a multi-trial strategy"
        )
    module.check(options)


def _module(name: str) -> Any:
    if name not in ENGINES:
        raise SettingsError(unknown("engine", name, ENGINES))
    return importlib.import_module(f"audionas.search.engines.{name}")


__all__ = [
    "DEFAULT", "ENGINES", "Engine", "EngineOptions", "Evaluator", "Job", "Outcome", "check_engine", "make_engine",
]  # fmt: skip
