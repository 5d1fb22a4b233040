"""DARTS, first order.

Source: Liu, Simonyan, Yang 2019, section 2 and its release.
"""

from __future__ import annotations

from typing import Any


def build(*, seed: int, arc_learning_rate: float = 3.0e-4, gradient_clip: float = 5.0) -> Any:  # noqa: ARG001
    """NNI's DARTS with ordered alphas; all chance (batches, weights, alphas) comes from the evaluator's seed."""
    from audionas.search.nni_darts import OrderedDarts

    return OrderedDarts(arc_learning_rate=arc_learning_rate, gradient_clip_val=gradient_clip)
