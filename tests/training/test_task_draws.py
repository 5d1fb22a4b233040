"""Scores of clips with weights are scikit-learn's with `sample_weight`, and those of a table with repeated clips."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from audionas.training.predictions import Predictions
from audionas.training.regression_metrics import RegressionMetrics
from audionas.training.task_draws import draws_of, weighted_label_scores, weighted_target_scores

N = 40
RNG = np.random.default_rng(0)
TRUTH = (RNG.random((N, 2)) < 0.4).astype(np.float32)
TIED = RNG.random((N, 2)).round(1)
TIMES = RNG.integers(0, 4, size=(6, N)).astype(np.float64)
GROUPS = tuple(f"g{i % 8}" for i in range(N))
CLIPS = tuple(map(str, range(N)))


def test_ranking_scores_agree_with_scikit_learn_ties_and_weights_included() -> None:
    found = Predictions(CLIPS, GROUPS, TRUTH, TIED, ("a", "b"), task="multilabel")
    precision, area = weighted_label_scores(found, TIMES)
    for row, weights in enumerate(TIMES):
        pairs = [(TRUTH[:, i], TIED[:, i]) for i in range(2)]
        expected = [average_precision_score(truth, scores, sample_weight=weights) for truth, scores in pairs]
        assert precision[row] == pytest.approx(np.mean(expected), abs=1e-12)
        expected = [roc_auc_score(truth, scores, sample_weight=weights) for truth, scores in pairs]
        assert area[row] == pytest.approx(np.mean(expected), abs=1e-12)


def test_a_label_that_a_draw_lacks_is_left_out_of_that_draw() -> None:
    truth = np.array([[1, 0], [0, 1], [0, 0]], dtype=np.float32)
    scores = np.array([[0.1, 0.1], [0.9, 0.9], [0.5, 0.5]])
    found = Predictions(CLIPS[:3], GROUPS[:3], truth, scores, ("a", "b"), task="multilabel")
    precision, area = weighted_label_scores(found, np.array([[1.0, 1, 1], [0, 1, 1], [0, 0, 2]]))
    assert precision.tolist() == pytest.approx([(1 / 3 + 1) / 2, 1.0, 0.0])
    assert area.tolist() == pytest.approx([0.5, 1.0, 0.5])


def test_target_scores_are_those_of_a_table_with_the_clips_repeated() -> None:
    truth, scores = RNG.normal(1e3, 3, size=(2, N, 2))
    found = Predictions(CLIPS, GROUPS, truth, scores, ("x", "y"), task="regression")
    concordance, rmse = weighted_target_scores(found, TIMES)
    for row, weights in enumerate(TIMES):
        rows = np.repeat(np.arange(N), weights.astype(int))
        expected = RegressionMetrics(("x", "y"), truth[rows], scores[rows]).scores
        assert (concordance[row], rmse[row]) == pytest.approx((expected["ccc"], expected["rmse"]), abs=1e-9)


def test_scores_are_averaged_over_seeds_on_the_same_draws() -> None:
    truth = RNG.normal(size=(N, 1))
    seeds = [
        Predictions(CLIPS, GROUPS, truth, truth + RNG.normal(size=(N, 1)), ("x",), task="regression") for _ in range(2)
    ]
    both, alone = draws_of(seeds, 30), [draws_of([seed], 30) for seed in seeds]
    assert both.ua == pytest.approx((alone[0].ua + alone[1].ua) / 2)
    assert len(set(both.ua.round(6))) > 10
