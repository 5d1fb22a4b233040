"""CCC is Lin's formula, RMSE the root of the mean squared error; both are means over targets."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import pearsonr
from sklearn.metrics import root_mean_squared_error

from audionas.training.metrics import pooled
from audionas.training.regression_metrics import RegressionMetrics, concordance

numbers = st.lists(st.floats(-100, 100, allow_subnormal=False), min_size=3, max_size=20).map(np.array)


def test_concordance_of_a_table_by_hand() -> None:
    x, y = np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 5.0])
    # means 2 and 3, variances 2/3 and 2, covariance (-1 * -1 + 0 + 1 * 2) / 3 = 1
    assert concordance(x, y) == pytest.approx(2 * 1 / (2 / 3 + 2 + 1))


@given(numbers, st.integers(0, 1000))
def test_concordance_is_correlation_lowered_by_bias_in_level_and_spread(x: np.ndarray, seed: int) -> None:
    y = x + np.random.default_rng(seed).normal(size=len(x))
    if min(x.std(), y.std()) < 1e-3:
        return
    ratio, shift = x.std() / y.std(), (x.mean() - y.mean()) / np.sqrt(x.std() * y.std())
    bias = 2 / (ratio + 1 / ratio + shift**2)  # Lin 1989, C_b
    assert concordance(x, y) == pytest.approx(pearsonr(x, y)[0] * bias, rel=1e-6, abs=1e-9)


def test_a_constant_prediction_agrees_with_nothing_and_an_exact_one_with_all() -> None:
    x = np.array([1.0, 2.0, 4.0])
    assert concordance(x, np.full(3, x.mean())) == 0.0
    assert concordance(x, x) == pytest.approx(1.0)
    assert concordance(x, -x + 2 * x.mean()) == pytest.approx(-1.0)
    assert concordance(np.ones(3), np.ones(3)) == 0.0


def test_scores_are_means_over_targets() -> None:
    rng = np.random.default_rng(0)
    truth, given_scores = rng.normal(size=(2, 10, 2))
    found = RegressionMetrics(("x", "y"), truth, given_scores)
    each = [concordance(truth[:, i], given_scores[:, i]) for i in range(2)]
    assert found.primary == ("ccc", pytest.approx(np.mean(each)))
    assert found.scores["rmse"] == pytest.approx(root_mean_squared_error(truth, given_scores))
    record = found.as_record()
    assert record["targets"]["y"]["ccc"] == pytest.approx(each[1])
    assert record["targets"]["x"]["sd"] == pytest.approx(truth[:, 0].std())
    assert record["absent_classes"] == []


def test_pooled_is_of_all_clips_and_not_the_mean_of_folds() -> None:
    low = RegressionMetrics(("x",), np.array([[1.0], [2.0]]), np.array([[2.0], [1.0]]))
    high = RegressionMetrics(("x",), np.array([[11.0], [12.0]]), np.array([[12.0], [11.0]]))
    both = pooled([low, high])
    expected = concordance(np.array([1, 2, 11, 12.0]), np.array([2, 1, 12, 11.0]))
    assert (both.n_clips, both.primary.value) == (4, pytest.approx(expected))
    assert low.primary.value == pytest.approx(-1.0)
    assert both.primary.value > 0.9
