"""Batches of clips of any length."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from audionas.training.batches import Normaliser
from audionas.training.frame_batches import CHUNK, FrameClips, ShuffledFrames

ONE = np.ones((1, 1, 1), np.float32)
LENGTHS = np.array([3, 9, 5, 1, 7, 2, 4, 6])


@pytest.fixture
def clips() -> FrameClips:
    """Eight clips of two bands; band 0 holds the row, band 1 the frame; 3 stored frames are padding."""
    blocks = [
        np.stack([np.full(n + 3, row), np.arange(n + 3)])[None].astype(np.float32) for row, n in enumerate(LENGTHS)
    ]
    return FrameClips(blocks, LENGTHS, Normaliser(0 * ONE, ONE), longest=6)


def test_a_batch_is_padded_to_its_own_longest_clip(clips: FrameClips) -> None:
    x, _, weights, lengths = clips.batch([0, 3, 5], [0, 0, 1])
    assert x.shape == (3, 1, 2, 3)
    assert lengths.tolist() == [3, 1, 1]
    assert x[0, 0, 1].tolist() == [0, 1, 2]
    assert x[1, 0].tolist() == [[3, 0, 0], [0, 0, 0]]
    assert x[2, 0].tolist() == [[5, 0, 0], [1, 0, 0]]
    assert weights.tolist() == [1, 1, 1]


def test_frames_are_normalised_and_padding_is_not(clips: FrameClips) -> None:
    mean = np.array([1, 2], np.float32).reshape(1, 2, 1)
    moved = FrameClips(clips.features, clips.own, Normaliser(mean, 2 * mean), 6)
    x = moved.batch([5, 0], [0, 0])[0]
    assert x[0, 0].tolist() == [[2, 2, 0], [-0.5, -0.25, 0]]


def test_in_order_takes_every_row_once_and_the_middle_of_long_ones(clips: FrameClips) -> None:
    seen = {}
    for x, _, _, lengths in clips.in_order(range(8), batch_size=3):
        assert lengths is not None
        for clip, n in zip(x, lengths.tolist(), strict=True):
            seen[int(clip[0, 0, 0])] = clip[0, 1, :n].tolist()
    assert sorted(seen) == list(range(8))
    assert seen[1] == [1, 2, 3, 4, 5, 6]  # of 9 frames, 6 from the second on
    assert seen[0] == [0, 1, 2]


def _rows(batches: ShuffledFrames) -> list[list[int]]:
    return [x[:, 0, 0, 0].int().tolist() for x, _, _, _ in batches]


def _shuffled(clips: FrameClips, epoch: int, seed: int = 0) -> ShuffledFrames:
    return ShuffledFrames(clips, range(8), batch_size=3, seed=seed, purpose="test", epoch=lambda: epoch)


def test_an_epoch_s_batches_hold_every_row_once_and_are_its_own(clips: FrameClips) -> None:
    first = _rows(_shuffled(clips, 0))
    assert len(first) == len(_shuffled(clips, 0)) == 3
    assert sorted(row for batch in first for row in batch) == list(range(8))
    assert first == _rows(_shuffled(clips, 0))
    others = [_rows(_shuffled(clips, epoch, seed)) for epoch, seed in ((1, 0), (2, 0), (3, 0), (0, 1), (0, 2))]
    assert any(other != first for other in others)


def test_clips_of_like_length_come_together(clips: FrameClips) -> None:
    assert CHUNK * 3 >= 8
    spans = sorted(sorted(LENGTHS[batch].tolist()) for batch in _rows(_shuffled(clips, 0)))
    assert spans == [[1, 2, 3], [4, 5, 6], [7, 9]]


def test_long_clips_are_cut_at_places_that_the_epoch_draws(clips: FrameClips) -> None:
    starts = set()
    for epoch in range(30):
        for x, _, _, _ in _shuffled(clips, epoch):
            starts |= {int(clip[0, 1, 0]) for clip in x if clip[0, 0, 0] == 1}
    assert starts == {0, 1, 2, 3}
    again = [torch.cat([x.flatten() for x, _, _, _ in _shuffled(clips, 4)]) for _ in range(2)]
    assert torch.equal(*again)
