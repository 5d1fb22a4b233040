"""The loss that pushes the sigmoids of FairDARTS to 0 or 1."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def zero_one_loss(alphas: Sequence[Tensor]) -> Tensor:
    """Minus the mean square of sigmoid(alpha) - 0.5: lowest where every sigmoid is 0 or 1.

    Source: Chu et al. 2020 (FairDARTS), equation 4.
    """
    weights = torch.sigmoid(torch.cat([each.flatten() for each in alphas]))
    return -(weights - 0.5).pow(2).mean()
