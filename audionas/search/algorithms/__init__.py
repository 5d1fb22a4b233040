"""Search algorithms, each an NNI strategy. The table is read by people: name -> module, kind, one line.

`build(*, seed, **settings)` of each module returns an `nni.nas.strategy.Strategy`; the settings of a
strategy YAML are its keyword arguments.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from audionas import shipped
from audionas.errors import SettingsError, unknown

Kind = Literal["one-shot", "multi-trial"]


@dataclass(frozen=True)
class Algorithm:
    """One line of the table."""

    module: str
    kind: Kind
    summary: str
    spaces: tuple[str, ...]  # the kinds of space that it can search


ANY = ("cnn_cell", "recurrent_cell", "recurrent_catalogue")

ALGORITHMS: dict[str, Algorithm] = {
    "catalogue": Algorithm(
        "catalogue", "multi-trial", "every recipe of a catalogue, or the first N (Sun et al. 2022)", ANY[2:]
    ),
    "darts": Algorithm("darts", "one-shot", "differentiable, first order (Liu et al. 2019)", ANY[:1]),
    "grid": Algorithm("grid", "multi-trial", "every assignment of choices once, in a spread order", ANY),
    "local_search": Algorithm(
        "local_search", "multi-trial", "from random draws to better neighbours (White et al. 2021)", ANY
    ),
    "random": Algorithm("random", "multi-trial", "random draws, each trained from scratch", ANY),
    "regularized_evolution": Algorithm(
        "regularized_evolution", "multi-trial", "children of the best of a young population (Real et al. 2019)", ANY
    ),
    "tpe": Algorithm("tpe", "multi-trial", "options that good trials had more often (Bergstra et al. 2011)", ANY),
}


def builder(name: str) -> Callable[..., Any]:
    """The `build` function of an algorithm.

    Raises:
        SettingsError: the name is not in `ALGORITHMS`.
    """
    if name not in ALGORITHMS:
        raise SettingsError(unknown("algorithm", name, ALGORITHMS))
    module = importlib.import_module(f"audionas.search.algorithms.{ALGORITHMS[name].module}")
    return cast(Callable[..., Any], module.build)


def check_pair(name: str, space_kind: str, space_name: str) -> None:
    """Refuse a space that an algorithm cannot search.

    Raises:
        SettingsError: naming the kinds of space that it can, and the shipped strategies for this space.
    """
    accepted = ALGORITHMS[name].spaces
    if space_kind not in accepted:
        raise SettingsError(
            f"algorithm {name!r} cannot search space {space_name!r} of kind {space_kind!r}, only "
            f"{', '.join(accepted)}; for this space take --strategy {' or '.join(strategies_for(space_kind))}"
        )


def strategies_for(space_kind: str) -> list[str]:
    """The shipped strategies that can search spaces of a kind."""
    algorithms = {name: shipped.read("strategies", name)[1]["algorithm"] for name in shipped.names("strategies")}
    return [name for name, algorithm in algorithms.items() if space_kind in ALGORITHMS[algorithm].spaces]


def check_settings(name: str, settings: Mapping[str, Any], where: str) -> None:
    """Refuse settings that `build` does not take or whose type is wrong.

    Raises:
        SettingsError: naming the accepted settings, read from the signature of `build`.
    """
    accepted = {k: p for k, p in inspect.signature(builder(name)).parameters.items() if k != "seed"}
    for key, value in settings.items():
        if key not in accepted:
            known = ", ".join(accepted) or "none"
            raise SettingsError(f"{where}: settings: unknown key {key!r} for algorithm {name!r}; accepted: {known}")
        wanted = type(accepted[key].default)
        if wanted is float and type(value) is int:
            continue
        if type(value) is not wanted:
            raise SettingsError(
                f"{where}: settings.{key}: got {value!r}, must be {wanted.__name__} such as {accepted[key].default!r}"
            )
