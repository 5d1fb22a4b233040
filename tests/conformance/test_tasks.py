"""Every task of the table keeps the same promises; a task cannot escape them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from audionas.audio.manifest import TASK_NAMES, Clip, Manifest, Task
from audionas.records import to_json
from audionas.training.measures import MEASURES
from audionas.training.metrics import pooled
from audionas.training.predictions import Predictions, average_windows, joined, read_predictions, write_predictions
from audionas.training.task_baselines import BASELINES, PlainClips
from audionas.training.task_draws import draws_of
from audionas.training.tasks import TASKS, TaskSeam

LABELS = {"classification": ("a", "b", "c"), "multilabel": ("a", "b", "c"), "regression": ("x", "y")}
TEXTS = {
    "classification": ("a", "b", "c", "a", "b", "c", "a", "b"),
    "multilabel": ("a", "b;c", "", "a;c", "b", "c", "a;b;c", "b"),
    "regression": ("1;0", "2;-1", "3.5;0.25", "4;8", "0.1;3", "2;2", "5;1", "1;1"),
}
tasks = pytest.mark.parametrize("name", TASKS)


def manifest_of(name: str) -> Manifest:
    clips = [Clip(f"{i}.wav", text, f"g{i // 2}", clip=f"clip {i}") for i, text in enumerate(TEXTS[name] * 2)]
    task: Task = next(task for task in TASK_NAMES if task == name)
    return Manifest(Path("/toy"), tuple(clips), LABELS[name], task=task)


def fitted(name: str) -> tuple[TaskSeam, Manifest]:
    manifest = manifest_of(name)
    return TASKS[name].fitted(manifest.targets), manifest


def exact_scores(name: str, manifest: Manifest) -> np.ndarray:
    if name == "classification":
        return np.eye(3)[manifest.targets]
    return manifest.targets.astype(np.float64)


def test_the_tables_know_the_same_tasks() -> None:
    assert set(TASKS) == set(TASK_NAMES) == set(MEASURES) == set(BASELINES)


@tasks
def test_gradient_descent_on_the_loss_lowers_it_and_gives_finite_scores(name: str) -> None:
    task, manifest = fitted(name)
    targets = torch.from_numpy(manifest.targets)
    weights = torch.from_numpy(task.clip_weights(manifest.targets, "balanced"))
    torch.manual_seed(0)
    logits = torch.randn(16, task.n_outputs(manifest), requires_grad=True)
    losses = []
    for _ in range(50):
        loss = task.loss(logits, targets, weights)
        losses.append(loss.item())
        (gradient,) = torch.autograd.grad(loss, logits)
        logits = (logits - gradient).detach().requires_grad_()
    assert losses[-1] < losses[0]
    scores = task.scores(logits.detach())
    assert scores.shape == (16, task.n_outputs(manifest))
    assert torch.isfinite(scores).all()


@tasks
def test_weights_are_one_in_mean_and_never_negative(name: str) -> None:
    task, manifest = fitted(name)
    for weighting in ("balanced", "none"):
        weights = task.clip_weights(manifest.targets, weighting)
        assert weights.shape == (16,)
        assert weights.mean() == pytest.approx(1.0, rel=1e-5)
        assert (weights > 0).all()


@tasks
def test_exact_scores_are_best_and_guessing_is_no_better_than_shuffled_ones(name: str) -> None:
    task, manifest = fitted(name)
    exact = task.metrics(manifest.targets, exact_scores(name, manifest), manifest.labels)
    guess = np.tile(task.chance(task.n_outputs(manifest)), (16, 1))
    guessed = task.metrics(manifest.targets, guess, manifest.labels)
    assert exact.primary.value == pytest.approx(1.0)
    assert guessed.primary.value < 0.5
    assert task.losses(manifest.targets, exact_scores(name, manifest))[0] < task.losses(manifest.targets, guess)[0]


@tasks
def test_the_scores_are_named_as_the_measures_and_the_record_is_json(name: str) -> None:
    task, manifest = fitted(name)
    found = task.metrics(manifest.targets, exact_scores(name, manifest), manifest.labels)
    assert list(found.scores) == [measure.key for measure in MEASURES[name]]
    assert found.primary == (task.main, found.scores[task.main])
    record = found.as_record()
    assert to_json(record)
    assert {**found.scores, "n_clips": 16, "absent_classes": []}.items() <= record.items()


@tasks
def test_pooling_halves_gives_the_scores_of_the_whole(name: str) -> None:
    task, manifest = fitted(name)
    scores = np.random.default_rng(0).random((16, len(manifest.labels)))
    halves = [task.metrics(manifest.targets[part], scores[part], manifest.labels) for part in (slice(8), slice(8, 16))]
    whole = task.metrics(manifest.targets, scores, manifest.labels)
    assert pooled(halves).scores == pytest.approx(whole.scores)


@tasks
def test_predictions_are_read_as_they_were_written(name: str, tmp_path: Path) -> None:
    manifest = manifest_of(name)
    scores = np.random.default_rng(0).random((16, len(manifest.labels)))
    parts = [average_windows(manifest, range(10), scores[:10]), average_windows(manifest, range(10, 16), scores[10:])]
    parts[1] = Predictions(**{**vars(parts[1]), "part": "train"})
    write_predictions(tmp_path / "predictions.csv", parts)
    found = read_predictions(tmp_path / "predictions.csv")
    for part in parts:
        own = found[part.part]
        assert (own.clips, own.groups, own.labels, own.task) == (part.clips, part.groups, part.labels, name)
        assert np.array_equal(own.truth, part.truth)
        assert own.truth.dtype == part.truth.dtype
        assert own.scores == pytest.approx(part.scores, rel=1e-8)
    assert joined(parts, "test").task == name


@tasks
def test_windows_of_a_clip_are_averaged(name: str) -> None:
    manifest = manifest_of(name)
    clips = tuple(Clip(c.path, c.label, c.group, clip="one") for c in (manifest.clips[0], manifest.clips[0]))
    windows = Manifest(manifest.root, clips, manifest.labels, manifest.task)
    scores = np.random.default_rng(0).random((2, len(manifest.labels)))
    found = average_windows(windows, (0, 1), scores)
    assert found.scores[0] == pytest.approx(scores.mean(axis=0))
    assert found.truth[0] == pytest.approx(manifest.targets[0])


@tasks
def test_plain_systems_hear_what_is_in_the_features(name: str) -> None:
    manifest = manifest_of(name)
    rng = np.random.default_rng(0)
    heard = np.eye(3)[manifest.targets] if name == "classification" else manifest.targets
    summaries = np.column_stack([heard, rng.normal(size=(16, 2))])
    clips = PlainClips(
        summaries, np.full(16, 1.0), manifest.targets, [c.group for c in manifest.clips], manifest.labels
    )
    found = BASELINES[name](clips, range(8, 16), range(8), 0)
    guess, _, strongest = (metrics.primary.value for metrics in found.values())
    assert strongest > guess


@tasks
def test_the_bootstrap_draws_the_same_groups_for_every_task(name: str) -> None:
    manifest = manifest_of(name)
    scores = exact_scores(name, manifest)
    found = draws_of([average_windows(manifest, range(16), scores)], 100)
    assert found.groups == tuple(sorted({clip.group for clip in manifest.clips}))
    assert found.ua == pytest.approx(np.ones(100))
    assert len(found.wa) == 100
