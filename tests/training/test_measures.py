"""What a task is scored by, as files and people name it."""

from __future__ import annotations

import pytest

from audionas.training.measures import in_measure, measure_of_key, measures_of


def test_a_file_that_names_no_task_is_of_a_classification() -> None:
    assert [measure.key for measure in measures_of({})] == ["ua", "wa"]
    assert [measure.key for measure in measures_of({"task": None})] == ["ua", "wa"]
    assert [measure.key for measure in measures_of({"task": "regression"})] == ["ccc", "rmse"]


def test_a_text_about_ua_is_about_the_main_measure_of_the_task() -> None:
    assert in_measure("pooled UA", {"task": "multilabel"}) == "pooled mAP"
    assert in_measure("pooled UA", {}) == "pooled UA"


@pytest.mark.parametrize(("key", "name"), [("map", "mAP"), ("auc", "macro AUC"), ("wa", "WA"), ("rmse", "RMSE")])
def test_a_measure_is_found_by_its_key(key: str, name: str) -> None:
    assert measure_of_key(key).name == name
