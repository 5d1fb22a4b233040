"""A step that found no memory is done again: with the same result, once, and it is told and kept."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from audionas.models import build_model
from audionas.spaces import BaselineGenotype
from audionas.training import memory, surviving
from audionas.training.batches import ClipTensors, EpochBatches, Normaliser
from audionas.training.fit import FitPlan, fit
from audionas.training.memory import Economy, is_out_of_memory
from audionas.training.recipe import Augmentation, Recipe
from audionas.training.surviving import SurvivingModule
from audionas.training.tasks import TASKS, TaskSeam
from tests.gpu import needs_gpu
from tests.training.test_fit import GENOTYPE, batches, network
from tests.training.toys import toy_features

N_BATCHES = 3  # of 8 of 24 clips


@pytest.fixture(autouse=True)
def _memory_can_run_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The CPU counts as a device that can have no memory left."""
    monkeypatch.setattr(surviving, "can_run_out", lambda _: True)
    memory.tell_once.cache_clear()


class Failing(torch.autograd.Function):
    """x itself; fails in the backward pass."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")


class Short(nn.Module):
    """A network in float64 whose device has too little memory for more than `most` clips, from a step on.

    Args:
        times: how often it fails.
        where: in which pass.
    """

    def __init__(self, inner: nn.Module, from_call: int, most: int, times: int = 10**6, where: str = "forward") -> None:
        super().__init__()
        self.inner = inner.double()
        self._from, self._most, self._left, self._where = from_call, most, times, where
        self.sizes: list[int] = []

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        self.sizes.append(len(x))
        fails = len(self.sizes) > self._from and len(x) > self._most and self._left > 0
        fails = fails and (self._where == "forward" or torch.is_grad_enabled())
        logits: Tensor = self.inner(x.double())
        if not fails:
            return logits
        self._left -= 1
        if self._where == "backward":
            return Failing.apply(logits)  # type: ignore[no-any-return, no-untyped-call]
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")


def plain(dropout: float = 0.0) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(96, 5), nn.Tanh(), nn.Dropout(dropout), nn.Linear(5, 2))


def normed() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Dropout(0.3), nn.Flatten(), nn.Linear(180, 2)
    )


def never(inner: nn.Module) -> Short:
    return Short(inner, 10**6, 10**6)


def recipe(augmentation: Augmentation | None = None) -> Recipe:
    return Recipe(
        learning_rate=0.1, schedule="constant", gradient_clip=0.5, augmentation=augmentation or Augmentation()
    )


def trained(
    model: nn.Module,
    task: str = "classification",
    augmentation: Augmentation | None = None,
    folder: Path | None = None,
    epochs: int = 2,
) -> list[dict[str, float]]:
    features, targets = toy_features(), np.arange(24) % 2
    seam: TaskSeam = TASKS[task]
    if task != "classification":
        columns = np.stack([np.linspace(-1, 1, 24), np.cos(np.arange(24))], axis=1)
        targets = np.asarray(columns if task == "regression" else columns > 0, dtype=np.float32)
        seam = seam.fitted(targets)
    tensors = ClipTensors(features, targets, Normaliser.fit(features, range(24), "global"), 12, "centre")

    def deal(epoch: Callable[[], int]) -> EpochBatches:
        weights = np.linspace(0.5, 1.5, 24)
        return EpochBatches(tensors, range(24), weights, batch_size=8, seed=0, purpose="test", epoch=epoch)

    return fit(model, deal, FitPlan(seam, recipe(augmentation), epochs, 0, "test", folder=folder, checkpoint_every_s=0))


def difference(one: nn.Module, other: nn.Module) -> float:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return max(float((a - b).abs().max()) for a, b in pairs)


@pytest.mark.parametrize("where", ["forward", "backward"])
@pytest.mark.parametrize("augmentation", [Augmentation(), Augmentation(time_mask=0.3, mixup_alpha=0.4)])
@pytest.mark.parametrize("task", ["classification", "multilabel", "regression"])
def test_parts_of_a_batch_give_the_weights_that_the_whole_batch_gives(
    task: str, augmentation: Augmentation, where: str
) -> None:
    """Weighted means, and 1 - CCC, which is no mean over clips at all."""
    whole, short = never(plain()), Short(plain(), 4, 3, where=where)
    expected, found = trained(whole, task, augmentation), trained(short, task, augmentation)
    assert difference(whole, short) < 1e-10
    assert [line["train_loss"] for line in found] == pytest.approx([line["train_loss"] for line in expected], rel=1e-6)
    assert "micro_batch" not in found[0] or found[0]["micro_batch"] == 2
    assert found[1]["micro_batch"] == 2
    assert max(short.sizes[-4:]) <= 3


@pytest.mark.parametrize("where", ["forward", "backward"])
@pytest.mark.parametrize("make", [normed, network], ids=["dropout and batch norm", "cnn genotype"])
def test_with_batch_norm_the_step_is_repeated_with_activations_on_the_host(
    make: Callable[[], nn.Module], where: str
) -> None:
    """The same draws of dropout, and statistics that moved once a step: nothing differs by a bit."""
    whole, short = never(make()), Short(make(), 3, 3, times=1, where=where)
    trained(whole)
    history = trained(short)
    assert difference(whole, short) == 0
    assert [(line.get("activations_on_host"), line.get("micro_batch")) for line in history] == [(None, None), (1, None)]
    counts = [value for name, value in short.state_dict().items() if name.endswith("num_batches_tracked")]
    assert {int(value) for value in counts} == {2 * N_BATCHES}


def test_only_if_that_is_not_enough_batch_norm_sees_parts(caplog: pytest.LogCaptureFixture) -> None:
    short = Short(normed(), 0, 4)
    with caplog.at_level(logging.WARNING):
        history = trained(short)
    assert [(line["activations_on_host"], line["micro_batch"]) for line in history] == [(1, 4), (1, 4)]
    counts = [value for name, value in short.state_dict().items() if name.endswith("num_batches_tracked")]
    assert [int(value) for value in counts] == [2 * N_BATCHES * 2], "once a part, not once a pass"
    told = [record.getMessage() for record in caplog.records]
    assert [line.split(": ", 1)[1].split(" (")[0] for line in told] == [
        "from here on activations are kept in the host's memory",
        "from here on 4 clips are computed at a time",
    ]
    assert "batch norm has their statistics" in told[1]
    with caplog.at_level(logging.WARNING):
        trained(Short(normed(), 0, 4))
    assert len(caplog.records) == 2, "told once"


def test_a_resumed_training_keeps_the_size_of_its_parts(tmp_path: Path) -> None:
    whole = never(plain())
    trained(whole, epochs=3)
    trained(Short(plain(), 0, 4), folder=tmp_path, epochs=2)
    resumed = never(plain())
    history = trained(resumed, folder=tmp_path, epochs=3)
    assert [line["micro_batch"] for line in history] == [4, 4, 4]
    assert json.loads((tmp_path / "history.jsonl").read_text().splitlines()[-1])["micro_batch"] == 4
    assert set(resumed.sizes) == {4}, "it does not try the whole batch again"
    assert difference(whole, resumed) < 1e-10


def test_a_device_without_memory_for_one_clip_ends_the_training() -> None:
    with pytest.raises(torch.OutOfMemoryError, match="CUDA out of memory"):
        trained(Short(plain(), 0, 0))


def test_another_error_is_not_taken_for_a_lack_of_memory() -> None:
    class Wrong(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        trained(Wrong(2, 2))
    assert is_out_of_memory(RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"))
    assert not is_out_of_memory(ValueError("CUDA out of memory"))


def test_remedies_come_in_order_and_end() -> None:
    def remedies(n_clips: int, has_batch_norm: bool) -> list[dict[str, int]]:
        found, economy = [], Economy()
        while (further := economy.further(n_clips, has_batch_norm=has_batch_norm)) is not None:
            economy = further
            found.append(economy.as_record())
        return found

    assert remedies(7, False) == [{"micro_batch": 4}, {"micro_batch": 2}, {"micro_batch": 1}]
    host = {"activations_on_host": 1}
    assert remedies(7, True) == [host, host | {"micro_batch": 4}, host | {"micro_batch": 2}]
    assert Economy.of_record({"epoch": 3, "micro_batch": 4}) == Economy(False, 4)
    assert Economy.of_record({"epoch": 3}) == Economy()
    assert [Economy(True, 2).n_parts(n, has_batch_norm=True) for n in (2, 3, 4, 5, 8)] == [1, 1, 2, 2, 4]
    assert [Economy(False, 2).n_parts(n, has_batch_norm=False) for n in (1, 3, 8)] == [1, 2, 4]


@pytest.mark.gpu
@needs_gpu
def test_a_card_without_memory_left_trains_on() -> None:
    """A step on 8 clips holds three activations of 200 MB and as much again on its way back; 0.9 GB are allowed."""
    width = 65536
    wide = nn.Sequential(
        nn.Conv2d(1, width, 1), nn.Tanh(), nn.Tanh(), nn.Tanh(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(width, 2),
    )  # fmt: skip
    torch.cuda.empty_cache()
    _, total = torch.cuda.mem_get_info()
    torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_reserved() + 0.9e9) / total)
    try:
        plan = FitPlan(TASKS["classification"], Recipe(), 1, 0, "test", "cuda", precision="32")
        history = fit(wide, batches, plan)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert history[0]["micro_batch"] in (1, 2, 4)
    assert "activations_on_host" not in history[0]


def one_step(model: nn.Module, economy: Economy, scale: float = 1.0) -> list[Tensor]:
    """Gradients of one step on 5 masked clips, of a module whose trainer scales losses as float16 needs it."""
    torch.manual_seed(3)
    scaler = SimpleNamespace(scale=lambda loss: scale * loss)
    module = SurvivingModule(TASKS["classification"], recipe(), epochs=1, seed=0, purpose="test")
    module.set_model(model)
    module.economy = economy
    plugin = SimpleNamespace(train_step_context=nullcontext, scaler=scaler)
    module._trainer = SimpleNamespace(precision_plugin=plugin)  # type: ignore[assignment]
    batch = torch.randn(5, 1, 8, 12).double(), torch.tensor([0, 1, 1, 0, 1]), torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0])
    module.backward(module.training_step((*batch, torch.tensor([12, 3, 7, 1, 9])), 0))
    return [parameter.grad for parameter in model.parameters() if parameter.grad is not None]


@pytest.mark.parametrize(
    "make",
    [
        lambda: build_model(BaselineGenotype.of("ctc_rnn", {"dropout": 0.0}), input_shape=(1, 8, 12), n_classes=2),
        lambda: build_model(BaselineGenotype.of("lstm", {}), input_shape=(1, 8, 12), n_classes=2),
        lambda: build_model(GENOTYPE, input_shape=(1, 8, 12), n_classes=2, channels=2, auxiliary=True).eval(),
    ],
    ids=["a loss of its own", "lstm", "two outputs"],
)
def test_parts_know_their_lengths_and_give_every_output_its_gradient(make: Callable[[], nn.Module]) -> None:
    torch.manual_seed(0)
    model = make().double()
    whole = one_step(model, Economy())
    for economy, scale in ((Economy(micro_batch=2), 1.0), (Economy(True), 1.0), (Economy(True, 2), 8.0)):
        model.zero_grad()
        found = one_step(model, economy, scale)
        assert len(found) == len(whole)
        assert max(float((one - scale * other).abs().max()) for one, other in zip(found, whole, strict=True)) < 1e-10
