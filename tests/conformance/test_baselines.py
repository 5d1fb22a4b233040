"""What every hand-made system of the table does: learn from real clips, ignore padding, live in a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from audionas import sample
from audionas.audio.waveform import load_waveform
from audionas.features import PRESETS, Extractor, load_features
from audionas.models.baselines import BASELINES, ClosedForm, OwnLoss, baseline_settings, build_baseline, second_task
from audionas.records import validate
from audionas.spaces import BaselineGenotype
from audionas.spaces.genotype_file import load_genotype, save_genotype
from audionas.training.optimisers import optimiser_of
from audionas.training.recipe import Recipe

NAMES = sorted(BASELINES)
N_CLASSES = 4
SMALL_S = 1.2
# Of inputs so large that a step on a CPU takes seconds: the same features, coarser and shorter.
COARSER: dict[str, dict[str, Any]] = {
    "attention_pooling_cnn": {"n_fft": 640, "bins": 48, "length_s": 1.0, "frames": 100, "test_shift_s": 0.2},
}


def _extractor(name: str, seconds: float = SMALL_S) -> Extractor:
    """The system's features, as short as they can be had."""
    asked = load_features(BASELINES[name].features)
    asked = asked.model_copy(update=COARSER.get(name, {}))
    fixed = asked.length_s != "auto"
    return (asked if fixed else asked.model_copy(update={"length_s": seconds})).resolve(16_000, [seconds])


def _network(name: str, shape: tuple[int, int, int], seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return build_baseline(BaselineGenotype(name), shape, N_CLASSES)


def _loss(network: nn.Module, logits: Tensor, targets: Tensor) -> Tensor:
    def task_loss(found: Tensor, truth: Tensor, weights: Tensor) -> Tensor:
        return (nn.functional.cross_entropy(found, truth, reduction="none") * weights).mean()

    weights = torch.ones(len(targets))
    if (second := second_task(network)) is not None:
        targets = torch.stack([targets, targets % second.n_second], dim=1)
    if isinstance(network, OwnLoss):
        return network.loss(task_loss, logits, targets, weights)
    return task_loss(logits[:, :N_CLASSES], targets, weights)


@pytest.mark.parametrize("name", NAMES)
def test_its_line_names_features_a_recipe_and_rules_that_exist(name: str) -> None:
    line = BASELINES[name]
    assert line.features in PRESETS
    validate(Recipe, dict(line.recipe), name)
    assert line.class_weighting in ("balanced", "none", "sampler")
    assert line.epochs > 0
    assert line.batch_size > 1
    assert line.summary
    assert "\n" not in line.summary


@pytest.mark.parametrize("name", NAMES)
def test_its_genotype_survives_a_file(name: str, tmp_path: Path) -> None:
    genotype = BaselineGenotype.of(name, {})
    save_genotype(genotype, tmp_path / "g.json")
    again = load_genotype(tmp_path / "g.json")
    assert again == genotype
    assert isinstance(again, BaselineGenotype)
    assert baseline_settings(again) == BASELINES[name].settings()


@pytest.mark.parametrize("name", NAMES)
def test_padding_changes_no_score(name: str) -> None:
    shape = _extractor(name).input_shape
    network = _network(name, shape).eval()
    rng = np.random.default_rng(1)
    frames = shape[2]
    own = [frames, max(1, frames // 2 - 1), max(1, frames // 3)]
    clips = [torch.from_numpy(rng.normal(size=(1, *shape[:2], n)).astype(np.float32)) for n in own]
    padded = torch.cat([nn.functional.pad(clip, (0, frames - clip.shape[3])) for clip in clips])
    with torch.no_grad():
        together = network(padded, torch.tensor(own))
        alone = torch.cat([network(clip, torch.tensor([n])) for clip, n in zip(clips, own, strict=True)])
    assert together.shape == (3, N_CLASSES)
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_a_gradient_reaches_every_weight(name: str) -> None:
    shape = _extractor(name).input_shape
    network = _network(name, shape).train()
    x = torch.randn(4, *shape, generator=torch.Generator().manual_seed(2))
    targets = torch.arange(4) % N_CLASSES
    _loss(network, network(x, torch.full((4,), shape[2])), targets).backward()
    dry = [key for key, weight in network.named_parameters() if weight.grad is None or not weight.grad.abs().sum() > 0]
    assert not dry


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_gives_the_same_network(name: str) -> None:
    shape = _extractor(name).input_shape
    first, second = _network(name, shape, 5).state_dict(), _network(name, shape, 5).state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_it_learns_sixteen_real_clips_by_heart(name: str) -> None:
    x, lengths, targets = _real_clips(name)
    network = _network(name, (x.shape[1], x.shape[2], x.shape[3])).train()
    recipe = validate(Recipe, {"optimiser": "adam", "learning_rate": 3e-3, "weight_decay": 0.0}, "test")
    optimiser = optimiser_of(recipe, network.parameters())
    for step in range(300):
        loss = _loss(network, network(x, lengths), targets)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        if step % 10 == 9 and _recall(network, x, lengths, targets) == 1.0:
            break
    if isinstance(network.eval(), ClosedForm):
        with torch.no_grad():
            network.solve([(x, targets, torch.ones(16), lengths)])  # type: ignore[operator]
    assert _recall(network, x, lengths, targets) == 1.0


def _recall(network: nn.Module, x: Tensor, lengths: Tensor, targets: Tensor) -> float:
    """Accuracy in eval mode with this batch's own statistics; the mode is set back."""
    was_training = network.training
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.momentum = 1.0
    with torch.no_grad():
        network.train()
        network(x, lengths)
        network.eval()
        found = network(x, lengths)[:, :N_CLASSES].argmax(dim=1)
    network.train(was_training)
    return float((found == targets).double().mean())


def _real_clips(name: str) -> tuple[Tensor, Tensor, Tensor]:
    """Sixteen clips of the shipped speech, four of each class, as their system sees them, normalised."""
    extractor = _extractor(name, 2.0)
    blocks, lengths, targets = [], [], []
    for target, waveform in _chosen():
        values = extractor(waveform)[:, :, : extractor.input_shape[2]]
        n = min(extractor.own_frames(len(waveform)), extractor.input_shape[2])
        blocks.append(values), lengths.append(n), targets.append(target)
    x = torch.from_numpy(np.stack(blocks))
    if extractor.normalise != "none":
        x = (x - x.mean(dim=(0, 3), keepdim=True)) / (x.std(dim=(0, 3), keepdim=True) + 1e-6)
    mask = torch.arange(x.shape[3])[None] < torch.tensor(lengths)[:, None]
    return torch.where(mask[:, None, None], x, 0.0), torch.tensor(lengths), torch.tensor(targets)


def _chosen() -> Iterator[tuple[int, np.ndarray[Any, Any]]]:
    import pandas as pd

    table = pd.read_csv(sample.folder() / "manifest.csv")
    for target, (_, rows) in enumerate(table.groupby("label", sort=True)):
        for path in rows["path"][:4]:
            yield target, load_waveform(sample.folder() / path, 16_000)
