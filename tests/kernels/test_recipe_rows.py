"""Rows of a batch: frame by frame, longer clips first, and back to where they came from."""

from __future__ import annotations

import torch

from audionas.kernels.recipe_rows import rows_of

# clip a has 2 frames, b 3, c 1
A1, A2, B1, B2, B3, C1, NONE = 11, 12, 21, 22, 23, 31, -1
BATCH = torch.tensor([[A1, A2, NONE], [B1, B2, B3], [C1, NONE, NONE]])[:, :, None].double()
LENGTHS = torch.tensor([2, 3, 1])


def test_rows_are_packed_frame_by_frame_with_longer_clips_first() -> None:
    rows = rows_of(3, 3, LENGTHS, is_reversed=False)
    assert rows.gather(BATCH, (0, 3)).flatten().tolist() == [B1, A1, C1, B2, A2, B3]
    assert rows.gather(BATCH, (1, 3)).flatten().tolist() == [B2, A2, B3]
    assert rows.starts == [0, 3, 5, 6]


def test_reversed_clips_begin_with_their_own_last_frame() -> None:
    rows = rows_of(3, 3, LENGTHS, is_reversed=True)
    assert rows.gather(BATCH, (0, 3)).flatten().tolist() == [B3, A2, C1, B2, A1, B1]
    assert rows_of(2, 2, None, is_reversed=True).gather(BATCH[:2, :2], (0, 1)).flatten().tolist() == [A2, B2]


def test_rows_go_back_to_their_places_with_zeros_in_the_padding() -> None:
    for is_reversed in (False, True):
        rows = rows_of(3, 3, LENGTHS, is_reversed)
        back = rows.scatter(rows.gather(BATCH, (0, 3)))
        assert torch.equal(back, BATCH.clamp_min(0))
    full = rows_of(3, 3, None, is_reversed=False)
    assert torch.equal(full.scatter(full.gather(BATCH, (0, 3))), BATCH)


def test_a_row_begins_with_the_state_of_its_clip_in_the_frame_before() -> None:
    rows = rows_of(3, 3, LENGTHS, is_reversed=False)
    states = torch.tensor([[[-1], [-2], [-3], [B1], [A1], [C1], [B2], [A2], [B3]]])  # initial ones of b, a and c first
    assert rows.before((0, 3), states).flatten().tolist() == [-1, -2, -3, B1, A1, B2]
    assert rows.before((2, 3), states).flatten().tolist() == [B2]
    full = rows_of(2, 2, None, is_reversed=False)
    assert full.before((1, 2), torch.tensor([[[-1], [-2], [A1], [B1], [A2], [B2]]])).flatten().tolist() == [A1, B1]


def test_pieces_are_whole_frames_of_at_least_so_many_rows() -> None:
    assert rows_of(3, 3, LENGTHS, is_reversed=False).pieces(3) == [(0, 1), (1, 3)]
    assert rows_of(3, 3, LENGTHS, is_reversed=False).pieces(4) == [(0, 2), (2, 3)]
    assert rows_of(10, 4, None, is_reversed=False).pieces(1) == [(0, 1), (1, 2), (2, 3), (3, 4)]
    assert rows_of(2, 5, torch.tensor([2, 1]), is_reversed=False).pieces(100) == [(0, 2)], "frames that no clip has"
    assert rows_of(2, 5, torch.tensor([0, 0]), is_reversed=False).pieces(1) == []
