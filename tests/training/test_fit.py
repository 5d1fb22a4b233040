"""Training of one network: it learns, stops on NaN, and goes on bit for bit after a stop at any place."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from audionas.errors import SettingsError
from audionas.models import build_model
from audionas.seeding import seed_torch
from audionas.spaces import CnnGenotype
from audionas.training.batches import Batch, ClipTensors, EpochBatches, Normaliser
from audionas.training.fit import FitPlan, NonFiniteLossError, fit, trainer_settings
from audionas.training.recipe import Augmentation, Recipe
from audionas.training.tasks import Classification
from tests.training.toys import toy_tensors

CELL = (("dil_conv_3x3", 0), ("max_pool_3x3", 1), ("skip_connect", 0), ("avg_pool_3x3", 2))
GENOTYPE = CnnGenotype(CELL, (2, 3), CELL, (2, 3))
NOISY = Recipe(drop_path=0.3, augmentation=Augmentation(time_mask=0.3, feature_mask=0.3, mixup_alpha=0.4))


def network() -> nn.Module:
    seed_torch(0, "test", "weights")
    return build_model(GENOTYPE, input_shape=(1, 8, 12), n_classes=2, n_cells=2, channels=2)


def batches(epoch: Callable[[], int], tensors: ClipTensors | None = None) -> EpochBatches:
    tensors = tensors or toy_tensors()
    return EpochBatches(tensors, range(24), np.ones(24, np.float32), batch_size=8, seed=0, purpose="test", epoch=epoch)


def plan(folder: Path | None = None, epochs: int = 4, recipe: Recipe = NOISY) -> FitPlan:
    return FitPlan(Classification(), recipe, epochs, 0, "test", folder=folder, checkpoint_every_s=0.0)


class Stopping(EpochBatches):
    """Ctrl-C before a batch of an epoch."""

    def stop_at(self, epoch: int, batch: int) -> Stopping:
        self._stop = (epoch, batch)
        return self

    def __iter__(self) -> Iterator[Batch]:
        for number, batch in enumerate(super().__iter__()):
            if (self._epoch(), number) == self._stop:
                raise KeyboardInterrupt
            yield batch


def stopping(epoch: Callable[[], int], at: tuple[int, int]) -> Stopping:
    return Stopping(
        toy_tensors(), range(24), np.ones(24, np.float32), batch_size=8, seed=0, purpose="test", epoch=epoch
    ).stop_at(*at)


def losses(history: list[dict[str, float]]) -> list[tuple[float, float]]:
    return [(record["epoch"], record["train_loss"]) for record in history]


def test_a_training_stopped_twice_inside_an_epoch_ends_bit_equal(tmp_path: Path) -> None:
    whole = network()
    expected = fit(whole, batches, plan(tmp_path / "whole"))
    torch.manual_seed(99)  # what chance did before must not matter

    for at in ((1, 2), (3, 1)):
        with pytest.raises(KeyboardInterrupt):
            fit(network(), lambda epoch, at=at: stopping(epoch, at), plan(tmp_path / "cut"))
        torch.rand(at[1])
    resumed = network()
    history = fit(resumed, batches, plan(tmp_path / "cut"))

    assert losses(history) == losses(expected)
    assert [record["epoch"] for record in history] == [0, 1, 2, 3]
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name


def test_noise_is_really_on_in_the_test_above() -> None:
    noisy, plain = (losses(fit(network(), batches, plan(recipe=recipe, epochs=2))) for recipe in (NOISY, Recipe()))
    assert noisy != plain


def test_a_log_ahead_of_the_checkpoint_is_cut_back(tmp_path: Path) -> None:
    fit(network(), batches, plan(tmp_path, epochs=2))
    log = tmp_path / "history.jsonl"
    log.write_text(log.read_text() + json.dumps({"epoch": 2, "train_loss": 9.0, "seconds": 1}) + '\n{"epo')
    history = fit(network(), batches, plan(tmp_path, epochs=3))
    assert [record["epoch"] for record in history] == [0, 1, 2]
    assert history[2]["train_loss"] != 9.0
    assert [json.loads(line)["epoch"] for line in log.read_text().splitlines()] == [0, 1, 2]


def test_a_finished_training_is_not_trained_again(tmp_path: Path) -> None:
    first = fit(network(), batches, plan(tmp_path, epochs=2))
    again = fit(network(), lambda epoch: stopping(epoch, (0, 0)), plan(tmp_path, epochs=2))
    assert again == first


def test_a_model_learns_what_can_be_told_apart() -> None:
    model = network()
    history = fit(model, batches, plan(epochs=12, recipe=Recipe(learning_rate=0.05)))
    assert history[-1]["train_loss"] < 0.5 * history[0]["train_loss"]
    model.eval()
    tensors = toy_tensors()
    with torch.no_grad():
        predicted = model(tensors.at(range(24), [0] * 24)[0]).argmax(dim=1)
    assert (predicted == tensors.targets).float().mean() > 0.9


def test_the_caller_hears_of_every_epoch_and_may_add_to_its_record() -> None:
    def listen(epoch: int, record: dict[str, float]) -> None:
        record["twice"] = 2 * epoch

    assert [record["twice"] for record in fit(network(), batches, plan(epochs=3), listen)] == [0, 2, 4]


def test_a_loss_that_is_not_finite_ends_the_training_in_one_line() -> None:
    features = [np.full((1, 8, 12), np.nan, np.float32)] * 24
    tensors = ClipTensors(features, np.arange(24) % 2, Normaliser.fit(features, [0], "none"), 12, "centre")
    with pytest.raises(NonFiniteLossError, match=r"^epoch 0: the training loss is nan; lower the learning rate$"):
        fit(network(), lambda epoch: batches(epoch, tensors), plan(recipe=Recipe()))


@pytest.mark.parametrize(
    "device,words",
    [("gpu", "got 'gpu'; accepted: cpu, cuda, cuda:N"), ("cuda:x", "accepted"), ("cuda:99", "not available here")],
)
def test_a_device_that_is_not_there_is_refused(device: str, words: str) -> None:
    with pytest.raises(SettingsError, match=f"device: .*{words}"):
        trainer_settings(device)
