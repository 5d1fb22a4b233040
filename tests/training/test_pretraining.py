"""Pre-training: its loss written out, early stopping, going on after a kill."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from audionas.features.fop_network import FopEncoder, NextFrame
from audionas.training.batches import Normaliser
from audionas.training.fit import NonFiniteLossError
from audionas.training.frame_batches import FrameClips
from audionas.training.pretraining import (
    VALIDATION,
    PredictionErrors,
    PretrainingPlan,
    is_enough,
    pretrain_network,
    validation_error,
)

ONE = np.ones((1, 1, 1), np.float32)


def network(seed: int = 0, dropout: float = 0.2) -> NextFrame:
    torch.manual_seed(seed)
    return NextFrame(FopEncoder(3, 8, 2, 9, 1, dropout))


@pytest.fixture
def clips() -> FrameClips:
    """Twelve clips of a wave in three bands, which can be predicted, of 6 to 17 frames."""
    rng = np.random.default_rng(0)
    blocks = []
    for row in range(12):
        phase = rng.uniform(0, 6) + 0.7 * np.arange(6 + row)
        blocks.append(np.stack([np.sin(phase), np.cos(phase), np.sin(2 * phase)])[None].astype(np.float32))
    return FrameClips(blocks, np.arange(6, 18), Normaliser(0 * ONE, ONE), 20)


@pytest.mark.parametrize(("loss", "power"), [("mse", 2), ("l1", 1)])
def test_the_loss_is_the_mean_error_of_the_frames_that_follow_another(clips: FrameClips, loss: str, power: int) -> None:
    scored = PredictionErrors(network(), loss).eval()
    x, targets, weights, lengths = clips.batch([0, 5, 2], [0, 0, 0])
    assert lengths is not None
    total, n = 0.0, 0
    with torch.no_grad():
        for clip, length in zip(x, lengths.tolist(), strict=True):
            frames = clip[0, :, :length].T
            predicted = scored.network(frames[None])[0]
            for t in range(length - 1):
                total += float((predicted[t] - frames[t + 1]).abs().pow(power).sum())
                n += 3
        found = scored.loss(lambda *_: torch.zeros(()), scored(x, lengths), targets, weights)
    assert n == 3 * (5 + 10 + 7)
    assert found.item() == pytest.approx(total / n, rel=1e-5)


def test_a_clip_of_one_frame_predicts_nothing() -> None:
    scored = PredictionErrors(network(), "mse")
    sums = scored(torch.randn(2, 1, 3, 4), torch.tensor([1, 4]))
    assert sums[0].tolist() == [0, 0]
    assert sums[1, 1] == 9
    alone = scored(torch.randn(1, 1, 3, 1), torch.tensor([1]))
    assert scored.loss(lambda *_: alone.sum(), alone, torch.zeros(1), torch.ones(1)).item() == 0


@pytest.mark.parametrize(
    ("errors", "found"),
    [
        ([], False),
        ([3.0], False),
        ([3, 2, 4], False),
        ([3, 2, 4, 5], True),
        ([3, 2, 2, 2], True),
        ([3, 2, 4, 1], False),
    ],
)
def test_enough_is_as_many_epochs_without_a_lower_error_as_the_patience_has(errors: list[float], found: bool) -> None:
    assert is_enough([{VALIDATION: error} for error in errors], 2) is found


def test_without_validation_nothing_stops_early() -> None:
    assert not is_enough([{"epoch": k, "train_loss": 1.0} for k in range(50)], 2)


def test_it_learns_to_predict_and_keeps_the_best_epoch(clips: FrameClips, tmp_path: Path) -> None:
    learner, plan = network(), PretrainingPlan(epochs=12, patience=3, batch_size=4, learning_rate=0.01)
    before = validation_error(PredictionErrors(learner, "mse").eval(), clips, [1, 7, 11], plan)
    history = pretrain_network(learner, clips, [0, 2, 3, 4, 5, 6, 8, 9, 10], [1, 7, 11], plan, tmp_path)
    lowest = min(record[VALIDATION] for record in history)
    after = validation_error(PredictionErrors(learner, "mse"), clips, [1, 7, 11], plan)
    assert after == pytest.approx(lowest, rel=1e-6)
    assert after < 0.8 * before


def test_it_stops_when_the_error_has_stopped_falling(clips: FrameClips, tmp_path: Path) -> None:
    plan = PretrainingPlan(epochs=50, patience=2, batch_size=4, learning_rate=1e-12)
    history = pretrain_network(network(), clips, range(9), [9, 10], plan, tmp_path)
    assert len(history) < 50
    assert is_enough(history, 2)
    assert not is_enough(history[:-1], 2)


@pytest.mark.parametrize("validation", [(9, 10, 11), ()])
def test_after_a_kill_it_ends_where_it_would_have(
    clips: FrameClips, tmp_path: Path, validation: tuple[int, ...]
) -> None:
    plan = PretrainingPlan(epochs=4, batch_size=4)
    whole, killed, resumed = network(), network(), network()
    pretrain_network(whole, clips, range(9), validation, plan, tmp_path / "whole")

    def kill(epoch: int, _: dict[str, float]) -> None:
        if epoch == 2:
            raise RuntimeError("killed")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("audionas.training.fit.FitPlan.checkpoint_every_s", 0.0)
        with pytest.raises(RuntimeError, match="killed"):
            pretrain_network(killed, clips, range(9), validation, plan, tmp_path / "killed", kill)
        history = pretrain_network(resumed, clips, range(9), validation, plan, tmp_path / "killed")
    assert [record["epoch"] for record in history] == [0, 1, 2, 3]
    assert all(torch.equal(value, resumed.state_dict()[name]) for name, value in whole.state_dict().items())
    lines = [json.loads(line) for line in (tmp_path / "killed" / "history.jsonl").read_text().splitlines()]
    assert [line["train_loss"] for line in lines] == [
        json.loads(line)["train_loss"] for line in (tmp_path / "whole" / "history.jsonl").read_text().splitlines()
    ]


def test_what_is_finished_is_not_trained_again(clips: FrameClips, tmp_path: Path) -> None:
    plan = PretrainingPlan(epochs=50, patience=2, batch_size=4, learning_rate=1e-12)
    first, second = network(), network(seed=1)
    pretrain_network(first, clips, range(9), [9, 10], plan, tmp_path)
    pretrain_network(second, clips, range(9), [9, 10], plan, tmp_path, lambda *_: pytest.fail("trained"))
    assert all(torch.equal(value, second.state_dict()[name]) for name, value in first.state_dict().items())


def test_a_loss_that_is_not_finite_ends_it(tmp_path: Path) -> None:
    with pytest.raises(NonFiniteLossError, match="epoch 0: the training loss is nan; lower the learning rate"):
        pretrain_network(network(), FrameClips(
            [np.full((1, 3, 5), np.nan, np.float32)] * 4, np.full(4, 5), Normaliser(0 * ONE, ONE), 9
        ), range(4), [], PretrainingPlan(epochs=2), tmp_path)  # fmt: skip
