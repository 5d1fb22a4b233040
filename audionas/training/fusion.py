"""Decision-level fusion: class probabilities of several streams become those of one system.

`FusionMlp` is that of Sun et al., "EmotionNAS", 2022, section 2.3; `FUSION_RULES` are what it has to beat.
Probabilities of the streams are (streams, clips, classes) float64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from torch import Tensor, nn

from audionas.audio.manifest import Task
from audionas.seeding import generator, seed_torch
from audionas.training.tasks import TASKS, TaskSeam

Weighting = Literal["balanced", "none"]
Predict = Callable[[np.ndarray], np.ndarray]
LEARNING_RATE = 1.0e-3
EPOCHS = 100
FEWEST_HIDDEN = 8
BATCH_SIZE = 16
LOWEST = 1e-12  # a probability that was rounded to 0 has a logarithm again
TEMPERATURES = (0.05, 20.0)


class FusionMlp(nn.Module):
    """Probabilities (clips, streams * classes) float32 -> logits (clips, classes); `hidden` widths as the paper's.

    Layers (S*C, S*C), (S*C, C), (C, C) with biases, ReLU between them: for two streams of four classes the paper's
    (8,8), (8,4), (4,4), 128 parameters. The paper names neither biases nor activations; 128 needs the biases.
    """

    def __init__(self, n_streams: int, n_classes: int, hidden: tuple[int, int] | None = None) -> None:
        super().__init__()
        width = n_streams * n_classes
        first, second = hidden or (width, n_classes)
        self.layers = nn.Sequential(
            nn.Linear(width, first), nn.ReLU(),
            nn.Linear(first, second), nn.ReLU(),
            nn.Linear(second, n_classes),
        )  # fmt: skip

    def forward(self, probabilities: Tensor) -> Tensor:
        """Logits."""
        logits: Tensor = self.layers(probabilities)
        return logits


@dataclass(frozen=True)
class FusionClips:
    """What a fusion is trained on or tested on: probabilities (streams, clips, classes), truth (clips,) int64.

    Under other tasks than classification the truth is (clips, labels); of a regression, in place of probabilities are
    predicted numbers.
    """

    probabilities: np.ndarray
    truth: np.ndarray
    task: Task = "classification"

    def rows(self, chosen: np.ndarray) -> FusionClips:
        """Some of the clips."""
        return FusionClips(self.probabilities[:, chosen], self.truth[chosen], self.task)


@dataclass(frozen=True)
class FittedMlp:
    """A trained `FusionMlp`, after how many epochs, and what it said of the judged clips after every epoch."""

    network: FusionMlp
    epochs: int
    task: TaskSeam
    judged: tuple[np.ndarray, ...] = ()

    def __call__(self, probabilities: np.ndarray) -> np.ndarray:
        """Fused probabilities (clips, classes) of streams (streams, clips, classes)."""
        return _outputs(self.network, _inputs(probabilities, self.task), self.task)


def fit_mlp(
    train: FusionClips,
    seed: int,
    *,
    epochs: int = EPOCHS,
    weighting: Weighting = "none",
    judge: FusionClips | None = None,
) -> FittedMlp:
    """Train the MLP: Adam, rate 1e-3, 100 epochs (the paper's), batches of 16 (not said there), the task's loss.

    Args:
        judge: clips of which the epoch with the highest UA (of equals the first) is kept; None keeps the last.
    """
    n_streams, _, n_classes = train.probabilities.shape
    seed_torch(seed, "fusion", "weights")
    task = TASKS[train.task].fitted(train.truth)
    network = fusion_mlp(train.task, n_streams, n_classes)
    optimiser = torch.optim.Adam(network.parameters(), LEARNING_RATE)
    x, targets = _inputs(train.probabilities, task), torch.from_numpy(train.truth)
    weights = torch.from_numpy(task.clip_weights(train.truth, weighting))
    judged: list[np.ndarray] = []
    states: list[dict[str, Tensor]] = []
    for epoch in range(epochs):
        order = torch.from_numpy(generator(seed, "fusion", "order", epoch).permutation(len(targets)))
        for first in range(0, len(order), BATCH_SIZE):
            rows = order[first : first + BATCH_SIZE]
            optimiser.zero_grad()
            task.loss(network(x[rows]), targets[rows], weights[rows]).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        if judge is not None:
            judged.append(_outputs(network, _inputs(judge.probabilities, task), task))
            states.append({name: value.clone() for name, value in network.state_dict().items()})
    if judge is None:
        return FittedMlp(network, epochs, task)
    best = _best_epoch(task, judge.truth, judged)
    network.load_state_dict(states[best])
    return FittedMlp(network, best + 1, task, tuple(judged))


def fusion_mlp(task: str, n_streams: int, n_outputs: int) -> FusionMlp:
    """The MLP of a task. With few outputs, as of one target, layers of the paper's widths could be dead at the start:
    under other tasks than classification the hidden ones have `FEWEST_HIDDEN` units at least.
    """
    if task == "classification":
        return FusionMlp(n_streams, n_outputs)
    return FusionMlp(n_streams, n_outputs, (max(n_streams * n_outputs, FEWEST_HIDDEN), max(n_outputs, FEWEST_HIDDEN)))


def epochs_by_folds(
    train: FusionClips, folds: np.ndarray, seed: int, *, most: int = EPOCHS, weighting: Weighting = "none"
) -> int:
    """The number of epochs, of `most`, with the highest UA when each fold is predicted by an MLP of the others.

    Args:
        folds: (clips,), the fold of each clip; no group may stand in two.
    """
    names = np.unique(folds)
    fitted = [
        fit_mlp(train.rows(folds != name), seed, epochs=most, weighting=weighting, judge=train.rows(folds == name))
        for name in names
    ]
    truth = np.concatenate([train.truth[folds == name] for name in names])
    judged = [np.concatenate([each.judged[epoch] for each in fitted]) for epoch in range(most)]
    return _best_epoch(TASKS[train.task], truth, judged) + 1


def _best_epoch(task: TaskSeam, truth: np.ndarray, scores: Sequence[np.ndarray]) -> int:
    """The epoch whose scores (clips, classes) have the highest UA (the task's main score), of equals the first."""
    labels = [str(i) for i in range(scores[0].shape[1])]
    return int(np.argmax([task.metrics(truth, each, labels).primary.value for each in scores]))


Rule = Callable[[FusionClips], Predict]


def averaging(train: FusionClips) -> Predict:  # noqa: ARG001
    """The mean of the streams' probabilities."""
    return lambda probabilities: np.asarray(probabilities.mean(axis=0))


def product(train: FusionClips) -> Predict:  # noqa: ARG001
    """The geometric mean of the streams' probabilities, normalised."""
    return lambda probabilities: np.asarray(softmax(_log(probabilities).mean(axis=0), axis=-1))


def scaled_averaging(train: FusionClips) -> Predict:
    """The mean of the streams' probabilities, each stream softened or sharpened by its own temperature.

    A stream's probabilities p become softmax(log p / T), with the T in 0.05 ... 20 at which the training clips are
    likeliest (Guo et al., "On Calibration of Modern Neural Networks", 2017).
    """
    fitted = [temperature(stream, train.truth) for stream in train.probabilities]

    def predict(probabilities: np.ndarray) -> np.ndarray:
        pairs = zip(probabilities, fitted, strict=True)
        return np.asarray(np.mean([softmax(_log(stream) / t, axis=-1) for stream, t in pairs], axis=0))

    return predict


def temperature(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """The temperature of one stream's probabilities (clips, classes) at which the truth is likeliest."""
    logarithms, clips = _log(probabilities), np.arange(len(truth))

    def loss(log_t: float) -> float:
        return -float(log_softmax(logarithms / np.exp(log_t), axis=-1)[clips, truth].mean())

    found = minimize_scalar(loss, bounds=tuple(np.log(TEMPERATURES)), method="bounded")
    return float(np.exp(found.x))


def label_by_label(rule: Rule) -> Rule:
    """A rule of two classes, having and not having it, for each label of several by itself; one T a stream."""

    def pairs(probabilities: np.ndarray) -> np.ndarray:
        flat = probabilities.reshape(len(probabilities), -1)
        return np.stack([flat, 1.0 - flat], axis=-1)

    def fitted(train: FusionClips) -> Predict:
        classes = np.where(train.truth.ravel() > 0, 0, 1)
        predict = rule(FusionClips(pairs(train.probabilities), classes))
        return lambda given: np.asarray(predict(pairs(given))[:, 0].reshape(given.shape[1:]))

    return fitted


FUSION_RULES: dict[str, Rule] = {
    "averaging": averaging,
    "temperature-scaled averaging": scaled_averaging,
    "product": product,
}
RULES_OF_TASKS: dict[str, dict[str, Rule]] = {
    "classification": FUSION_RULES,
    "multilabel": {name: label_by_label(rule) for name, rule in FUSION_RULES.items()},
    "regression": {"averaging": averaging},  # the others are of probabilities
}


def _log(probabilities: np.ndarray) -> np.ndarray:
    return np.asarray(np.log(np.maximum(probabilities, LOWEST)))


def _inputs(probabilities: np.ndarray, task: TaskSeam) -> Tensor:
    """(streams, clips, classes) -> (clips, streams * classes) float32, streams side by side; numbers standardised."""
    scale = task.state()
    given = (probabilities - scale["mean"]) / scale["std"] if scale else probabilities
    return torch.from_numpy(np.concatenate(list(given), axis=1).astype(np.float32))


def _outputs(network: FusionMlp, x: Tensor, task: TaskSeam) -> np.ndarray:
    with torch.no_grad():
        return np.asarray(task.scores(network(x).double()).double().numpy())
