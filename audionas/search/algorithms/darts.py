"""DARTS, first order.

Source: Liu, Simonyan, Yang 2019, section 2 and its release.
"""

from __future__ import annotations

from typing import Any


def build(
    *,
    seed: int,  # noqa: ARG001
    arc_learning_rate: float = 3.0e-4,
    arc_beta1: float = 0.5,
    arc_beta2: float = 0.999,
    arc_weight_decay: float = 1.0e-3,
    gradient_clip: float = 5.0,
) -> Any:
    """NNI's DARTS with ordered alphas; all chance (batches, weights, alphas) comes from the evaluator's seed."""
    from audionas.search.nni_darts import OrderedDarts

    adam = {"betas": (arc_beta1, arc_beta2), "weight_decay": arc_weight_decay}
    return OrderedDarts(adam, arc_learning_rate=arc_learning_rate, gradient_clip_val=gradient_clip)
