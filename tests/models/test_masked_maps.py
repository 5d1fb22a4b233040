"""Masks of feature maps, on arrays small enough to read."""

from __future__ import annotations

import torch

from audionas.models.masked_maps import masked, masked_average, masked_relu, own_lengths, strided

MAPS = torch.arange(1.0, 13.0).reshape(2, 1, 2, 3)  # rows 1 2 3 | 4 5 6, and 7 8 9 | 10 11 12
LENGTHS = torch.tensor([1, 3])


def test_frames_beyond_a_clip_become_zeros_even_where_they_were_not_finite() -> None:
    wild = MAPS.clone()
    wild[0, :, :, 1:] = torch.nan
    assert masked(wild, LENGTHS)[0, 0].tolist() == [[1, 0, 0], [4, 0, 0]]
    assert torch.equal(masked(wild, LENGTHS)[1], MAPS[1])


def test_the_average_is_over_features_and_own_frames() -> None:
    assert masked_average(MAPS, LENGTHS).tolist() == [[(1 + 4) / 2], [(7 + 8 + 9 + 10 + 11 + 12) / 6]]
    assert masked_average(MAPS, None).tolist() == [[(1 + 2 + 3 + 4 + 5 + 6) / 6], [9.5]]


def test_without_lengths_nothing_is_masked() -> None:
    assert masked(MAPS, None) is MAPS
    assert strided(None, 2) is None
    assert own_lengths(None, MAPS) is None


def test_lengths_are_at_least_one_frame_and_at_most_those_there_are() -> None:
    found = own_lengths(torch.tensor([0, 2, 9]), MAPS)
    assert found is not None
    assert found.tolist() == [1, 2, 3]


def test_the_masked_relu_and_its_gradient_are_those_of_a_relu_followed_by_a_mask() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(3, 2, 4, 5, dtype=torch.float64, generator=generator)
    lengths = torch.tensor([1, 5, 3])
    own = torch.arange(5) < lengths[:, None, None, None]
    weights = torch.randn(x.shape, dtype=torch.float64, generator=generator)
    for layout in (torch.contiguous_format, torch.channels_last):
        given = x.clone(memory_format=layout).requires_grad_()
        found = masked_relu(given, lengths)
        (found * weights).sum().backward()
        assert torch.equal(found, torch.where(own & (x > 0), x, 0.0))
        assert given.grad is not None
        assert torch.equal(given.grad, torch.where(own & (x > 0), weights, 0.0))
    assert torch.equal(masked_relu(x, lengths), torch.where(own & (x > 0), x, 0.0))
