"""ProxylessNAS: binary gates; the weights learn along one path, the alphas' gradient compares two.

Source: Cai, Zhu, Han 2019, "ProxylessNAS: Direct Neural Architecture Search on Target Task and Hardware" (ICLR),
section 3 and its release: Adam with rate 1e-3, betas (0, 0.999), no weight decay. Not there: its latency loss.
In recurrent cells operations and inputs are decisions of their own, with a path or a pair each; a node that the path
does not read is computed where the pair has it, along its own path (`audionas.models.sparse_mixture`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audionas.models.mixing import BinaryGates, Mixing


def mixing(settings: Mapping[str, Any]) -> Mixing:  # noqa: ARG001
    """One candidate of an edge, or of a decision of a recurrent cell, or two."""
    return BinaryGates()


def build(
    *,
    seed: int,
    arc_learning_rate: float = 1.0e-3,
    arc_beta1: float = 0.0,
    arc_beta2: float = 0.999,
    arc_weight_decay: float = 0.0,
    gradient_clip: float = 5.0,
    collapse_skips: int = 0,
    collapse_eigenvalue: float = 0.0,
) -> Any:
    """NNI's DARTS with keyed gates."""
    from audionas.search.collapse import Collapse
    from audionas.search.nni_darts import AlphaSteps
    from audionas.search.nni_proxyless import Proxyless

    return Proxyless(
        seed,
        steps=AlphaSteps(arc_learning_rate, (arc_beta1, arc_beta2), arc_weight_decay),
        gradient_clip=gradient_clip,
        collapse=Collapse(collapse_skips, collapse_eigenvalue),
    )
