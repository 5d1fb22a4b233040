"""`Strategy`: one YAML of `strategies/`, validated: which algorithm, on which parts, for how long."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, field_validator, model_validator

from audionas.augmentations.waveform_augmentation import WaveformAugmentation, augmentation_from
from audionas.errors import SettingsError, unknown
from audionas.models import Mixing
from audionas.models.baselines import baseline_of
from audionas.records import Record, refuse_name, validate
from audionas.search.algorithms import (
    ALGORITHMS,
    check_installed,
    check_pair,
    check_settings,
    evolution_of,
    mixing_of,
    setting_of,
)
from audionas.search.proxies import AUTO, check_proxy
from audionas.search.warm_start import WarmStart, refuse_cold
from audionas.shipped import read
from audionas.spaces import BaselineGenotype, BaselineSpace, SearchSpace
from audionas.training.recipe import Recipe, default_recipe
from audionas.training.tasks import ClassWeighting

PARTS = {"one-shot": ("weights", "alphas", "monitor"), "multi-trial": ("train", "validation", "unused")}
AUTO_MONITOR_SHARE = 0.2
AUTO_MONITOR_GROUPS = 8


def _setting(value: object) -> object:
    """One mistake is one line: a union of types would tell one a type."""
    if not isinstance(value, int | float | str) or (isinstance(value, float) and not math.isfinite(value)):
        raise ValueError("must be a finite number, text, true or false")
    return value


def _share(value: object) -> object:
    if value in ("auto", "dev"):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("must be a share from 0 to 1, or auto or dev where they are accepted")
    return float(value)


Setting = Annotated[int | float | str | bool, PlainValidator(_setting)]
Share = Annotated[float | Literal["auto", "dev"], PlainValidator(_share)]
USUAL_STEPS = ("cosine", "norm")  # the schedule and the clipping of every one-shot search


class Budget(Record):
    """When a search ends: `epochs` of the supernet, or of each of `trials` candidates."""

    epochs: int = Field(default=50, ge=1, le=100_000)
    trials: int = Field(default=20, ge=1, le=1_000_000)


class Strategy(Record):
    """How to look. `settings` are the keyword arguments of the algorithm's `build`.

    `alpha_reach` raises the alphas' rate until steps x rate reaches it; `objective` decides between trials, each
    scored at its last epoch or at the one with the best objective; a trial whose training loss rises above
    `stop_diverging` times that of guessing has failed. Without `recipe`, that of the space's kind is taken.
    `cost_weight` steers the alphas: it times the expected cost, in units of the hard limit, is added to their loss.
    `inner_folds` trains each candidate once an inner fold; `retest` trials are trained anew before the winner is named.
    `augment` makes augmented copies of the clips that train weights: a name, a path, or the settings themselves.
    A share may be `dev`: the part of the corpus's own that validates (with `--protocol speaker_pairs`). Clips of a
    part `unused` are read by no trial: a one-shot search's monitor part, where both are to have the same clips.
    `warm_start` takes the first proposals from a zero-cost ranking.
    """

    name: str = "unnamed"
    algorithm: str
    source: str = ""
    batch_size: int = Field(default=16, ge=2, le=65536)
    parts: dict[str, Share]
    settings: dict[str, Setting] = {}
    alpha_reach: float | None = Field(default=None, gt=0)
    cost_weight: float | None = Field(default=None, gt=0)
    objective: Literal["balanced_loss", "ua", "loss"] = "balanced_loss"
    score_epoch: Literal["last", "best"] = "last"
    stop_diverging: float | None = Field(default=None, gt=1)
    inner_folds: int = Field(default=0, ge=0, le=1000)
    retest: int = Field(default=5, ge=0, le=1000)
    recipe: Recipe | None = None
    class_weighting: ClassWeighting = "balanced"
    budget: Budget = Budget()
    augment: WaveformAugmentation | None = None
    warm_start: WarmStart | None = None

    @field_validator("augment", mode="before")
    @classmethod
    def _read_augmentation(cls, value: object) -> object:
        try:
            return augmentation_from(value)
        except SettingsError as why:
            raise ValueError(str(why)) from why

    @model_validator(mode="after")
    def _consistent(self) -> Strategy:
        if self.algorithm not in ALGORITHMS:
            raise ValueError(f"algorithm: {unknown('algorithm', self.algorithm, ALGORITHMS)}")
        wrong = [part for part in self.parts if part not in PARTS[self.kind]]
        if wrong:
            raise ValueError(f"parts: {unknown('part', wrong[0], PARTS[self.kind])}")
        for part, share in self.parts.items():
            if share == "auto" and part not in ("monitor", "unused"):
                raise ValueError(f"parts.{part}: got 'auto', only monitor or unused may be auto")
            if share == "dev" and part != "alphas":
                raise ValueError(f"parts.{part}: got 'dev', only alphas may be dev")
            if not isinstance(share, str) and not 0 <= share <= 1:
                raise ValueError(f"parts.{part}: got {share}, must be a share from 0 to 1")
        for part in PARTS[self.kind][:2]:
            if not self.parts.get(part):
                raise ValueError(f"parts.{part}: must be above 0 for algorithm {self.algorithm!r}")
        if self.inner_folds == 1:
            raise ValueError("inner_folds: got 1, must be 0 (one division into train and validation) or at least 2")
        if self.inner_folds and self.kind == "one-shot":
            raise ValueError(
                f"inner_folds: algorithm {self.algorithm!r} is one-shot and trains no candidates; remove it"
            )
        if self.warm_start and self.kind == "one-shot":
            raise ValueError(f"warm_start: algorithm {self.algorithm!r} is one-shot and proposes nothing; remove it")
        cold = refuse_cold(self.algorithm) if self.warm_start else None
        if cold:
            raise ValueError(cold)
        if self.cost_weight and (self.kind != "one-shot" or evolution_of(self.algorithm, self.settings)):
            raise ValueError(f"cost_weight: algorithm {self.algorithm!r} has no alphas to steer; remove it")
        unused = self.recipe and (self.recipe.drop_path or self.recipe.gradient_clip != Recipe().gradient_clip)
        if self.kind == "one-shot" and unused:
            raise ValueError("recipe: drop_path and gradient_clip do nothing here; set settings.gradient_clip")
        if self.kind == "one-shot" and self.recipe and (self.recipe.schedule, self.recipe.clip_by) != USUAL_STEPS:
            raise ValueError(
                "recipe: schedule and clip_by do nothing here: a one-shot search has a cosine and the norm"
            )
        try:
            check_settings(self.algorithm, self.settings, "strategy")
        except SettingsError as why:
            raise ValueError(str(why).removeprefix("strategy: ")) from why
        trials = self.budget.trials
        draws = setting_of("zero_cost", self.settings, "draws", trials) if self.algorithm == "zero_cost" else trials
        if draws < trials:
            raise ValueError(
                f"settings.draws: got {draws} for {trials} trials, must be at least as many, since every trial is one "
                f"of the draws; set draws to {trials} or more, or take fewer trials"
            )
        return self

    @property
    def kind(self) -> Literal["one-shot", "multi-trial"]:
        """Whether one supernet is trained, or many candidates."""
        return ALGORITHMS[self.algorithm].kind

    @property
    def proxies(self) -> tuple[str, ...]:
        """The zero-cost proxies that it needs."""
        own = (str(self.settings.get("proxy", AUTO)),) if self.algorithm == "zero_cost" else ()
        return (*own, self.warm_start.proxy) if self.warm_start else own

    def check_pick(self, pick: str, has_monitor: bool) -> None:
        """Refuse to pick the best epoch where no part tells, or where something else chooses.

        Raises:
            SettingsError: `pick` is "best", and there is no monitor part, or an evolution chooses.
        """
        if pick != "best":
            return
        if self.kind != "one-shot" or not has_monitor:
            raise SettingsError("--pick best: needs a one-shot search with a monitor part (parts.monitor above 0)")
        if evolution_of(self.algorithm, self.settings):
            raise SettingsError(
                f"--pick best: algorithm {self.algorithm!r} chooses by scoring paths of the last epoch's supernet; "
                "use --pick last"
            )

    def mixing(self) -> Mixing:
        """How a one-shot algorithm turns alphas into weights; a new object, since it may hold a state."""
        return mixing_of(self.algorithm, self.settings)

    def shares(self, n_groups: int) -> dict[str, float]:
        """Share of each part of the search groups, summing to 1; `auto` is a fifth from 8 groups on, else none."""
        auto = AUTO_MONITOR_SHARE if n_groups >= AUTO_MONITOR_GROUPS else 0.0
        fixed = {part: float(share) for part, share in self.parts.items() if not isinstance(share, str)}
        left = (1.0 - auto) if len(fixed) < len(self.parts) else 1.0
        scaled = {part: share * left / sum(fixed.values()) for part, share in fixed.items()}
        return {part: scaled.get(part, auto) for part in self.parts}

    def for_space(self, space: SearchSpace) -> Strategy:
        """The strategy with its recipe filled in.

        Raises:
            SettingsError: the algorithm cannot search this kind of space, or its proxy has no meaning there, or the
                extra that it needs is not installed.
        """
        check_pair(self.algorithm, space.kind, space.name)
        check_installed(self.algorithm)
        for proxy in self.proxies:
            check_proxy(proxy, space.kind)
        if self.recipe:
            return self
        if isinstance(space, BaselineSpace):
            return self.replace(recipe=dict(baseline_of(BaselineGenotype(space.baseline)).recipe))
        return self.replace(recipe=default_recipe(space.kind).model_dump())

    def with_budget(self, *, epochs: int | None, trials: int | None) -> Strategy:
        """The same strategy with another budget, from the command line.

        Raises:
            SettingsError: a number is out of range, or trials are asked of a one-shot algorithm.
        """
        if trials is not None and self.kind == "one-shot":
            raise SettingsError(f"--trials: strategy {self.name!r} is one-shot and trains one supernet; use --epochs")
        given = {"epochs": epochs, "trials": trials}
        changes = {key: value for key, value in given.items() if value is not None}
        return self.replace(budget={**self.budget.model_dump(), **changes}) if changes else self

    def with_evaluation(self, *, inner_folds: int | None, retest: int | None) -> Strategy:
        """The same strategy with other inner folds and re-tests, from the command line.

        Raises:
            SettingsError: a number is out of range, or either is asked of a one-shot algorithm.
        """
        given = {"inner_folds": inner_folds, "retest": retest}
        changes = {key: value for key, value in given.items() if value is not None}
        if changes and self.kind == "one-shot":
            flag = f"--{next(iter(changes)).replace('_', '-')}"
            raise SettingsError(
                f"{flag}: strategy {self.name!r} is one-shot and trains one supernet; it is for multi-trial strategies"
            )
        return self.replace(**changes) if changes else self

    def replace(self, **changes: Any) -> Strategy:
        """A validated copy with some fields replaced."""
        return validate(Strategy, {**self.model_dump(), **changes}, f"strategy {self.name}")

    def to_settings(self) -> dict[str, Any]:
        """The mapping that the strategy's YAML holds."""
        settings = self.model_dump(mode="json", exclude={"name"}, exclude_none=True)
        if self.kind == "one-shot":
            del settings["budget"]["trials"], settings["inner_folds"], settings["retest"]
        return settings


def load_strategy(name_or_path: str | Path) -> Strategy:
    """A strategy from a shipped name or the path of a YAML file.

    Raises:
        SettingsError: no such file, or a key or value that is not accepted (all are listed).
    """
    path, settings = read("strategies", name_or_path)
    return strategy_from_settings(settings, path.stem, str(path))


def strategy_from_settings(settings: Mapping[str, Any], name: str, where: str) -> Strategy:
    """A strategy from the mapping that its YAML holds."""
    refuse_name(settings, where)
    return validate(Strategy, {**settings, "name": name}, where)
