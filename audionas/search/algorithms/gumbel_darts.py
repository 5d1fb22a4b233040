"""Differentiable search with Gumbel noise: GDAS, where the largest draw alone is computed, or SNAS, where all are.

Source: Dong and Yang 2019, "Searching for a Robust Neural Architecture in Four GPU Hours" (CVPR), section 3.2: the
temperature falls linearly from 10 to 0.1; Xie et al. 2019, "SNAS: Stochastic Neural Architecture Search" (ICLR).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audionas.models.mixing import GumbelMixing, Mixing


def mixing(settings: Mapping[str, Any]) -> Mixing:
    """`single_path` computes one operation an edge."""
    return GumbelMixing(is_sparse=settings.get("single_path", True))


def build(
    *,
    seed: int,
    single_path: bool = True,  # noqa: ARG001
    first_temperature: float = 10.0,
    last_temperature: float = 0.1,
    arc_learning_rate: float = 3.0e-4,
    arc_beta1: float = 0.5,
    arc_beta2: float = 0.999,
    arc_weight_decay: float = 1.0e-3,
    gradient_clip: float = 5.0,
    collapse_skips: int = 0,
    collapse_eigenvalue: float = 0.0,
) -> Any:
    """NNI's DARTS with keyed noise; `single_path` is read by `mixing`."""
    from audionas.search.collapse import Collapse
    from audionas.search.nni_darts import AlphaSteps
    from audionas.search.nni_gumbel import GumbelDarts

    return GumbelDarts(
        seed,
        (first_temperature, last_temperature),
        steps=AlphaSteps(arc_learning_rate, (arc_beta1, arc_beta2), arc_weight_decay),
        gradient_clip=gradient_clip,
        collapse=Collapse(collapse_skips, collapse_eigenvalue),
    )
