"""Search algorithms, each an NNI strategy. The table is read by people: name -> module, kind, one line.

`build(*, seed, **settings)` of each module returns an `nni.nas.strategy.Strategy`; the settings of a
strategy YAML are its keyword arguments. A one-shot module may have `mixing(settings)`, how its supernet turns alphas
into weights, `evolution(settings)`, how the trained supernet is searched, `draws(run, space)`, what draws the first
generation, and `remark(space_kind)`, one line for a space on which a part of the algorithm has no meaning.
"""

from __future__ import annotations

import importlib
import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, cast

from audionas import shipped
from audionas.errors import SettingsError, unknown
from audionas.models.mixing import Mixing
from audionas.search import extra_rl
from audionas.search.evolution import Draw, EvolutionPlan
from audionas.search.setting_ranges import RANGES
from audionas.spaces import SearchSpace

Kind = Literal["one-shot", "multi-trial"]


@dataclass(frozen=True)
class Algorithm:
    """One line of the table."""

    module: str
    kind: Kind
    summary: str
    spaces: tuple[str, ...]  # the kinds of space that it can search
    passes: int = 2  # of one-shot: forward and backward passes a step
    needs_rl: bool = False  # the extra `rl`


ANY = ("cnn_cell", "recurrent_cell", "recurrent_catalogue", "darts_recurrent", "cnn_macro", "baseline")
WITH_SUPERNET = ("cnn_cell", "darts_recurrent")

ALGORITHMS: dict[str, Algorithm] = {
    "catalogue": Algorithm(
        "catalogue", "multi-trial", "every recipe of a catalogue, or the first N (Sun et al. 2022)", ANY[2:3]
    ),
    "darts": Algorithm("darts", "one-shot", "differentiable, first order (Liu et al. 2019)", WITH_SUPERNET),
    "darts_second_order": Algorithm(
        "darts_second_order",
        "one-shot",
        "DARTS that looks one step of the weights ahead (Liu et al. 2019)",
        WITH_SUPERNET,
        5,
    ),
    "enas": Algorithm(
        "enas", "one-shot", "a controller learns to draw single paths that score well (Pham et al. 2018)", WITH_SUPERNET
    ),
    "fair_darts": Algorithm(
        "fair_darts",
        "one-shot",
        "a sigmoid for each operation, against skip connections (Chu et al. 2020)",
        WITH_SUPERNET,
    ),
    "gumbel_darts": Algorithm(
        "gumbel_darts", "one-shot", "Gumbel noise at a falling temperature (Dong and Yang 2019)", WITH_SUPERNET
    ),
    "hyperband": Algorithm(
        "hyperband", "multi-trial", "successive halving from every rung in turn (Li et al. 2018)", ANY
    ),
    "nsga2": Algorithm("nsga2", "multi-trial", "evolution towards a front: score against costs (Deb et al. 2002)", ANY),
    "pc_darts": Algorithm("pc_darts", "one-shot", "a part of the channels is mixed (Xu et al. 2020)", WITH_SUPERNET),
    "policy_gradient": Algorithm(
        "policy_gradient",
        "multi-trial",
        "a policy learns to propose candidates that score well (Zoph and Le 2017)",
        ANY,
        needs_rl=True,
    ),
    "proxyless": Algorithm(
        "proxyless", "one-shot", "binary gates: one path at a time, two for the alphas (Cai et al. 2019)", WITH_SUPERNET
    ),
    "grid": Algorithm("grid", "multi-trial", "every assignment of choices once, in a spread order", ANY),
    "local_search": Algorithm(
        "local_search", "multi-trial", "from random draws to better neighbours (White et al. 2021)", ANY
    ),
    "random": Algorithm("random", "multi-trial", "random draws, each trained from scratch", ANY),
    "random_one_shot": Algorithm(
        "random_one_shot",
        "one-shot",
        "single paths, then evolution over the supernet (Guo et al. 2020)",
        WITH_SUPERNET,
        1,
    ),
    "regularized_evolution": Algorithm(
        "regularized_evolution", "multi-trial", "children of the best of a young population (Real et al. 2019)", ANY
    ),
    "successive_halving": Algorithm(
        "successive_halving", "multi-trial", "many trained a little, the best of them more (ASHA, Li et al. 2020)", ANY
    ),
    "zero_cost": Algorithm(
        "zero_cost", "multi-trial", "the best of many by a score without training (Abdelfattah et al. 2021)", ANY
    ),
    "tpe": Algorithm("tpe", "multi-trial", "options that good trials had more often (Bergstra et al. 2011)", ANY),
}


def builder(name: str) -> Callable[..., Any]:
    """The `build` function of an algorithm.

    Raises:
        SettingsError: the name is not in `ALGORITHMS`.
    """
    return cast(Callable[..., Any], _module(name).build)


def mixing_of(name: str, settings: Mapping[str, Any]) -> Mixing:
    """How the supernet of an algorithm turns alphas into weights: its module's `mixing`, else DARTS's softmax."""
    module = _module(name)
    return module.mixing(settings) if hasattr(module, "mixing") else Mixing()


def evolution_of(name: str, settings: Mapping[str, Any]) -> EvolutionPlan | None:
    """The evolution that an algorithm runs over its trained supernet, if any."""
    module = _module(name)
    return module.evolution(settings) if hasattr(module, "evolution") else None


def remark_of(name: str, space_kind: str) -> str | None:
    """What a search of such a space says before it begins: which part of the algorithm has no meaning there."""
    module = _module(name)
    return module.remark(space_kind) if hasattr(module, "remark") else None


def path_draws(name: str, run: Path, space: SearchSpace) -> Draw | None:
    """What draws the first paths of the evolution, where it is not a uniform draw: from a run's checkpoint."""
    module = _module(name)
    return module.draws(run, space) if hasattr(module, "draws") else None


def check_installed(name: str) -> None:
    """Refuse an algorithm whose extra is not installed.

    Raises:
        SettingsError: naming what to install.
    """
    if ALGORITHMS[name].needs_rl:
        extra_rl.check(name)


def _module(name: str) -> ModuleType:
    if name not in ALGORITHMS:
        raise SettingsError(unknown("algorithm", name, ALGORITHMS))
    return importlib.import_module(f"audionas.search.algorithms.{ALGORITHMS[name].module}")


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


def setting_defaults(name: str) -> dict[str, Any]:
    """The settings of an algorithm and their defaults, read from the signature of its `build`."""
    return {k: p.default for k, p in inspect.signature(builder(name)).parameters.items() if k != "seed"}


def setting_of(name: str, settings: Mapping[str, Any], key: str, otherwise: Any) -> Any:
    """A setting as an algorithm takes it: given, else its default, else `otherwise` where it has no such setting."""
    return settings.get(key, setting_defaults(name).get(key, otherwise))


def check_settings(name: str, settings: Mapping[str, Any], where: str) -> None:
    """Refuse settings that `build` does not take or whose type is wrong.

    Raises:
        SettingsError: naming the accepted settings, read from the signature of `build`; or out of range, which the
            module's `check`, where it has one, says.
    """
    defaults = setting_defaults(name)
    for key, value in settings.items():
        if key not in defaults:
            known = ", ".join(defaults) or "none"
            raise SettingsError(f"{where}: settings: unknown key {key!r} for algorithm {name!r}; accepted: {known}")
        wanted = type(defaults[key])
        if type(value) is not wanted and not (wanted is float and type(value) is int):
            raise SettingsError(
                f"{where}: settings.{key}: got {value!r}, must be {wanted.__name__} such as {defaults[key]!r}"
            )
        low, high, words = RANGES.get(key, (-math.inf, math.inf, ""))
        if wanted in (int, float) and not low <= value <= high:
            raise SettingsError(f"{where}: settings.{key}: got {value!r}, must be {words}")
    module = _module(name)
    if hasattr(module, "check"):
        module.check(**settings)
