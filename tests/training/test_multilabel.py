"""The seam of several labels: torch's binary cross-entropy, and weights by how rare a clip's labels are."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from audionas.errors import SettingsError
from audionas.training.multilabel import Multilabel

TASK = Multilabel()
TRUTH = np.array([[1, 0], [1, 1], [1, 0], [0, 0]], dtype=np.float32)


def test_with_equal_weights_the_loss_is_that_of_torch() -> None:
    logits, targets = torch.randn(4, 2), torch.from_numpy(TRUTH)
    expected = functional.binary_cross_entropy_with_logits(logits, targets)
    torch.testing.assert_close(TASK.loss(logits, targets, torch.ones(4)), expected)


def test_a_clip_of_twice_the_weight_counts_as_two() -> None:
    logits, targets = torch.randn(2, 2), torch.from_numpy(TRUTH[1:3])
    twice = torch.tensor([0, 0, 1])
    found = TASK.loss(logits, targets, torch.tensor([2.0, 1.0]))
    torch.testing.assert_close(found, TASK.loss(logits[twice], targets[twice], torch.ones(3)))


def test_balanced_weights_are_the_mean_rarity_of_a_clips_labels() -> None:
    # rarity of the first label 4/3, of the second 4/1, of having none 4/1
    each = np.array([4 / 3, (4 / 3 + 4) / 2, 4 / 3, 4.0])
    found = TASK.clip_weights(TRUTH, "balanced")
    assert found == pytest.approx(each / each.mean())
    assert found.dtype == np.float32
    assert TASK.clip_weights(TRUTH, "none").tolist() == [1, 1, 1, 1]


def test_drawing_by_class_is_refused() -> None:
    with pytest.raises(
        SettingsError, match=r"class weighting 'sampler' .* these have several labels a clip; use none$"
    ):
        TASK.clip_weights(TRUTH, "sampler")
