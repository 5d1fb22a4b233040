"""FairDARTS: a sigmoid for each operation instead of a softmax over them, and a loss that pushes them to 0 or 1.

Source: Chu et al. 2020, "Fair DARTS: Eliminating Unfair Advantages in Differentiable Architecture Search" (ECCV),
section 4. Differences: derivation keeps a space's number of edges a node, the strongest, where the paper keeps those
above a threshold, two at most; `none` may stand in the space, and is then pushed like the others but mixed nowhere.
On recurrent cells each candidate input has a sigmoid too, in the zero-one loss as well; as no BN stands behind a node
there, what a decision mixes is divided by the sum of its sigmoids where that is above 1
(`audionas.models.recurrent_supernet`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audionas.models.mixing import Mixing, SigmoidMixing


def mixing(settings: Mapping[str, Any]) -> Mixing:  # noqa: ARG001
    """A sigmoid for each operation, and in recurrent cells for each input."""
    return SigmoidMixing()


def build(
    *,
    seed: int,  # noqa: ARG001
    zero_one_weight: float = 10.0,
    arc_learning_rate: float = 3.0e-4,
    arc_beta1: float = 0.5,
    arc_beta2: float = 0.999,
    arc_weight_decay: float = 1.0e-3,
    gradient_clip: float = 5.0,
    collapse_skips: int = 0,
    collapse_eigenvalue: float = 0.0,
) -> Any:
    """NNI's DARTS with the zero-one loss."""
    from audionas.search.collapse import Collapse
    from audionas.search.nni_darts import AlphaSteps
    from audionas.search.nni_fair import FairDarts

    return FairDarts(
        zero_one_weight,
        steps=AlphaSteps(arc_learning_rate, (arc_beta1, arc_beta2), arc_weight_decay),
        gradient_clip=gradient_clip,
        collapse=Collapse(collapse_skips, collapse_eigenvalue),
    )
