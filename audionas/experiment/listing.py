"""What there is: spaces, strategies, operations, features, data sets, each with one line."""

from __future__ import annotations

import inspect

from audionas import shipped
from audionas.datasets import DATASETS
from audionas.errors import SettingsError, unknown
from audionas.features import EXTRACTORS, PRESETS
from audionas.ops import CNN_OP_SUMMARIES
from audionas.search.algorithms import ALGORITHMS
from audionas.search.strategy import load_strategy
from audionas.spaces import load_search_space

SHELVES = ("spaces", "strategies", "ops", "features", "datasets")


def listing(what: str | None = None) -> dict[str, dict[str, str]]:
    """Shelf -> name -> one line; one shelf, or all.

    Raises:
        SettingsError: no such shelf.
    """
    if what is not None and what not in SHELVES:
        raise SettingsError(unknown("list", what, SHELVES))
    makers = {
        "spaces": _spaces,
        "strategies": _strategies,
        "ops": _ops,
        "features": _features,
        "datasets": _datasets,
    }
    return {shelf: makers[shelf]() for shelf in SHELVES if what in (None, shelf)}


def _spaces() -> dict[str, str]:
    lines = {}
    for name in shipped.names("search_spaces"):
        space = load_search_space(name)
        macro = space.macro
        lines[name] = (
            f"{space.kind}, {space.nodes} nodes, {len(space.ops)} ops, L={macro.n_cells}, C={macro.channels}, "
            f"features {space.features}, {space.size():.3g} genotypes"
        )
    return lines


def _strategies() -> dict[str, str]:
    lines = {}
    for name in shipped.names("strategies"):
        strategy = load_strategy(name)
        lines[name] = f"{strategy.kind}: {ALGORITHMS[strategy.algorithm].summary}"
    return lines


def _ops() -> dict[str, str]:
    return dict(CNN_OP_SUMMARIES)


def _features() -> dict[str, str]:
    return {
        name: ", ".join(f"{key} {value}" for key, value in dict(settings).items()) for name, settings in PRESETS.items()
    } | {kind: _first_line(extractor) for kind, extractor in EXTRACTORS.items() if kind not in PRESETS}


def _datasets() -> dict[str, str]:
    return {name: _first_line(reader) for name, reader in DATASETS.items()}


def _first_line(thing: object) -> str:
    return (inspect.getdoc(thing) or "").split("\n")[0]
