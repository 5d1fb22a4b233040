"""Normalisation sees training rows only; batches are keyed by (seed, epoch) and cover every row."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from audionas.training.batches import Batch, ClipTensors, EpochBatches, Normaliser, n_batches_of, shifted
from audionas.training.clip_copies import CopyTable
from tests.training.toys import toy_features, toy_tensors

RAGGED = [np.arange(2 * 3 * w, dtype=np.float32).reshape(2, 3, w) + 100 * w for w in (4, 7, 10)]
IDENTITY = Normaliser.fit(RAGGED, [0], "none")


# --- normalisation ---


def test_per_feature_statistics_are_those_of_numpy_over_all_frames() -> None:
    joined = np.concatenate([RAGGED[0], RAGGED[2]], axis=2).astype(np.float64)
    found = Normaliser.fit(RAGGED, [0, 2], "per_feature")
    np.testing.assert_allclose(found.mean, joined.mean(axis=2, keepdims=True), rtol=1e-6)
    np.testing.assert_allclose(found.std, joined.std(axis=2, keepdims=True), rtol=1e-6)
    assert found.mean.shape == (2, 3, 1)


def test_global_statistics_are_those_of_numpy_over_everything() -> None:
    joined = np.concatenate([block.ravel() for block in RAGGED]).astype(np.float64)
    found = Normaliser.fit(RAGGED, range(3), "global")
    assert found.mean.shape == found.std.shape == (1, 1, 1)
    assert found.mean.item() == pytest.approx(joined.mean(), rel=1e-6)
    assert found.std.item() == pytest.approx(joined.std(), rel=1e-6)


@pytest.mark.parametrize("mode", ["per_feature", "global"])
def test_rows_that_are_not_for_training_change_nothing(mode: str) -> None:
    features = toy_features(6)
    before = Normaliser.fit(features, [0, 2, 5], mode)
    for row in (1, 3, 4):
        features[row][:] = 1e6
    after = Normaliser.fit(features, [0, 2, 5], mode)
    assert np.array_equal(before.mean, after.mean)
    assert np.array_equal(before.std, after.std)
    features[2][:] = 1e6
    assert not np.array_equal(before.mean, Normaliser.fit(features, [0, 2, 5], mode).mean)


def test_normalised_training_rows_have_mean_zero_and_deviation_one() -> None:
    features = toy_features(8)
    normalise = Normaliser.fit(features, range(8), "per_feature")
    joined = np.concatenate([normalise(block) for block in features], axis=2)
    np.testing.assert_allclose(joined.mean(axis=2), 0.0, atol=1e-5)
    np.testing.assert_allclose(joined.std(axis=2), 1.0, atol=1e-4)
    assert joined.dtype == np.float32


def test_a_constant_feature_stays_finite_and_none_changes_nothing() -> None:
    constant = [np.full((1, 2, 5), -80.0, np.float32)]
    assert not Normaliser.fit(constant, [0], "per_feature")(constant[0]).any()
    assert np.array_equal(IDENTITY(RAGGED[1]), RAGGED[1])


# --- clips ---


def ragged(test_windows: str = "centre") -> ClipTensors:
    return ClipTensors(RAGGED, np.array([0, 1, 0]), IDENTITY, 4, test_windows)


def test_a_longer_clip_is_cropped_at_every_place_in_training() -> None:
    tensors, starts = ragged(), set()
    rng = np.random.default_rng(0)
    for _ in range(60):
        crop, _ = tensors.crop([2, 0], rng)
        assert crop.shape == (2, 2, 3, 4)
        start = int(crop[0, 0, 0, 0].item() - RAGGED[2][0, 0, 0])
        starts.add(start)
        np.testing.assert_array_equal(crop[0].numpy(), RAGGED[2][:, :, start : start + 4])
        np.testing.assert_array_equal(crop[1].numpy(), RAGGED[0])
    assert starts == set(range(7))  # 10 frames, 4 wide


def test_the_centre_window_leaves_as_much_on_both_sides() -> None:
    assert [ragged().windows(row) for row in range(3)] == [[0], [1], [3]]


def test_multiple_windows_overlap_by_half_and_reach_both_ends() -> None:
    assert [ragged("multi").windows(row) for row in range(3)] == [[0], [0, 1, 3], [0, 2, 4, 6]]


@given(st.integers(1, 9), st.integers(0, 60))
def test_multiple_windows_leave_no_frame_out(frames: int, spare: int) -> None:
    block = [np.zeros((1, 1, frames + spare), np.float32)]
    starts = ClipTensors(block, np.zeros(1, int), Normaliser.fit(block, [0], "none"), frames, "multi").windows(0)
    assert (starts[0], starts[-1]) == (0, spare)
    assert all(0 < b - a <= max(frames // 2, 1) for a, b in pairwise(starts))


def test_a_window_is_cut_where_it_starts() -> None:
    cut, _ = ragged().at([1, 2], [3, 6])
    np.testing.assert_array_equal(cut[0].numpy(), RAGGED[1][:, :, 3:7])
    np.testing.assert_array_equal(cut[1].numpy(), RAGGED[2][:, :, 6:10])


def test_clips_of_equal_length_are_kept_normalised_in_memory() -> None:
    features = toy_features(5)
    normalise = Normaliser.fit(features, range(5), "per_feature")
    tensors = ClipTensors(features, np.zeros(5, int), normalise, 12, "multi")
    crop, lengths = tensors.crop([3, 1], np.random.default_rng(0))
    assert lengths is None
    np.testing.assert_array_equal(crop.numpy(), np.stack([normalise(features[3]), normalise(features[1])]))
    assert tensors.windows(3) == [0]


# --- all windows ---


def all_windows(train_shift: int | None = 3, test_shift: int | None = None, masked: bool = False) -> ClipTensors:
    own = np.array([2, 7, 10]) if masked else None
    return ClipTensors(
        RAGGED, np.array([0, 1, 0]), IDENTITY, 4, "multi", own, train_shift=train_shift, test_shift=test_shift
    )


def test_all_windows_start_a_shift_apart_and_the_last_ends_with_the_clip() -> None:
    """RAGGED has 4, 7 and 10 frames, the input 4."""
    assert all_windows(2).training_windows([2, 0, 1]) == [
        (2, 0),
        (2, 2),
        (2, 4),
        (2, 6),
        (0, 0),
        (1, 0),
        (1, 2),
        (1, 3),
    ]
    assert all_windows(3, 4).windows(2) == [0, 4, 6]
    assert all_windows(3, 4).windows(0) == [0]
    assert all_windows(None).training_windows([2, 0]) == [(2, None), (0, None)]


@given(st.integers(1, 9), st.integers(-5, 60), st.integers(1, 9))
def test_shifted_windows_leave_no_frame_out(frames: int, spare: int, shift: int) -> None:
    shift = min(shift, frames)
    starts = shifted(spare, shift)
    assert (starts[0], starts[-1]) == (0, max(spare, 0))
    assert starts[:-1] == list(range(0, max(spare, 0), shift))


def dealt_windows(tensors: ClipTensors, epoch: int = 0, rows: tuple[int, ...] = (0, 1, 2), **more: Any) -> list[Batch]:
    settings = {"batch_size": 3, "seed": 0, "purpose": "test", "epoch": lambda: epoch, **more}
    return list(EpochBatches(tensors, rows, np.arange(1.0, 1.0 + len(rows), dtype=np.float32), **settings))


def test_an_epoch_on_all_windows_holds_each_once_with_its_clip_s_target_and_weight() -> None:
    found = dealt_windows(all_windows(3))
    assert [len(x) for x, *_ in found] == [3, 3]  # 1 + 2 + 3 windows
    seen = []
    for x, targets, weights, lengths in found:
        assert lengths is None
        for window, target, weight in zip(x.numpy(), targets.tolist(), weights.tolist(), strict=True):
            row = int(weight) - 1
            start = int(window[0, 0, 0] - RAGGED[row][0, 0, 0])
            np.testing.assert_array_equal(window, RAGGED[row][:, :, start : start + 4])
            assert target == [0, 1, 0][row]
            seen.append((row, start))
    assert sorted(seen) == [(0, 0), (1, 0), (1, 3), (2, 0), (2, 3), (2, 6)]


def test_the_order_of_windows_is_that_of_the_epoch() -> None:
    def order(epoch: int) -> list[float]:
        return [float(window[0, 0, 0]) for x, *_ in dealt_windows(all_windows(1), epoch) for window in x]

    assert order(1) == order(1)
    assert order(1) != order(2)
    assert sorted(order(1)) == sorted(order(2))


def test_windows_of_masked_clips_know_their_own_frames() -> None:
    found = dealt_windows(all_windows(3, masked=True))
    pairs = [(int(weight), int(n)) for _, _, weights, n_own in found for weight, n in zip(weights, n_own, strict=True)]
    assert sorted(pairs) == [(1, 2), (2, 4), (2, 4), (3, 4), (3, 4), (3, 4)]


def test_the_sampler_balances_windows_by_class() -> None:
    """Rows 0 and 2 are of class 0 with 4 windows in all, row 1 of class 1 with 2."""
    counts: Counter[int] = Counter()
    for epoch in range(200):
        for _, targets, *_ in dealt_windows(all_windows(3), epoch, balanced_sampling=True):
            counts.update(targets.tolist())
    assert sum(counts.values()) == 1200
    assert counts[1] / 1200 == pytest.approx(0.5, abs=4 * (0.25 / 1200) ** 0.5)


def test_a_copy_that_is_shorter_than_its_clip_is_cut_where_it_still_has_a_whole_window() -> None:
    """As a copy that was played faster is; it stands after the clips, in row 3."""
    features = [*RAGGED, RAGGED[2][:, :, 1:6]]
    tensors = ClipTensors(
        features, np.array([0, 1, 0]), IDENTITY, 4, "centre", copies=CopyTable(3, (2,), 1), train_shift=3
    )
    x, _ = tensors.near([3, 3, 2], [0, 6, 6])
    np.testing.assert_array_equal(x[0].numpy(), features[3][:, :, :4])
    np.testing.assert_array_equal(x[1].numpy(), features[3][:, :, 1:5])
    np.testing.assert_array_equal(x[2].numpy(), RAGGED[2][:, :, 6:])


# --- padding ---


OWN = np.array([2, 7, 3])  # RAGGED has 4, 7 and 10 frames; of the first and last only these are the clip's own


def test_with_lengths_the_statistics_leave_the_padding_out() -> None:
    joined = np.concatenate([RAGGED[0][:, :, :2], RAGGED[2][:, :, :3]], axis=2).astype(np.float64)
    found = Normaliser.fit(RAGGED, [0, 2], "per_feature", OWN)
    np.testing.assert_allclose(found.mean, joined.mean(axis=2, keepdims=True), rtol=1e-6)
    np.testing.assert_allclose(found.std, joined.std(axis=2, keepdims=True), rtol=1e-6)


def test_without_lengths_padding_that_is_not_stored_counts_too() -> None:
    padded = np.concatenate(
        [np.pad(RAGGED[row], ((0, 0), (0, 0), (0, 12 - n))) for row, n in ((0, 4), (2, 10))], axis=2
    )
    for mode, axes in (("per_feature", 2), ("global", None)):
        found = Normaliser.fit(RAGGED, [0, 2], mode, frames=12)
        np.testing.assert_allclose(found.mean.ravel(), padded.astype(np.float64).mean(axis=axes).ravel(), rtol=1e-6)
        np.testing.assert_allclose(found.std.ravel(), padded.astype(np.float64).std(axis=axes).ravel(), rtol=1e-6)


@pytest.mark.parametrize("frames", [5, 12])
def test_masked_clips_come_with_their_lengths_and_zeros_behind_them(frames: int) -> None:
    normalise = Normaliser.fit(RAGGED, range(3), "global")
    tensors = ClipTensors(RAGGED, np.zeros(3, int), normalise, frames, "centre", OWN)
    x, lengths = tensors.crop([0, 1, 2], np.random.default_rng(0))
    assert lengths is not None
    assert lengths.tolist() == [2, min(7, frames), 3]
    assert x.shape == (3, 2, 3, frames)
    for row, n in ((0, 2), (2, 3)):
        np.testing.assert_array_equal(x[row, :, :, :n].numpy(), normalise(RAGGED[row][:, :, :n]))
        assert not x[row, :, :, n:].any()


def test_a_masked_window_near_the_end_has_what_is_left_of_the_clip() -> None:
    x, lengths = ClipTensors(RAGGED, np.zeros(3, int), IDENTITY, 4, "centre", OWN).at([1, 1], [0, 5])
    assert lengths is not None
    assert lengths.tolist() == [4, 2]
    np.testing.assert_array_equal(x[1, :, :, :2].numpy(), RAGGED[1][:, :, 5:7])
    assert not x[1, :, :, 2:].any()


def test_clips_stored_shorter_than_the_input_are_padded_before_normalisation() -> None:
    normalise = Normaliser.fit(RAGGED, range(3), "global")
    x, lengths = ClipTensors(RAGGED, np.zeros(3, int), normalise, 12, "centre").at([0], [0])
    assert lengths is None
    np.testing.assert_array_equal(x[0].numpy(), normalise(np.pad(RAGGED[0], ((0, 0), (0, 0), (0, 8)))))


# --- batches ---


def batches(n: int = 24, epoch: int = 0, rows: list[int] | None = None, **more: object) -> EpochBatches:
    rows = list(range(n)) if rows is None else rows
    settings = {"batch_size": 8, "seed": 0, "purpose": "test", "epoch": lambda: epoch, **more}
    return EpochBatches(numbered(n), rows, np.asarray(rows, np.float32), **settings)  # type: ignore[arg-type]


def numbered(n: int) -> ClipTensors:
    """Row i holds only the number i, so that a batch tells its rows."""
    features = [np.full((1, 1, 2), i, np.float32) for i in range(n)]
    return ClipTensors(features, np.arange(n) % 4 // 3, Normaliser.fit(features, [0], "none"), 2, "centre")


def rows_of(found: EpochBatches) -> list[list[int]]:
    dealt = []
    for x, targets, weights, _ in found:
        rows = x[:, 0, 0, 0].int().tolist()
        assert targets.tolist() == [row % 4 // 3 for row in rows]
        assert weights.tolist() == rows  # the weight of row i was given as i
        dealt.append(rows)
    return dealt


@given(st.integers(2, 60), st.integers(2, 20))
def test_every_row_comes_once_an_epoch_and_never_alone(n: int, batch_size: int) -> None:
    dealt = rows_of(found := batches(n, batch_size=batch_size))
    assert sorted(row for part in dealt for row in part) == list(range(n))
    assert len(dealt) == len(found) == n_batches_of(n, batch_size)
    assert min(map(len, dealt)) >= 2
    assert max(map(len, dealt)) <= max(batch_size, 3)
    assert max(map(len, dealt)) - min(map(len, dealt)) <= 1


def test_only_the_rows_given_are_dealt() -> None:
    assert sorted(row for part in rows_of(batches(rows=[3, 5, 8, 13])) for row in part) == [3, 5, 8, 13]


def test_the_order_is_that_of_the_epoch_whatever_came_before() -> None:
    used = batches(epoch=3)
    for _ in used:
        pass
    assert rows_of(used) == rows_of(batches(epoch=3))
    others = [batches(epoch=4), batches(epoch=3, seed=1), batches(epoch=3, purpose="other")]
    assert all(rows_of(other) != rows_of(used) for other in others)


def test_the_epoch_is_asked_for_anew_at_every_pass() -> None:
    now = 0
    rows = np.arange(24)
    found = EpochBatches(numbered(24), rows, rows, batch_size=8, seed=0, purpose="test", epoch=lambda: now)
    first = rows_of(found)
    now = 1
    assert rows_of(found) != first
    assert rows_of(found) == rows_of(batches(epoch=1))


def test_crops_are_those_of_the_epoch() -> None:
    def crops(epoch: int) -> torch.Tensor:
        rows = [0, 1, 2]
        found = EpochBatches(
            ragged(), rows, np.ones(3), batch_size=3, seed=0, purpose="test", epoch=lambda: epoch, n_batches=8
        )
        return torch.cat([x for x, *_ in found])

    assert torch.equal(crops(1), crops(1))
    assert not torch.equal(crops(1), crops(2))


def test_a_shorter_part_is_cycled_in_a_new_order_each_time() -> None:
    dealt = rows_of(batches(8, batch_size=4, n_batches=7))
    assert len(dealt) == 7
    laps = [sorted(dealt[at] + dealt[at + 1]) for at in (0, 2, 4)]
    assert laps == [list(range(8))] * 3
    assert dealt[0:2] != dealt[2:4] != dealt[4:6]


def test_the_sampler_draws_every_class_equally_often() -> None:
    # 40 rows, a quarter of them of class 1
    counts: Counter[int] = Counter()
    for epoch in range(50):
        for _, targets, *_ in batches(40, epoch=epoch, balanced_sampling=True):
            counts.update(targets.tolist())
    total = 40 * 50
    assert sum(counts.values()) == total
    assert counts[1] / total == pytest.approx(0.5, abs=4 * (0.25 / total) ** 0.5)


def test_toy_tensors_are_what_the_other_tests_take_them_for() -> None:
    tensors = toy_tensors()
    means = tensors.at(range(24), [0] * 24)[0][:, :, 4:].mean(dim=(1, 2, 3))
    assert means[1::2].min() > means[0::2].max()
