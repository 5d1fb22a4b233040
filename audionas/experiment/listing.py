"""What there is: spaces, strategies, hand-made systems, operations, features, data sets, each with one line."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from audionas import shipped
from audionas.augmentations import load_augmentation
from audionas.datasets import DATASETS
from audionas.errors import SettingsError, unknown
from audionas.features import EXTRACTORS, PRESETS, SHORT_FORMS
from audionas.models.baselines import BASELINES
from audionas.ops import CNN_OP_SUMMARIES
from audionas.ops.recurrent import RNN_OPS
from audionas.quantities import count_text, size_text
from audionas.search.algorithms import ALGORITHMS
from audionas.search.strategy import Strategy, load_strategy
from audionas.spaces import BaselineSpace, CnnCellSpace, CnnMacroSpace, SearchSpace, load_search_space

SHELVES = ("spaces", "strategies", "baselines", "ops", "features", "datasets", "augmentations")


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
        "baselines": _baselines,
        "ops": _ops,
        "features": _features,
        "datasets": _datasets,
        "augmentations": _augmentations,
    }
    return {shelf: makers[shelf]() for shelf in SHELVES if what in (None, shelf)}


def _spaces() -> dict[str, str]:
    return {name: _space_line(load_search_space(name)) for name in shipped.names("search_spaces")}


def _space_line(space: SearchSpace) -> str:
    size = size_text(space.size())
    if isinstance(space, CnnCellSpace):
        parts = f"{space.nodes} nodes, {len(space.ops)} ops, L={space.macro.n_cells}, C={space.macro.channels}"
    elif isinstance(space, CnnMacroSpace):
        parts = f"given cells, choices of {', '.join(space.choices())}"
    elif isinstance(space, BaselineSpace):
        parts = f"{space.baseline}, choices of {', '.join(space.choices())}"
    else:
        states = f"{space.states} hidden states" if space.states else "any number of hidden states"
        directions = "bidirectional" if space.macro.bidirectional else "one direction"
        size_of_layers = f"L={space.macro.n_layers}, h={space.macro.hidden}"
        parts = f"{states}, {size_of_layers}, {directions}, {space.macro.pooling} pooling"
    return f"{space.kind}, {parts}, features {space.features}, {size} genotypes"


def _strategies() -> dict[str, str]:
    lines = {}
    for name in shipped.names("strategies"):
        strategy = load_strategy(name)
        algorithm = ALGORITHMS[strategy.algorithm]
        lines[name] = (
            f"{strategy.kind}, {_cost(strategy)}: {algorithm.summary}; {strategy.source}; "
            f"for spaces {', '.join(algorithm.spaces)}"
        )
    return lines


def _baselines() -> dict[str, str]:
    return {name: f"{each.summary}; {each.paper or 'of no paper'}; features {each.features}"
            for name, each in BASELINES.items()}  # fmt: skip


def _cost(strategy: Strategy) -> str:
    """What a search with the shipped budget trains."""
    epochs = count_text(strategy.budget.epochs, "epoch")
    if strategy.kind == "one-shot":
        return f"1 supernet, {epochs}"
    folds = f" in {strategy.inner_folds} folds" if strategy.inner_folds else ""
    return f"{count_text(strategy.budget.trials, 'training')} of {epochs}{folds}"


def _ops() -> dict[str, str]:
    return dict(CNN_OP_SUMMARIES) | {name: f"recurrent: {op.summary}" for name, op in RNN_OPS.items()}


def _features() -> dict[str, str]:
    presets = {
        name: ", ".join(f"{key} {value}" for key, value in dict(settings).items()) for name, settings in PRESETS.items()
    }
    forms = {f"{name}:{key.upper()}": _form_line(settings) for name, (settings, key) in SHORT_FORMS.items()}
    return presets | forms


def _form_line(settings: Mapping[str, Any]) -> str:
    """What the extractor is, and what the short form sets in it."""
    given = ", ".join(f"{key} {value}" for key, value in settings.items() if key != "extractor")
    line = _first_line(EXTRACTORS[settings["extractor"]])
    return f"{line.rstrip('.')}; {given}" if given else line


def _datasets() -> dict[str, str]:
    return {name: _first_line(reader) for name, reader in DATASETS.items()}


def _augmentations() -> dict[str, str]:
    found = {name: load_augmentation(name) for name in shipped.names("augmentations")}
    return {name: f"{count_text(a.copies, 'copy', 'copies')}: {', '.join(a.transforms)}" for name, a in found.items()}


def _first_line(thing: object) -> str:
    return (inspect.getdoc(thing) or "").split("\n")[0]
