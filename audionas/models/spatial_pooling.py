"""Poolings of feature maps to scores, padding left out: attention, global average, bilinear.

Source: Li et al. 2018, section 2.4: attention pooling is bilinear pooling whose weights of class k have rank 1,
a_k b^T, and share b (equations 4 to 8); with a softmax on the map of b (section 3.3). It follows Girdhar and Ramanan
2017. Bilinear pooling: Lin, RoyChowdhury, Maji 2015.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from audionas.kernels.mixed_precision import full_precision
from audionas.models.masked_maps import MaskedMaps

ROOT_FLOOR = 1e-10  # the slope of a square root is infinite at 0


@dataclass(frozen=True, eq=False)
class AttentionMaps:
    """What attention pooling multiplies, by position.

    `class_agnostic`, (batch, features, frames), is bottom-up: >= 0, it sums to 1, and is 0 in the padding.
    `class_specific`, (batch, classes, features, frames), is top-down: each class's evidence, of any sign.
    """

    class_agnostic: Tensor
    class_specific: Tensor

    @property
    def products(self) -> Tensor:
        """What each position adds to the score of each class: (batch, classes, features, frames)."""
        return self.class_agnostic[:, None] * self.class_specific


class AttentionPooling(nn.Module):
    """Scores: the sum (or mean) over positions of top-down map times softmax of the bottom-up map."""

    def __init__(self, channels: int, n_classes: int, reduce: str) -> None:
        super().__init__()
        self.reduce = reduce
        self.top_down = nn.Conv2d(channels, n_classes, 1)
        self.bottom_up = nn.Conv2d(channels, 1, 1)

    def maps(self, maps: MaskedMaps) -> AttentionMaps:
        """Both maps, of the size of the feature maps."""
        own = maps.positions()
        energy = self.bottom_up(maps.values).masked_fill(~own, -torch.inf)
        agnostic = energy.flatten(1).softmax(dim=1).view_as(energy)[:, 0]
        return AttentionMaps(agnostic, torch.where(own, self.top_down(maps.values), 0.0))

    def forward(self, maps: MaskedMaps) -> Tensor:
        """Scores, (batch, classes)."""
        scores = self.maps(maps).products.sum(dim=(2, 3))
        if self.reduce == "sum":
            return scores
        n_frames = maps.values.shape[3] if maps.lengths is None else maps.lengths[:, None]
        return scores / (maps.values.shape[2] * n_frames)


class GlobalAveragePooling(nn.Module):
    """Mean over positions and one linear layer."""

    def __init__(self, channels: int, n_classes: int, _: str = "") -> None:
        super().__init__()
        self.classifier = nn.Linear(channels, n_classes)

    def forward(self, maps: MaskedMaps) -> Tensor:
        """Scores, (batch, classes)."""
        return self.classifier(maps.mean())  # type: ignore[no-any-return]


class BilinearPooling(nn.Module):
    """X^T X over positions, l2 norm, signed square root (in this or the other order), one linear layer."""

    def __init__(self, channels: int, n_classes: int, order: str) -> None:
        super().__init__()
        self.order = order
        self.classifier = nn.Linear(channels * channels, n_classes)

    def forward(self, maps: MaskedMaps) -> Tensor:
        """Scores, (batch, classes)."""
        x = maps.values.flatten(2)
        # 0 where both are padding; its scale falls to the norm
        products = full_precision(x @ x.transpose(1, 2)).flatten(1)
        if self.order == "norm_first":
            return self.classifier(_signed_root(functional.normalize(products)))  # type: ignore[no-any-return]
        return self.classifier(functional.normalize(_signed_root(products)))  # type: ignore[no-any-return]


def _signed_root(x: Tensor) -> Tensor:
    return x.sign() * (x.abs() + ROOT_FLOOR).sqrt()


SPATIAL_POOLINGS: dict[str, Callable[[int, int, str], nn.Module]] = {
    "attention": AttentionPooling, "gap": GlobalAveragePooling, "bilinear": BilinearPooling,
}  # fmt: skip
