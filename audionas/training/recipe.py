"""`Recipe`: the settings of one training, as a strategy YAML or `audionas retrain` gives them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from audionas.records import Record


class Augmentation(Record):
    """Settings; all zero means no augmentation.

    Sources: Park et al. 2019 (SpecAugment; one mask an axis, no time warping), Zhang et al. 2018 (mixup).
    """

    time_mask: float = Field(default=0.0, ge=0.0, le=1.0)
    feature_mask: float = Field(default=0.0, ge=0.0, le=1.0)
    mixup_alpha: float = Field(default=0.0, ge=0.0, le=10.0)


class Recipe(Record):
    """How weights are trained. Defaults: Liu et al. 2019 (DARTS), section 3.1, as EmotionNAS has them.

    `schedule`: `cosine` from `learning_rate` to `min_learning_rate`; `steps` divides the rate by 10 when each share
    of the epochs in `milestones` is over; `inverse_time` is rate / (1 + `time_decay` x steps done), Keras's `decay`;
    `constant`. Gradients are clipped by their norm or, with `clip_by: value`, each to [-clip, clip].
    """

    optimiser: Literal["sgd", "adam"] = "sgd"
    learning_rate: float = Field(default=0.025, gt=0)
    min_learning_rate: float = Field(default=0.001, ge=0)
    momentum: float = Field(default=0.9, ge=0, lt=1)
    nesterov: bool = False
    weight_decay: float = Field(default=3.0e-4, ge=0)
    schedule: Literal["cosine", "steps", "inverse_time", "constant"] = "cosine"
    milestones: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = ()
    time_decay: float = Field(default=0.0, ge=0)
    gradient_clip: float = Field(default=5.0, gt=0)
    clip_by: Literal["norm", "value"] = "norm"
    drop_path: float = Field(default=0.0, ge=0, lt=1)
    augmentation: Augmentation = Augmentation()


RECURRENT = Recipe(optimiser="adam", learning_rate=1.0e-3, min_learning_rate=0.0, momentum=0.0, weight_decay=1.2e-6)


def default_recipe(kind: str) -> Recipe:
    """The recipe of a kind of genotype: SGD as DARTS has it for CNN cells; for recurrent ones Adam.

    Sources: Sun et al. 2022, section 3.3 (Adam, 1e-3); Klyuchnikov et al. 2020 (weight decay 1.2e-6).
    """
    return Recipe() if kind in ("cnn_cell", "cnn_macro") else RECURRENT
