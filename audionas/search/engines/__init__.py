"""Where trials run: in this process, in child processes, or on a Ray cluster; all behind one small contract."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import cast

from audionas.errors import SettingsError, unknown
from audionas.search.engines.contract import Engine, EngineOptions, Evaluator, Job, Outcome

ENGINES: dict[str, str] = {
    "in_process": "one trial after another, here",
}


def make_engine(name: str, evaluator: Evaluator, options: EngineOptions | None = None) -> Engine:
    """An engine that trains with `evaluator`; close it when the search ends.

    Raises:
        SettingsError: the name is not in `ENGINES`, or the options do not fit it.
    """
    if name not in ENGINES:
        raise SettingsError(unknown("engine", name, ENGINES))
    module = importlib.import_module(f"audionas.search.engines.{name}")
    build = cast(Callable[[Evaluator, EngineOptions], Engine], module.build)
    return build(evaluator, options or EngineOptions())


__all__ = ["ENGINES", "Engine", "EngineOptions", "Evaluator", "Job", "Outcome", "make_engine"]
