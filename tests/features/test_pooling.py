"""Averages of neighbouring frames, written out."""

from __future__ import annotations

import torch

from audionas.features.pooling import average_all, average_to, average_whole

FRAMES = torch.tensor([[1.0, 3.0, 5.0, 7.0, 100.0], [0.0, 0.0, 2.0, 2.0, -1.0]])


def test_a_rest_is_left_out_or_becomes_the_mean_of_its_real_frames() -> None:
    assert average_whole(FRAMES, 2).tolist() == [[2.0, 6.0], [0.0, 2.0]]
    assert average_all(FRAMES, 2).tolist() == [[2.0, 6.0, 100.0], [0.0, 2.0, -1.0]]
    torch.testing.assert_close(average_all(FRAMES, 3), torch.tensor([[3.0, 53.5], [2 / 3, 0.5]]))


def test_widths_that_fit_or_are_one_leave_no_rest() -> None:
    assert average_all(FRAMES[:, :4], 2).tolist() == average_whole(FRAMES[:, :4], 2).tolist()
    assert average_all(FRAMES, 1).tolist() == FRAMES.tolist()


def test_adaptive_windows_overlap_by_one_frame_where_they_must() -> None:
    # 5 frames to 3: [0, 2), [1, 4), [3, 5)
    assert average_to(FRAMES[:1], 3).tolist() == [[2.0, 5.0, 53.5]]
