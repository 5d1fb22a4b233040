"""The loss of two tasks, written out; clips without a second class."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from audionas.models.baselines.abilities import MISSING, OwnLoss, SecondTask
from audionas.models.baselines.cnn_blstm import CnnBlstm, CnnBlstmSettings
from audionas.models.baselines.joint_loss import joint_loss, second_loss
from audionas.training.augmentation import mixup
from audionas.training.module import TrainingModule
from audionas.training.recipe import Augmentation, Recipe
from audionas.training.tasks import Classification


def network(weight: float = 1.0) -> CnnBlstm:
    settings = CnnBlstmSettings(filters=2, hidden=2, attention_hidden=2, heads=1, second_weight=weight)
    return CnnBlstm(settings, (1, 3, 9), 3)


LOGITS = torch.tensor([[1.0, 0.0, 2.0, 0.5, -0.5], [0.0, 0.0, 0.0, 2.0, 0.0], [3.0, 1.0, 0.0, 0.0, 1.0]])
CLASSES = torch.tensor([2, 0, 1])


def cross_entropy(logits: list[float], truth: int) -> float:
    return -logits[truth] + math.log(sum(math.exp(value) for value in logits))


def joint(weight: float, second: Tensor, weights: Tensor | None = None) -> float:
    weights = torch.ones(3) if weights is None else weights
    targets = torch.stack([CLASSES, second], dim=1)
    return float(joint_loss(Classification().loss, network(weight), LOGITS, targets, weights))


def test_it_is_the_sum_of_both_cross_entropies() -> None:
    rows = LOGITS.tolist()
    own = [cross_entropy(row[:3], k) for row, k in zip(rows, CLASSES.tolist(), strict=True)]
    second = [cross_entropy(row[3:], k) for row, k in zip(rows, [1, 0, 1], strict=True)]
    assert joint(1.0, torch.tensor([1, 0, 1])) == pytest.approx(sum(own) / 3 + sum(second) / 3)
    assert joint(0.25, torch.tensor([1, 0, 1])) == pytest.approx(sum(own) / 3 + 0.25 * sum(second) / 3)


def test_clips_without_a_second_class_teach_the_first_alone() -> None:
    rows = LOGITS.tolist()
    own = [cross_entropy(row[:3], k) for row, k in zip(rows, CLASSES.tolist(), strict=True)]
    found = joint(1.0, torch.tensor([MISSING, 0, MISSING]))
    assert found == pytest.approx(sum(own) / 3 + cross_entropy(rows[1][3:], 0))
    assert joint(1.0, torch.full((3,), MISSING)) == pytest.approx(sum(own) / 3)


def test_class_weights_are_of_the_main_task() -> None:
    second, weights = torch.tensor([1, 0, 1]), torch.tensor([3.0, 0.0, 0.0])
    own = cross_entropy(LOGITS[0, :3].tolist(), 2)
    assert joint(1.0, second, weights) - own == pytest.approx(float(second_loss(LOGITS[:, 3:], second)))


def test_without_a_second_task_it_is_the_tasks_own_loss() -> None:
    alone = network(0.0)
    own = Classification().loss(LOGITS[:, :3], CLASSES, torch.ones(3))
    assert joint_loss(Classification().loss, alone, LOGITS[:, :3], CLASSES, torch.ones(3)) == own
    assert joint_loss(Classification().loss, network(), LOGITS, CLASSES, torch.ones(3)) == own


def test_the_network_offers_both_abilities() -> None:
    assert isinstance(network(), OwnLoss)
    assert isinstance(network(), SecondTask)


def test_mixup_mixes_both_tasks() -> None:
    recipe = Recipe(augmentation=Augmentation(mixup_alpha=0.5))
    module = TrainingModule(Classification(), recipe, epochs=1, seed=0, purpose="test")
    settings = CnnBlstmSettings(filters=2, hidden=2, attention_hidden=2, heads=1, dropout=0)
    net = CnnBlstm(settings, (1, 3, 9), 3)
    module.set_model(net)
    x, weights, lengths = torch.randn(4, 1, 3, 9), torch.ones(4), torch.tensor([9, 4, 9, 7])
    targets = torch.tensor([[2, 0], [0, 1], [1, MISSING], [2, 1]])
    torch.manual_seed(3)
    mixed, partners, share = mixup(x, 0.5)
    logits = net(mixed, torch.maximum(lengths, lengths[partners]))

    def loss(truth: Tensor) -> Tensor:
        return joint_loss(Classification().loss, net, logits, truth, weights)

    torch.manual_seed(3)
    found = module.training_step((x, targets, weights, lengths), 0)
    torch.testing.assert_close(found, share * loss(targets) + (1 - share) * loss(targets[partners]))
