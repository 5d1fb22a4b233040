"""The plan of a comparison: what the user asked for, and what every arm shares."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from audionas.errors import SettingsError, unknown
from audionas.experiment.prepare import PrepareOptions
from audionas.experiment.search_engine import EngineRequest, check_trial_engine
from audionas.models.baselines import BASELINES as NETWORKS
from audionas.records import Record
from audionas.search import Strategy, load_strategy
from audionas.spaces import BaselineSpace, CnnMacroSpace, SearchSpace
from audionas.training.task_baselines import BASELINE_NAMES

RANDOM_SEARCH = "random_search"
RANDOM_ARCHITECTURES = "random_architectures"
MIN_ARCHITECTURES = 8
BASELINES = tuple(dict.fromkeys(name.split()[0] for names in BASELINE_NAMES.values() for name in names))  # first words
RANDOM = "random"  # the strategy behind random_search


@dataclass(frozen=True)
class CompareRequest:
    """What the user asked for; None and defaults as `audionas compare --help` says."""

    space: str = "darts_cnn_small"
    data: Path | None = None
    strategies: tuple[str, ...] = ("darts_small_data",)
    features: str | None = None
    seeds: int = 3
    searches: int = 1
    search_epochs: int | None = None
    trials: int | None = None
    trial_epochs: int | None = None
    architectures: int = MIN_ARCHITECTURES
    epochs: tuple[int, ...] = (60,)
    learning_rates: tuple[float, ...] = ()
    augment: str | None = None
    baselines: tuple[str, ...] | None = None
    workers: int = 1
    engine: EngineRequest = field(default_factory=EngineRequest)
    device: str = "cpu"
    threads: int | None = None
    out: Path | None = None
    preparation: PrepareOptions = field(default_factory=PrepareOptions)
    argv: tuple[str, ...] = ("compare",)


class Plan(Record):
    """Every setting of a comparison, as its `run.json` keeps it.

    `reference` is the one-shot strategy whose clip-passes are everybody's budget; None where `trials` are given.
    `arms` maps the name of each arm to its strategy, by name or path. `augment` is for every training that a strategy
    does (of weights) and for every retraining; of `baselines` None is all plain systems. `networks` are hand-made
    systems, arms without a search. `workers` are arms at a time; those of `engine` are trials at a time, of the arms
    that train trials.
    """

    space: str
    arms: dict[str, str]
    reference: str | None
    features: str | None
    seeds: int
    searches: int
    search_epochs: int | None
    trials: int | None
    trial_epochs: int | None
    architectures: int
    epochs: tuple[int, ...]
    learning_rates: tuple[float, ...]
    augment: str | None = None
    baselines: tuple[str, ...] | None = None
    networks: tuple[str, ...] = ()
    workers: int
    engine: EngineRequest = EngineRequest()
    device: str
    threads: int | None

    def as_record(self) -> dict[str, Any]:
        """JSON form; without networks it is that of a comparison of before there were any."""
        return self.model_dump(mode="json", exclude=None if self.networks else {"networks"})

    @property
    def names(self) -> list[str]:
        """All arms: the searched ones, the hand-made networks, then the random architectures."""
        return [*self.arms, *self.networks, RANDOM_ARCHITECTURES]


def make_plan(request: CompareRequest, space: SearchSpace) -> Plan:
    """The plan of a request; the two random arms are always among the arms.

    Raises:
        SettingsError: the engine is unknown or cannot train trials, a strategy is unknown or cannot search the space,
            a name stands twice, a number is out of range, or nothing says how large the budget is.
    """
    for flag, number, lowest in (
        ("--seeds", request.seeds, 1), ("--searches", request.searches, 1), ("--workers", request.workers, 1),
        ("--architectures", request.architectures, MIN_ARCHITECTURES), ("--trials", request.trials, 1),
    ):  # fmt: skip
        if number is not None and number < lowest:
            raise SettingsError(f"{flag}: got {number}, must be {lowest} or more")
    for word in request.baselines or ():
        if word not in (*BASELINES, *NETWORKS):
            raise SettingsError(f"--baselines: {unknown('baseline', word, (*BASELINES, *NETWORKS))}")
    if isinstance(space, CnnMacroSpace):
        raise SettingsError(
            f"compare: space {space.name!r} of kind 'cnn_macro': its architectures differ in their features, and "
            "random ones could not be compared on those of one; search it and retrain instead"
        )
    if isinstance(space, BaselineSpace):
        raise SettingsError(
            f"compare: space {space.name!r} of kind 'baseline' holds settings of one hand-made system, no "
            "architectures; search it and retrain instead"
        )
    arms = _arms(request.strategies)
    networks = tuple(dict.fromkeys(word for word in request.baselines or () if word in NETWORKS))
    for name in networks:
        if name in arms:
            raise SettingsError(f"--baselines: {name!r} is the name of a strategy's arm too; rename its YAML file")
    plain = tuple(word for word in request.baselines or () if word not in NETWORKS)
    strategies = {name: load_strategy(place).for_space(space) for name, place in arms.items()}
    check_trial_engine(request.engine, request.threads, RANDOM)
    one_shot = [name for name, strategy in strategies.items() if strategy.kind == "one-shot"]
    if one_shot and request.trials is not None:
        raise SettingsError(
            f"--trials: the budget is that of {one_shot[0]}, every arm gets as many clip-passes; leave --trials out"
        )
    if not one_shot and request.trials is None:
        raise SettingsError("--strategies: none is one-shot, whose cost would be everybody's budget; give --trials N")
    return Plan(
        space=request.space,
        arms=arms,
        reference=one_shot[0] if one_shot else None,
        features=request.features,
        seeds=request.seeds,
        searches=request.searches,
        search_epochs=request.search_epochs,
        trials=request.trials,
        trial_epochs=request.trial_epochs,
        architectures=request.architectures,
        epochs=request.epochs,
        learning_rates=request.learning_rates,
        augment=request.augment,
        baselines=plain or None,
        networks=networks,
        workers=request.workers,
        engine=request.engine,
        device=request.device,
        threads=request.threads,
    )


def arm_strategy(plan: Plan, name: str, space: SearchSpace) -> Strategy:
    """The strategy of a searched arm; a multi-trial one trains and validates on the clips of the reference's parts.

    A one-shot search trains weights on one part of the search clips and alphas on another; a trial is trained on the
    former and validated on the latter, and what only monitors is left out by both. For the same reason nothing is
    re-tested on other clips.
    """
    strategy = load_strategy(plan.arms[name]).for_space(space)
    if plan.augment:
        strategy = strategy.replace(augment=plan.augment)
    if strategy.kind == "one-shot":
        return strategy.with_budget(epochs=plan.search_epochs, trials=None)
    strategy = strategy.with_budget(epochs=plan.trial_epochs, trials=plan.trials)
    if plan.reference is None:
        return strategy
    parts = load_strategy(plan.arms[plan.reference]).parts
    if parts.get("alphas") == "dev":
        return strategy.replace(retest=0, inner_folds=0)
    shares = {"train": parts["weights"], "validation": parts["alphas"], "unused": parts.get("monitor", 0.0)}
    return strategy.replace(parts=shares, retest=0, inner_folds=0)


def check_baselines(plan: Plan, task: str) -> None:
    """Refuse plain systems that the task of the data has not.

    Raises:
        SettingsError: one was asked for.
    """
    names = [name.split()[0] for name in BASELINE_NAMES[task]]
    for word in plan.baselines or ():
        if word not in names:
            raise SettingsError(f"--baselines: {word!r} is not for {task} data; known there: {', '.join(names)}")


def _arms(strategies: tuple[str, ...]) -> dict[str, str]:
    """Name and place of every searched arm; `random` is `random_search`, which is there in any case."""
    found: dict[str, str] = {}
    for place in (*(place for place in strategies if place not in (RANDOM, RANDOM_SEARCH)), RANDOM):
        name = RANDOM_SEARCH if place == RANDOM else Path(place).stem
        if name in found or name == RANDOM_ARCHITECTURES:
            raise SettingsError(f"--strategies: {name!r} stands there twice, or is the name of a random arm")
        found[name] = str(Path(place).resolve()) if Path(place).is_file() else place
    return found
