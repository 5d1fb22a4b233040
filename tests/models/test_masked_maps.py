"""Masks of feature maps, on arrays small enough to read."""

from __future__ import annotations

import torch

from audionas.models.masked_maps import masked, masked_average, own_lengths, strided

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
