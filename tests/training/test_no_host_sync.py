"""No training step waits for the device: no value is read back, and nothing is copied to it.

The device is torch's `meta`, which has shapes and no values: what reads a value fails there, whatever the network.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from pytorch_lightning.plugins import Precision
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from audionas.models import build_model
from audionas.models.baselines import BASELINES
from audionas.spaces import BaselineGenotype, CnnGenotype
from audionas.spaces.reference_recipes import reference_recipe
from audionas.training import surviving
from audionas.training.batches import EpochBatches
from audionas.training.fit import FitPlan, fit
from audionas.training.recipe import Augmentation, Recipe
from audionas.training.surviving import SurvivingModule
from audionas.training.tasks import TASKS, Regression, TaskSeam
from tests.gpu import needs_gpu
from tests.training.toys import toy_tensors

SHAPE = (1, 40, 64)
N_CLASSES = 3
CELL = (("sep_conv_3x3", 0), ("max_pool_3x3", 1), ("skip_connect", 0), ("dil_conv_5x5", 2))
CNN = CnnGenotype(CELL, (2, 3), CELL, (2, 3))
LONE = BaselineGenotype.of("plain_cnn", {})


@pytest.fixture(autouse=True)
def _memory_can_run_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a GPU, so that what a step that fails would need is kept as well."""
    monkeypatch.setattr(surviving, "can_run_out", lambda _: True)


class Copies(TorchDispatchMode):
    """Notes every operation of a tensor on the device with one of the host; numbers (0-dim) are no copies."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        flat = [each for each in torch.utils._pytree.tree_leaves((args, kwargs, result)) if isinstance(each, Tensor)]
        is_mixed = len({each.device.type for each in flat}) > 1
        copies = func.overloadpacket in (torch.ops.aten._to_copy, torch.ops.aten.copy_)
        if is_mixed and (copies or any(each.device.type == "cpu" and each.dim() for each in flat)):
            self.found.append(str(func))
        return result


class Constants(TorchFunctionMode):
    """Notes every tensor that is made on the device out of values of the host."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if func in (torch.tensor, torch.as_tensor) and result.device.type != "cpu":
            self.found.append(func.__name__)
        return result


def step(
    network: nn.Module,
    *,
    masked: bool,
    task: TaskSeam | None = None,
    recipe: Recipe | None = None,
    targets: tuple[int, ...] = (),
) -> list[str]:
    """One training step on the device; returns the operations that copied from or to the host."""
    recipe = recipe or Recipe()
    network = network.to("meta").train()
    module = SurvivingModule(task or TASKS["classification"], recipe, epochs=1, seed=0, purpose="test")
    module.set_model(network)
    module.to("meta")
    module._trainer = SimpleNamespace(precision_plugin=Precision())  # type: ignore[assignment]
    [optimiser], _ = module.configure_optimizers()
    dtype = torch.float32 if targets else torch.int64
    lengths = torch.empty(4, dtype=torch.int64, device="meta") if masked else None
    batch = torch.empty(4, *SHAPE, device="meta"), torch.empty(4, *targets, dtype=dtype, device="meta")
    with Copies() as copies, Constants() as constants:
        module.backward(module.training_step((*batch, torch.empty(4, device="meta"), lengths), 0))
        nn.utils.clip_grad_norm_(network.parameters(), recipe.gradient_clip)
        optimiser.step()
    assert any(parameter.grad is not None for parameter in network.parameters())
    return copies.found + constants.found


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("name", BASELINES)
def test_a_step_of_a_hand_made_network_waits_for_nothing(name: str, masked: bool) -> None:
    network = build_model(BaselineGenotype.of(name, {}), input_shape=SHAPE, n_classes=N_CLASSES)
    assert step(network, masked=masked) == []


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("pooling", ["mean", "attention", "statistics", "max"])
def test_a_step_of_a_cnn_genotype_waits_for_nothing(pooling: str, masked: bool) -> None:
    network = build_model(
        CNN, input_shape=SHAPE, n_classes=N_CLASSES, auxiliary=True, drop_path=0.3, n_cells=3, channels=2,
        pooling=pooling,
    )  # fmt: skip
    assert step(network, masked=masked) == []


@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_a_step_of_a_recipe_waits_for_nothing(name: str) -> None:
    network = build_model(reference_recipe(name), input_shape=SHAPE, n_classes=N_CLASSES, hidden=4, drop_connect=0.2)
    assert step(network, masked=False) == []


@pytest.mark.parametrize(
    "augmentation",
    [Augmentation(time_mask=0.3, feature_mask=0.3), Augmentation(mixup_alpha=0.4)],
    ids=["spec_augment", "mixup"],
)
@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_augmentation_and_optimisers_wait_for_nothing(augmentation: Augmentation, optimiser: Any) -> None:
    network = build_model(LONE, input_shape=SHAPE, n_classes=N_CLASSES)
    assert step(network, masked=True, recipe=Recipe(optimiser=optimiser, augmentation=augmentation)) == []


@pytest.mark.parametrize("task", [TASKS["multilabel"], Regression((0.1, 0.2, 0.3), (1.0, 2.0, 3.0))])
def test_losses_wait_for_nothing(task: TaskSeam) -> None:
    network = build_model(LONE, input_shape=SHAPE, n_classes=N_CLASSES)
    assert step(network, masked=True, task=task, targets=(N_CLASSES,)) == []


@pytest.mark.parametrize(
    "wait",
    [
        lambda x: x * float(x.sum()),
        lambda x: x[x > 0],
        lambda x: x.cpu(),
        lambda x: x[:, : int(x.max())],
        lambda x: x if x.sum() > 0 else -x,
    ],
)
def test_the_device_of_these_tests_refuses_to_be_read(wait: Callable[[Tensor], Tensor]) -> None:
    with pytest.raises((RuntimeError, NotImplementedError)):
        wait(torch.empty(4, 3, device="meta"))


def test_the_tests_above_see_a_copy_to_the_device() -> None:
    with Copies() as copies, Constants() as constants:
        torch.tensor([1.0, 2.0], device="meta") * torch.ones(2).to("meta")
    assert (copies.found, constants.found) == (["aten._to_copy.default"], ["tensor"])


class Watched(SurvivingModule):
    """From the second step on to the end of the epoch, waiting for the device is an error."""

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        if batch_idx == 1:
            torch.cuda.set_sync_debug_mode("error")
        return super().training_step(batch, batch_idx)

    def mean_loss(self, name: str) -> float:
        torch.cuda.set_sync_debug_mode("default")
        return super().mean_loss(name)


@pytest.mark.gpu
@needs_gpu
@pytest.mark.parametrize("name", ["cnn", "lstm recipe", *BASELINES])
def test_an_epoch_on_a_card_waits_for_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"cnn": CNN, "lstm recipe": reference_recipe("lstm")}
    network = build_model(known.get(name) or BaselineGenotype.of(name, {}), input_shape=(1, 8, 12), n_classes=2)  # type: ignore[arg-type]
    monkeypatch.setattr("audionas.training.fit.SurvivingModule", Watched)
    plan = FitPlan(TASKS["classification"], Recipe(), 2, 0, "test", "cuda")

    def deal(epoch: Callable[[], int]) -> EpochBatches:
        return EpochBatches(
            toy_tensors(), range(24), np.ones(24), batch_size=4, seed=0, purpose="test", epoch=epoch, device="cuda"
        )

    try:
        assert len(fit(network, deal, plan)) == 2
    finally:
        torch.cuda.set_sync_debug_mode("default")
