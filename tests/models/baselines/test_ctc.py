"""The likelihood of one label against a sum over all alignments, and against torch's CTC loss."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from audionas.errors import SettingsError
from audionas.models.baselines.ctc import class_log_likelihoods, ctc_loss


def frames_of_random(batch: int, n_frames: int, n_classes: int, scale: float = 1.0) -> torch.Tensor:
    rng = torch.Generator().manual_seed(n_frames)
    values = scale * torch.randn(batch, n_frames, 1 + n_classes, generator=rng, dtype=torch.float64)
    return torch.log_softmax(values, dim=-1)


def collapsed(alignment: tuple[int, ...]) -> list[int]:
    """Graves et al. 2006, section 3.1: repeats are merged, then blanks left out."""
    return [label for label, _ in itertools.groupby(alignment) if label != 0]


@pytest.mark.parametrize("n_frames", [1, 2, 3, 4, 5])
def test_the_likelihood_is_the_sum_over_all_alignments_that_collapse_to_the_class(n_frames: int) -> None:
    n_classes = 3
    clip = frames_of_random(1, n_frames, n_classes)
    expected = [0.0] * n_classes
    for alignment in itertools.product(range(1 + n_classes), repeat=n_frames):
        if len(labels := collapsed(alignment)) == 1:
            expected[labels[0] - 1] += math.exp(sum(float(clip[0, t, k]) for t, k in enumerate(alignment)))
    assert class_log_likelihoods(clip, None)[0].exp().tolist() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("scale", [1.0, 30.0])
def test_it_is_the_negative_of_torchs_ctc_loss_for_clips_of_several_lengths(scale: float) -> None:
    clips = frames_of_random(4, 50, 5, scale)
    lengths = torch.tensor([50, 1, 17, 2])
    logits = class_log_likelihoods(clips, lengths)
    for label in range(5):
        wanted = torch.nn.functional.ctc_loss(
            clips.transpose(0, 1), torch.full((4, 1), 1 + label), lengths, torch.ones(4, dtype=torch.int64),
            reduction="none",
        )  # fmt: skip
        assert torch.allclose(logits[:, label], -wanted, rtol=1e-10)


def test_three_minutes_of_float32_frames_lose_no_digits() -> None:
    clips = frames_of_random(2, 18_000, 4, scale=5.0)
    exact = class_log_likelihoods(clips, None)
    rough = class_log_likelihoods(clips.float(), None)
    assert rough.dtype == torch.float32
    assert torch.allclose(rough.double(), exact, rtol=1e-6)


def test_gradients_are_those_of_differences_and_padding_has_none() -> None:
    clips = frames_of_random(3, 6, 2).requires_grad_()
    lengths = torch.tensor([6, 1, 4])
    assert torch.autograd.gradcheck(lambda x: class_log_likelihoods(x, lengths), clips)
    class_log_likelihoods(clips, lengths).sum().backward()
    assert clips.grad is not None
    assert clips.grad[1, 1:].abs().max() == 0
    assert clips.grad[2, 4:].abs().max() == 0


def test_impossible_frames_give_no_nan() -> None:
    sure = torch.log_softmax(torch.tensor([[[0.0, 200.0, 0.0], [200.0, 0.0, 0.0]]]), dim=-1).requires_grad_()
    logits = class_log_likelihoods(sure, None)
    assert float(logits[0, 0].detach()) == pytest.approx(0.0, abs=1e-6)
    assert float(logits[0, 1].detach()) < -190
    logits.sum().backward()
    assert sure.grad is not None
    assert torch.isfinite(sure.grad).all()


def test_the_loss_is_the_weighted_mean_of_the_true_classes() -> None:
    logits = torch.tensor([[-1.0, -2.0], [-3.0, -4.0], [-5.0, -6.0]])
    loss = ctc_loss(logits, torch.tensor([0, 1, 0]), torch.tensor([1.0, 2.0, 1.0]))
    assert float(loss) == pytest.approx((1 + 2 * 4 + 5) / 4)


@pytest.mark.parametrize("targets", [torch.zeros(2, 3), torch.zeros(2)])
def test_labels_of_other_tasks_are_refused(targets: torch.Tensor) -> None:
    with pytest.raises(SettingsError, match="tells one class a clip"):
        ctc_loss(torch.zeros(2, 3), targets, torch.ones(2))
