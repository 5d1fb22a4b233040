"""Every task of the table keeps the same promises; a task cannot escape them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from audionas.audio.manifest import TASK_NAMES, Clip, Manifest, Task
from audionas.records import to_json
from audionas.statistics.chance import chance
from audionas.statistics.evidence import evidence
from audionas.statistics.intervals import difference_estimate, score_estimate
from audionas.statistics.scores import SECOND_SCORES, TASK_SCORES, score_of
from audionas.statistics.sign_flip import sign_flip
from audionas.statistics.system import System
from audionas.training.measures import MEASURES
from audionas.training.metrics import pooled
from audionas.training.predictions import Predictions, average_windows, joined, read_predictions, write_predictions
from audionas.training.task_baselines import BASELINES, PlainClips
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
    assert set(TASKS) == set(TASK_SCORES) == set(SECOND_SCORES)
    for name, pair in MEASURES.items():
        assert [TASK_SCORES[name].name, SECOND_SCORES[name].name] == [measure.key for measure in pair]


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
        summaries, np.full(16, 1.0), manifest.targets, [c.group for c in manifest.clips], manifest.labels, summaries
    )
    found = BASELINES[name](clips, range(8, 16), range(8), 0)
    scores = [TASKS[name].metrics(manifest.targets[8:], each, manifest.labels) for each in found.values()]
    guess, _, heard, machine = (each.primary.value for each in scores)
    assert min(heard, machine) > guess
    if name == "classification":
        assert all(each.sum(axis=1) == pytest.approx(np.ones(8)) for each in found.values())


def systems_of(name: str) -> tuple[System, System]:
    """An exact system and one that says the same of every clip, two seeds each; 8 groups of two clips."""
    task, manifest = fitted(name)
    guess = np.tile(task.chance(task.n_outputs(manifest)), (16, 1))
    exact, blind = (
        System(what, (average_windows(manifest, range(16), scores),) * 2, score_of(name))
        for what, scores in (("exact", exact_scores(name, manifest)), ("blind", guess))
    )
    return exact, blind


@tasks
def test_a_seam_is_restored_from_its_state(name: str) -> None:
    task, manifest = fitted(name)
    logits = torch.randn(16, task.n_outputs(manifest), dtype=torch.float64)
    assert torch.equal(TASKS[name].restored(task.state()).scores(logits), task.scores(logits))


@tasks
def test_statistics_tell_an_exact_system_from_one_that_guesses(name: str) -> None:
    exact, blind = systems_of(name)
    main = MEASURES[name][0].key
    found = score_estimate(exact)
    assert found.value == pytest.approx(1.0)
    assert found.interval == pytest.approx((1.0, 1.0))
    assert difference_estimate(exact, blind).value == pytest.approx(1.0 - score_estimate(blind).value)
    assert sign_flip(exact, blind).p == pytest.approx(2 / 2**8)  # of 8 groups the smallest that there is
    record = evidence(exact)
    assert (record[f"{main}_interval"], record["verdict"]) == (found.interval, "above chance")
    assert chance(blind).p == 1.0


@tasks
def test_permuted_labels_are_as_good_for_a_system_that_knows_none(name: str) -> None:
    _, manifest = fitted(name)
    noise = np.random.default_rng(3).random((16, len(manifest.labels)))
    system = System("noise", (average_windows(manifest, range(16), noise),), score_of(name))
    rng, hits = np.random.default_rng(0), 0
    for _ in range(300):  # the test of groups that hold two labels each, written out
        rows = np.arange(16)
        for first in range(0, 16, 2):
            rows[first : first + 2] = rng.permutation(rows[first : first + 2])
        hits += score_of(name).of_rows(manifest.targets[rows], noise, manifest.labels) >= score_estimate(system).value
    assert chance(system).p == pytest.approx(hits / 300, abs=0.09)  # 3 standard errors of 300 draws
    assert chance(system, 99).how.startswith("targets" if name == "regression" else "labels")
