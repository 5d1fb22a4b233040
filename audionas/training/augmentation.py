"""SpecAugment and mixup on batches of normalised features, off unless asked for.

Draws come from torch's global generator, which training sets anew for every (seed, epoch).
"""

from __future__ import annotations

import torch
from torch import Tensor

from audionas.torchaudio_import import import_torchaudio
from audionas.training.recipe import Augmentation


def spec_augment(x: Tensor, augmentation: Augmentation) -> Tensor:
    """Mask up to the given share of frames and of features, per clip, with 0 (the normalised mean).

    x: (batch, channels, features, frames).
    """
    for share, axis in ((augmentation.feature_mask, 2), (augmentation.time_mask, 3)):
        if share > 0:
            mask = import_torchaudio().functional.mask_along_axis_iid
            # drawn on one channel: the same place in all, or the deltas would tell what is masked
            x = x * mask(torch.ones_like(x[:, :1]), max(1, round(share * x.shape[axis])), 0.0, axis)
    return x


def mixup(x: Tensor, alpha: float) -> tuple[Tensor, Tensor, float]:
    """Mix each clip with another of the batch: mixed clips, the partners' indices, the share of the first."""
    share = float(torch.distributions.Beta(alpha, alpha).sample())
    partners = torch.randperm(x.shape[0], device=x.device)
    return share * x + (1.0 - share) * x[partners], partners, share
