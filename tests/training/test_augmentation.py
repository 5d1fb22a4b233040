"""SpecAugment masks whole frames and features of each clip; mixup is a convex mixture of clips."""

from __future__ import annotations

import torch

from audionas.training.augmentation import mixup, spec_augment
from audionas.training.recipe import Augmentation


def lengths_of_masks(masked: torch.Tensor) -> list[int]:
    """Length of the one masked stretch of each row of (clips, places); fails if there are two."""
    found = []
    for row in masked.tolist():
        stretches = "".join("x" if cell else " " for cell in row).split()
        assert len(stretches) <= 1
        found.append(len(stretches[0]) if stretches else 0)
    return found


def test_no_augmentation_returns_the_batch_as_it_is() -> None:
    x = torch.randn(2, 1, 4, 5)
    assert spec_augment(x, Augmentation()) is x


def test_one_stretch_of_frames_of_at_most_its_share_is_masked_in_each_clip() -> None:
    torch.manual_seed(0)
    x = torch.ones(200, 2, 8, 40)
    y = spec_augment(x, Augmentation(time_mask=0.25))
    masked = (y == 0).all(dim=1).all(dim=1)
    assert torch.equal((y == 0), masked[:, None, None, :].expand_as(y))
    lengths = lengths_of_masks(masked)
    assert max(lengths) <= 10
    assert len(set(lengths)) > 5  # drawn for each clip


def test_features_are_masked_over_all_frames() -> None:
    torch.manual_seed(0)
    y = spec_augment(torch.ones(100, 1, 20, 7), Augmentation(feature_mask=0.5))
    masked = (y == 0).all(dim=3).all(dim=1)
    assert torch.equal((y == 0), masked[:, None, :, None].expand_as(y))
    assert 0 < max(lengths_of_masks(masked)) <= 10


def test_mixup_mixes_each_clip_with_the_partner_it_names() -> None:
    torch.manual_seed(0)
    x = torch.randn(6, 1, 2, 2)
    mixed, partners, share = mixup(x, 0.4)
    assert 0 <= share <= 1
    assert sorted(partners.tolist()) == list(range(6))
    torch.testing.assert_close(mixed, share * x + (1 - share) * x[partners])


def test_shares_follow_the_beta_distribution() -> None:
    torch.manual_seed(0)
    shares = torch.tensor([mixup(torch.zeros(2, 1, 1, 1), 2.0)[2] for _ in range(2000)])
    # Beta(a, a): mean 1/2, variance 1 / (4 (2 a + 1))
    assert abs(float(shares.mean()) - 0.5) < 4 * (1 / 20 / 2000) ** 0.5
    assert abs(float(shares.var()) - 1 / 20) < 0.01
