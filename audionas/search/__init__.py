"""The search itself, and the only place that imports NNI (lazily: it takes seconds to import)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from audionas.models.cnn_supernet import CnnSupernet
    from audionas.search.evaluator import Score, SearchData, TrainingEvaluator
    from audionas.search.listener import SearchListener
    from audionas.search.run import SearchResult, run_search
    from audionas.search.strategy import Strategy, load_strategy
    from audionas.search.tabular import TabularEvaluator, read_table
    from audionas.search.tabular_replay import regret_by_budget, regret_curve, replay
    from audionas.spaces import CnnCellSpace

_HOMES = {
    "Score": "evaluator", "SearchData": "evaluator", "TrainingEvaluator": "evaluator",
    "SearchListener": "listener", "SearchResult": "run", "run_search": "run",
    "Strategy": "strategy", "load_strategy": "strategy",
    "TabularEvaluator": "tabular", "read_table": "tabular",
    "regret_by_budget": "tabular_replay", "regret_curve": "tabular_replay", "replay": "tabular_replay",
}  # fmt: skip


def build_supernet(
    space: CnnCellSpace, *, input_shape: tuple[int, int, int], n_classes: int, **macro: Any
) -> CnnSupernet:
    """The supernet of a space: (batch, *input_shape) float32 -> logits (batch, n_classes).

    `.arch_parameters()` are the alphas, an ordered list; initialisation draws from torch's global generator.

    Raises:
        SettingsError: a macro value is unknown or out of range.
    """
    from audionas import models

    changed = space.model_copy(update={"macro": models.with_macro(space.macro, macro)})
    return models.build_supernet(changed, input_shape, n_classes)  # type: ignore[return-value]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"audionas.search.{_HOMES[name]}"), name)


__all__ = [
    "Score", "SearchData", "SearchListener", "SearchResult", "Strategy", "TabularEvaluator", "TrainingEvaluator",
    "build_supernet", "load_strategy", "read_table", "regret_by_budget", "regret_curve", "replay", "run_search",
]  # fmt: skip
