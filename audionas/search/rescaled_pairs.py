"""Keeps the shares of candidates that were not drawn as they were, after a step moved the alphas of a pair."""

from __future__ import annotations

import torch
from torch import Tensor


def rescale_pair(alphas: Tensor, before: Tensor, pair: Tensor) -> None:
    """Shift, in place, the two moved alphas of each row so that their summed share is what it was.

    Source: Cai et al. 2019 (ProxylessNAS), section 3.2.1, last paragraph, and `rescale_updated_arch_param` of its
    release.

    Args:
        alphas: (..., options), after the step: (edges, ops), or of a recurrent cell's decision (options,).
        before: of the same shape, before it.
        pair: of the same shape, bool, two true a row.
    """
    with torch.no_grad():
        moved, kept = (torch.logsumexp(each.masked_fill(~pair, -torch.inf), -1, True) for each in (alphas, before))
        alphas.sub_(torch.where(pair, moved - kept, 0.0))
