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
    collapse_skips: int = 0,
    collapse_eigenvalue: float = 0.0,
) -> Any:
    """NNI's DARTS with ordered alphas; all chance (batches, weights, alphas) comes from the evaluator's seed."""
    from audionas.search.collapse import Collapse
    from audionas.search.nni_darts import AlphaSteps, OrderedDarts

    steps = AlphaSteps(arc_learning_rate, (arc_beta1, arc_beta2), arc_weight_decay)
    return OrderedDarts(steps, gradient_clip, Collapse(collapse_skips, collapse_eigenvalue))
