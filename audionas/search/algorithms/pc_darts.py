"""PC-DARTS: a part of the channels goes through the mixed operations, and the edges of a node are weighed.

Source: Xu et al. 2020, "PC-DARTS: Partial Channel Connections for Memory-Efficient Architecture Search" (ICLR),
section 3 and its release; alphas rest in the first 15 of 50 epochs.
On recurrent cells the edges of a node are normalised, and all channels are mixed: partial channels are for
convolutions. `audionas.models.recurrent_supernet` says why, and how the edges weigh there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audionas.models.mixing import Mixing, PartialMixing


def mixing(settings: Mapping[str, Any]) -> Mixing:
    """One in `partial` channels is mixed."""
    return PartialMixing(settings.get("partial", 4))


def remark(space_kind: str) -> str | None:
    """Recurrent cells have K = 1."""
    if space_kind != "darts_recurrent":
        return None
    return "pc_darts: its partial channels are for convolutions; recurrent cells have K = 1, their edges are normalised"


def build(
    *,
    seed: int,  # noqa: ARG001
    partial: int = 4,  # noqa: ARG001
    warmup: float = 0.3,
    arc_learning_rate: float = 6.0e-4,
    arc_beta1: float = 0.5,
    arc_beta2: float = 0.999,
    arc_weight_decay: float = 1.0e-3,
    gradient_clip: float = 5.0,
    collapse_skips: int = 0,
    collapse_eigenvalue: float = 0.0,
) -> Any:
    """NNI's DARTS; `partial` is read by `mixing`, which shapes the supernet."""
    from audionas.search.collapse import Collapse
    from audionas.search.nni_darts import AlphaSteps, OrderedDarts

    steps = AlphaSteps(arc_learning_rate, (arc_beta1, arc_beta2), arc_weight_decay, warmup)
    return OrderedDarts(steps, gradient_clip, Collapse(collapse_skips, collapse_eigenvalue))
