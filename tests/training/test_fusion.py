"""Fusion: the paper's count of parameters, the rules by their formulas, an MLP that learns which stream to trust."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from audionas.training.fusion import (
    EPOCHS,
    FUSION_RULES,
    LEARNING_RATE,
    RULES_OF_TASKS,
    FusionClips,
    FusionMlp,
    epochs_by_folds,
    fit_mlp,
    fusion_mlp,
    temperature,
)

TWO = np.array([[[0.8, 0.2], [0.5, 0.5]], [[0.4, 0.6], [0.1, 0.9]]])


def clips(n: int = 240, n_classes: int = 4, seed: int = 0, sharpness: tuple[float, float] = (4.0, 0.0)) -> FusionClips:
    """Streams whose logits of the true class are raised by `sharpness`; 0 is a stream of noise."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, n_classes, n)
    logits = rng.normal(size=(2, n, n_classes))
    for stream, raised in enumerate(sharpness):
        logits[stream, np.arange(n), truth] += raised
    odds = np.exp(logits)
    return FusionClips(odds / odds.sum(axis=-1, keepdims=True), truth)


def accuracy(found: FusionClips, scores: np.ndarray) -> float:
    return float(np.mean(scores.argmax(axis=1) == found.truth))


def sizes(network: FusionMlp) -> list[tuple[int, ...]]:
    return [tuple(p.shape) for p in network.parameters()]


def test_two_streams_of_four_classes_are_the_papers_128_parameters() -> None:
    network = FusionMlp(2, 4)
    assert sizes(network) == [(8, 8), (8,), (4, 8), (4,), (4, 4), (4,)]
    assert sum(p.numel() for p in network.parameters()) == 8 * 8 + 8 + 8 * 4 + 4 + 4 * 4 + 4 == 128
    assert (LEARNING_RATE, EPOCHS) == (1e-3, 100)


@pytest.mark.parametrize(("streams", "classes"), [(2, 7), (3, 4), (5, 2)])
def test_any_number_of_streams_and_classes(streams: int, classes: int) -> None:
    width = streams * classes
    network = FusionMlp(streams, classes)
    assert sizes(network)[::2] == [(width, width), (classes, width), (classes, classes)]
    assert network(torch.zeros(3, width)).shape == (3, classes)


def test_the_mlp_learns_to_trust_the_stream_that_knows() -> None:
    train, test = clips(seed=0), clips(seed=1)
    fitted = fit_mlp(train, seed=0)
    scores = fitted(test.probabilities)
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-6)
    assert fitted.epochs == 100
    assert accuracy(test, scores) > accuracy(test, FUSION_RULES["averaging"](train)(test.probabilities))
    assert accuracy(test, scores) > 0.9 * accuracy(test, test.probabilities[0])


def test_one_seed_gives_one_mlp_and_another_seed_another() -> None:
    train = clips(60)
    one, same, other = (fit_mlp(train, seed, epochs=2)(train.probabilities) for seed in (0, 0, 1))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_the_epoch_is_the_first_with_the_highest_ua_on_the_judged_clips() -> None:
    train, judge = clips(80, seed=0), clips(40, seed=1)
    fitted = fit_mlp(train, 0, epochs=12, judge=judge)
    assert len(fitted.judged) == 12
    recalls = [
        np.mean([np.mean(each.argmax(axis=1)[judge.truth == c] == c) for c in range(4)]) for each in fitted.judged
    ]
    assert fitted.epochs == recalls.index(max(recalls)) + 1
    np.testing.assert_allclose(fitted(judge.probabilities), fitted.judged[fitted.epochs - 1], atol=1e-7)
    np.testing.assert_allclose(
        fit_mlp(train, 0, epochs=fitted.epochs)(judge.probabilities), fitted(judge.probabilities), atol=1e-7
    )


def test_epochs_are_chosen_by_predicting_each_fold_from_the_others() -> None:
    train = clips(60)
    folds = np.arange(60) % 3
    chosen = epochs_by_folds(train, folds, 0, most=8)
    recalls = []
    for epochs in range(1, 9):
        predicted = np.zeros(60, dtype=int)
        for fold in range(3):
            fitted = fit_mlp(train.rows(folds != fold), 0, epochs=epochs)
            predicted[folds == fold] = fitted(train.rows(folds == fold).probabilities).argmax(axis=1)
        recalls.append(np.mean([np.mean(predicted[train.truth == c] == c) for c in range(4)]))
    assert chosen == recalls.index(max(recalls)) + 1


def test_balanced_weights_raise_the_rare_class() -> None:
    rng = np.random.default_rng(0)
    truth = (rng.random(200) < 0.1).astype(np.int64)
    odds = np.exp(rng.normal(size=(2, 200, 2)) + 0.3 * np.eye(2)[truth])
    train = FusionClips(odds / odds.sum(axis=-1, keepdims=True), truth)
    plain, balanced = (fit_mlp(train, 0, weighting=w)(train.probabilities) for w in ("none", "balanced"))  # type: ignore[arg-type]
    assert balanced[:, 1].mean() > plain[:, 1].mean() + 0.2
    assert plain[:, 1].mean() == pytest.approx(truth.mean(), abs=0.05)


def test_averaging_is_the_mean() -> None:
    found = FUSION_RULES["averaging"](FusionClips(TWO, np.array([0, 1])))(TWO)
    np.testing.assert_allclose(found, [[0.6, 0.4], [0.3, 0.7]])


def test_product_is_the_normalised_geometric_mean() -> None:
    found = FUSION_RULES["product"](FusionClips(TWO, np.array([0, 1])))(TWO)
    roots = np.sqrt(TWO[0] * TWO[1])
    np.testing.assert_allclose(found, roots / roots.sum(axis=1, keepdims=True))


def test_a_probability_of_zero_leaves_the_product_finite() -> None:
    hard = np.array([[[1.0, 0.0]], [[0.0, 1.0]]])
    found = FUSION_RULES["product"](FusionClips(hard, np.array([0])))(hard)
    np.testing.assert_allclose(found, [[0.5, 0.5]])


def test_the_temperature_is_where_the_truth_is_likeliest() -> None:
    """A stream sharpened three times is softened by three; the likelihood over a grid says the same."""
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(4000, 3)) * 1.5
    truth = np.array([rng.choice(3, p=np.exp(row) / np.exp(row).sum()) for row in logits])
    sharp = np.exp(3 * logits) / np.exp(3 * logits).sum(axis=1, keepdims=True)
    found = temperature(sharp, truth)
    assert found == pytest.approx(3, rel=0.08)

    def likelihood(t: float) -> float:
        soft = sharp ** (1 / t)
        return float(np.log((soft / soft.sum(axis=1, keepdims=True))[np.arange(4000), truth]).mean())

    grid = np.linspace(2, 4, 401)
    assert found == pytest.approx(grid[np.argmax([likelihood(t) for t in grid])], abs=0.01)


def test_scaled_averaging_softens_each_stream_by_its_own_temperature() -> None:
    train = clips(300, sharpness=(2.0, 0.0))
    found = FUSION_RULES["temperature-scaled averaging"](train)(train.probabilities)
    parts = []
    for stream in train.probabilities:
        soft = stream ** (1 / temperature(stream, train.truth))
        parts.append(soft / soft.sum(axis=1, keepdims=True))
    np.testing.assert_allclose(found, np.mean(parts, axis=0), rtol=1e-6)
    assert accuracy(train, found) > accuracy(train, FUSION_RULES["averaging"](train)(train.probabilities))


def test_a_rule_of_several_labels_takes_each_label_by_itself() -> None:
    streams = np.array([[[0.9, 0.2], [0.3, 0.5]], [[0.6, 0.4], [0.1, 0.5]]])
    train = FusionClips(streams, np.array([[1, 0], [0, 1]], np.float32), "multilabel")
    with_it, without = np.sqrt(streams.prod(axis=0)), np.sqrt((1 - streams).prod(axis=0))
    rules = RULES_OF_TASKS["multilabel"]
    assert rules["product"](train)(streams) == pytest.approx(with_it / (with_it + without))
    assert rules["averaging"](train)(streams) == pytest.approx(streams.mean(axis=0))
    assert rules["temperature-scaled averaging"](train)(streams).shape == (2, 2)
    assert list(RULES_OF_TASKS["regression"]) == ["averaging"]


def test_the_mlp_of_numbers_learns_to_trust_the_stream_that_knows_and_keeps_the_unit() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(50, 10, size=(400, 1)).astype(np.float32)
    streams = np.stack([truth + rng.normal(0, 1, truth.shape), rng.normal(50, 10, truth.shape)])
    train, test = (FusionClips(streams[:, part], truth[part], "regression") for part in (slice(300), slice(300, 400)))
    fused = fit_mlp(train, seed=0)(test.probabilities)
    averaged = RULES_OF_TASKS["regression"]["averaging"](train)(test.probabilities)
    errors = [float(np.sqrt(np.mean((given - test.truth) ** 2))) for given in (fused, averaged)]
    assert errors[0] < 3 < errors[1]


def test_the_mlp_of_few_outputs_has_hidden_layers_of_eight() -> None:
    assert sizes(fusion_mlp("regression", 2, 1))[::2] == [(8, 2), (8, 8), (1, 8)]
    assert sizes(fusion_mlp("multilabel", 3, 10))[::2] == [(30, 30), (10, 30), (10, 10)]
    assert sizes(fusion_mlp("classification", 2, 2)) == sizes(FusionMlp(2, 2))
