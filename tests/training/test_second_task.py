"""Second classes of clips: whose are handed out, which are known, how they reach a batch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from audionas.audio.manifest import Manifest
from audionas.models.baselines.abilities import MISSING
from audionas.training.batches import EpochBatches
from audionas.training.second_task import known_rows, predict_second, second_manifest, second_targets
from tests.training.toys import toy_manifest, toy_tensors

CELLS = ("f", "m", "", "f", " m ", "x", "f", "m")
LABELS = ("f", "m")


@pytest.fixture
def manifest() -> Manifest:
    toy = toy_manifest(8)
    clips = [replace(clip, extra=(("sex", cell),)) for clip, cell in zip(toy.clips, CELLS, strict=True)]
    return toy.with_clips(clips)


def test_only_the_rows_that_are_asked_for_get_a_class(manifest: Manifest) -> None:
    found = second_targets(manifest, "sex", LABELS, [0, 1, 2, 4, 5])
    assert found.tolist() == [0, 1, MISSING, MISSING, 1, MISSING, MISSING, MISSING]
    assert found.dtype == np.int64


def test_a_group_or_fold_can_be_a_second_class_and_an_unknown_column_is_empty(manifest: Manifest) -> None:
    groups = tuple(sorted({clip.group for clip in manifest.clips}))
    found = second_targets(manifest, "group", groups, range(8))
    assert [groups[k] for k in found] == [clip.group for clip in manifest.clips]
    assert set(second_targets(manifest, "sx", LABELS, range(8))) == {MISSING}


def test_the_known_clips_are_labelled_by_the_column(manifest: Manifest) -> None:
    assert known_rows(manifest, "sex", LABELS, range(8)) == [0, 1, 3, 4, 6, 7]
    found = second_manifest(manifest, "sex", LABELS, range(2, 8))
    assert [clip.label for clip in found.clips] == ["f", "m", "f", "m"]
    assert [clip.clip for clip in found.clips] == [manifest.clips[row].clip for row in (3, 4, 6, 7)]
    assert found.labels == LABELS


@pytest.mark.parametrize("sampler", [False, True])
def test_batches_hand_out_both_classes_of_each_clip(sampler: bool) -> None:
    second = np.arange(100, 108)
    batches = EpochBatches(
        toy_tensors(8), range(8), np.ones(8), batch_size=3, seed=0, purpose="test", epoch=lambda: 0,
        balanced_sampling=sampler, second=second,
    )  # fmt: skip
    plain = EpochBatches(
        toy_tensors(8), range(8), np.ones(8), batch_size=3, seed=0, purpose="test", epoch=lambda: 0,
        balanced_sampling=sampler,
    )  # fmt: skip
    truth = toy_tensors(8).targets
    for (x, both, _, _), (x_plain, own, _, _) in zip(batches, plain, strict=True):
        assert torch.equal(x, x_plain)
        assert torch.equal(both[:, 0], own)
        assert torch.equal(truth[both[:, 1] - 100], own)


class Fixed(nn.Module):
    """Says of each clip that its second class is `m` with odds of 3 to 1."""

    n_second, second_weight, second_column, second_labels = 2, 1.0, "sex", LABELS

    def both(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        return torch.tensor([[5.0, 7.0, 0.0, np.log(3.0)]]).expand(len(x), -1)


def test_predictions_are_of_the_clips_whose_second_class_is_known(manifest: Manifest) -> None:
    found = predict_second(Fixed(), toy_tensors(8), manifest, [1, 2, 3, 5], "cpu")
    assert found is not None
    assert found.clips == tuple(manifest.clips[row].clip for row in (1, 3))
    assert (found.truth.tolist(), found.labels, found.part) == ([1, 0], LABELS, "test")
    np.testing.assert_allclose(found.scores, [[0.25, 0.75]] * 2, atol=1e-6)
    assert predict_second(Fixed(), toy_tensors(8), manifest, [2, 5], "cpu") is None


def test_a_training_that_diverged_is_scored_as_guessing(manifest: Manifest) -> None:
    found = predict_second(Fixed(), toy_tensors(8), manifest, range(8), "cpu", has_diverged=True)
    assert found is not None
    assert (found.scores == 0.5).all()
