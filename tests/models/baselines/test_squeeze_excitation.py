"""Squeeze and excitation against its formula."""

from __future__ import annotations

import torch

from audionas.models.baselines.own_positions import own_maps
from audionas.models.baselines.squeeze_excitation import SqueezeExcitation


def test_each_channel_is_weighted_by_the_means_of_own_positions() -> None:
    torch.manual_seed(0)
    excitation = SqueezeExcitation(4, reduction=2)
    maps = torch.randn(2, 4, 3, 8)
    lengths = torch.tensor([8, 5])
    own, _ = own_maps(maps, lengths, 4, 3)
    first, second = excitation.weigh[0], excitation.weigh[2]
    means = maps[1, :, :, :5].mean(dim=(1, 2))
    hidden = (first.weight @ means + first.bias).clamp(min=0)
    weight = 1 / (1 + torch.exp(-(second.weight @ hidden + second.bias)))
    assert first.weight.shape == (2, 4)
    assert torch.allclose(excitation(own, lengths)[1, :, :, :5], weight[:, None, None] * maps[1, :, :, :5], atol=1e-6)


def test_few_channels_are_squeezed_to_one() -> None:
    assert SqueezeExcitation(4, reduction=16).weigh[0].weight.shape == (1, 4)
