"""Copies stand for training rows only, each as likely as the clip itself."""

from __future__ import annotations

from collections import Counter

import numpy as np

from audionas.seeding import generator
from audionas.training.batches import ClipTensors, EpochBatches, Normaliser
from audionas.training.clip_copies import CopyTable, StackedRows

TABLE = CopyTable(n_rows=5, copied=(1, 3), n_copies=2)


def test_only_copied_rows_are_replaced_and_by_their_own_copies() -> None:
    drawn = [TABLE.draw([0, 1, 2, 3, 4], generator(0, step)) for step in range(600)]
    seen = [Counter(column) for column in zip(*drawn, strict=True)]
    assert [set(counts) for counts in seen] == [{0}, {1, 5, 7}, {2}, {3, 6, 8}, {4}]
    assert all(150 < count < 250 for counts in (seen[1], seen[3]) for count in counts.values())


def test_stacked_rows_stand_one_after_the_other() -> None:
    first, second = ([np.full((1, 1, 2), value, np.float32) for value in values] for values in ((0, 1), (2, 3, 4)))
    stacked = StackedRows([first, second])
    assert [float(stacked[row][0, 0, 0]) for row in range(len(stacked))] == [0, 1, 2, 3, 4]


def batches(epoch: int, copies: CopyTable | None) -> list[tuple[list[float], list[int]]]:
    """First values and targets of each batch; row k holds the value k, targets are row numbers."""
    features = [np.full((1, 1, 3), row, np.float32) for row in range(9)]
    one = np.ones((1, 1, 1), np.float32)
    tensors = ClipTensors(features, np.arange(5), Normaliser(0 * one, one), 3, "centre", None, copies)
    found = EpochBatches(tensors, [1, 3, 4], np.ones(3), batch_size=2, seed=0, purpose="retrain", epoch=lambda: epoch)
    return [(x[:, 0, 0, 0].tolist(), targets.tolist()) for x, targets, _, _ in found]


def test_a_batch_holds_a_clip_or_its_copy_with_the_clips_target_and_is_the_same_again() -> None:
    origin = {1: 1, 5: 1, 7: 1, 3: 3, 6: 3, 8: 3, 4: 4}
    epochs = [batches(epoch, TABLE) for epoch in range(20)]
    values = [value for epoch in epochs for x, targets in epoch for value in x]
    assert set(values) == set(origin)
    for epoch in epochs:
        for x, targets in epoch:
            assert [origin[int(value)] for value in x] == targets
    assert epochs[3] == batches(3, TABLE)
    assert len({str(epoch) for epoch in epochs}) > 1
    plain = [sorted(targets for _, part in batches(e, None) for targets in part) for e in range(3)]
    assert plain == [[1, 3, 4]] * 3
