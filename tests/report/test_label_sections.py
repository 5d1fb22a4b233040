"""Scores of labels and targets on the page: what stands in the tables, and pictures with every name."""

from __future__ import annotations

import numpy as np
import pytest

from audionas.report.label_pictures import draw_label_bars, draw_truth_and_prediction
from audionas.report.label_sections import label_tables, label_text

SEVERAL = {
    "task": "multilabel", "labels": ["dog", "rain", "wind"],
    "per_seed": [
        {"seed": seed, "n_clips": 20, "counts": {"dog": 5, "rain": 10, "wind": 0}, "absent_classes": ["wind"],
         "average_precisions": {"dog": precision, "rain": 0.75}, "aucs": {"dog": 0.5, "rain": 0.9}}
        for seed, precision in ((0, 0.4), (1, 0.6))
    ],
}  # fmt: skip
NUMBERS = {
    "task": "regression", "labels": ["valence"],
    "per_seed": [{"seed": 0, "targets": {"valence": {"ccc": 0.5, "rmse": 0.75, "mean": 3.0, "sd": 1.0}}}],
}  # fmt: skip


def test_each_label_has_its_precision_over_seeds_beside_guessing_and_plain_systems() -> None:
    (table,) = label_tables(SEVERAL, "network", {"plain": {"average_precisions": {"dog": 0.25, "rain": 0.5}}})
    assert table.head == ("label", "test clips", "network", "guessing", "its AUC", "plain")
    dog, rain, wind = table.rows
    assert dog == ("dog", "5", "0.500 ± 0.141", "0.250", "0.500 ± 0.000", "0.250")
    assert rain[2:4] == ("0.750 ± 0.000", "0.500")
    assert wind == ("wind", "0", "no test clips", "none", "none", "none")


def test_each_target_has_its_concordance_and_error() -> None:
    (table,) = label_tables(NUMBERS, "network", {"plain": {"targets": {"valence": {"ccc": 0.6}}}})
    assert table.rows == (("valence", "0.500", "0.750", "3.000, sd 1.000", "0.600"),)


def test_an_absent_label_is_called_absent() -> None:
    assert label_text(SEVERAL["per_seed"][0], "wind") == "absent"
    assert label_text(SEVERAL["per_seed"][0], "dog") == "0.400"


def test_a_run_without_scores_has_no_table() -> None:
    assert label_tables({"task": "multilabel"}, "network", {}) == []


def test_bars_stand_best_first_and_of_many_labels_the_middle_is_left_out() -> None:
    axes = draw_label_bars(["dog", "rain"], [0.2, 0.9], [0.1, 0.3]).axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["rain", "dog"]
    assert [bar.get_width() for bar in axes.patches] == [0.9, 0.2]
    names = [f"label {i}" for i in range(100)]
    axes = draw_label_bars(names, np.linspace(0, 1, 100).tolist(), [0.1] * 100).axes[0]
    shown = [text.get_text() for text in axes.get_yticklabels()]
    assert (len(shown), shown[0], shown[-1]) == (60, "label 99", "label 0")


def test_truth_and_prediction_share_one_scale() -> None:
    axes = draw_truth_and_prediction(np.array([1.0, 5.0]), np.array([2.0, 9.0]), "valence").axes[0]
    assert axes.get_xlim() == axes.get_ylim() == pytest.approx((0.6, 9.4))
    assert axes.get_xlabel() == "true valence"
