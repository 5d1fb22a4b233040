"""Intervals of the second score, differences to plain systems, and groups drawn: on predictions made for the test."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import t as student

from audionas.report.blocks import Pictures
from audionas.report.difference_tables import difference_tables
from audionas.report.group_picture import MOST_GROUPS, draw_groups, group_picture
from audionas.report.run_files import RunFiles, read_run
from audionas.report.scored_systems import network_system, plain_systems, second_interval
from audionas.training.predictions import Predictions

LABELS = ("anger", "happiness", "neutral", "sadness")
N_GROUPS, N_EACH = 8, 6


def predictions(skill: float, seed: int) -> Predictions:
    """Clips of eight speakers, each predicted right with a probability."""
    rng = np.random.default_rng(seed)
    n = N_GROUPS * N_EACH
    truth = np.arange(n) % len(LABELS)
    predicted = np.where(rng.random(n) < skill, truth, rng.integers(0, len(LABELS), n))
    clips = tuple(f"c{i:02d}" for i in range(n))
    groups = tuple(f"speaker{i // N_EACH}" for i in range(n))
    return Predictions(clips, groups, truth, np.eye(len(LABELS))[predicted], LABELS)


def right(found: Predictions) -> np.ndarray:
    """(groups,) how many of each speaker's clips are right."""
    hits = found.scores.argmax(axis=1) == found.truth
    return hits.reshape(N_GROUPS, N_EACH).sum(axis=1)


@pytest.fixture
def files(runs: SimpleNamespace, tmp_path: Path) -> RunFiles:
    """A retraining of two seeds with predictions, and a plain system of half its skill."""
    folder = runs.retraining(tmp_path / "retrained", seeds=(0, 1))
    for seed in (0, 1):
        predictions(0.9, seed).write(folder / "split_1" / f"seed_{seed}" / "predictions.csv")
    predictions(0.3, 7).write(folder / "baselines" / "plain.csv")
    metrics = json.loads((folder / "metrics.json").read_text())
    metrics["baselines"]["headline"][-1]["predictions"] = "baselines/plain.csv"
    metrics["per_group"] = [
        {"group": f"s{i}", "ua": 0.5 + i / 20, "ua_sd": 0.01, "wa": 0.5, "wa_sd": None, "n_clips": 6} for i in range(3)
    ]
    (folder / "metrics.json").write_text(json.dumps(metrics))
    return read_run(folder)


def metrics_of(files: RunFiles) -> dict:
    assert files.retraining is not None
    assert files.retraining.metrics is not None
    return files.retraining.metrics


def test_the_interval_of_wa_is_a_jackknife_over_speakers(files: RunFiles) -> None:
    hits = np.mean([right(predictions(0.9, seed)) for seed in (0, 1)], axis=0)
    n_clips = N_GROUPS * N_EACH
    without = [(hits.sum() - own) / (n_clips - N_EACH) for own in hits]
    error = np.sqrt((N_GROUPS - 1) / N_GROUPS * np.sum((without - np.mean(without)) ** 2))
    half = student.ppf(0.975, N_GROUPS - 1) * error
    expected = [hits.sum() / n_clips - half, min(1.0, hits.sum() / n_clips + half)]
    metrics = metrics_of(files)
    assert second_interval(files, metrics, metrics["headline"]) == pytest.approx(expected)


def test_the_network_is_tested_against_plain_systems_by_flipping_speakers(files: RunFiles) -> None:
    (table,) = difference_tables(files, metrics_of(files))
    ((name, difference, _, p, words),) = table.rows
    assert name.startswith("logistic regression")
    # As many clips of each class, so UA is WA; the sum over speakers of the differences, all 2**8 signs.
    each = np.mean([right(predictions(0.9, seed)) for seed in (0, 1)], axis=0) - right(predictions(0.3, 7))
    flipped = [abs(np.dot(each, signs)) for signs in product((1, -1), repeat=N_GROUPS)]
    assert float(difference) == pytest.approx(each.sum() / (N_GROUPS * N_EACH), abs=0.0006)
    assert float(p) == pytest.approx(np.mean(np.array(flipped) >= abs(each.sum()) - 1e-9), rel=0.05)
    assert words == "better"
    assert "corrected for 1 comparison by Holm's method" in table.note


def test_nothing_is_told_apart_where_no_claim_is_possible(files: RunFiles) -> None:
    metrics = metrics_of(files) | {"speaker_independence_checked": False}
    (table,) = difference_tables(files, metrics)
    assert table.rows[0][-1] == "not told apart"
    assert "No claim about speakers is possible" in table.note


def test_without_predictions_nothing_is_computed_and_the_page_stands(
    files: RunFiles, words_of: Callable[[Path], str]
) -> None:
    for path in files.folder.rglob("predictions.csv"):
        path.unlink()
    metrics = metrics_of(files)
    assert second_interval(files, metrics, metrics["headline"]) is None
    assert difference_tables(files, metrics) == []
    assert "95 % of WA" in words_of(files.folder)


def test_tables_outside_of_the_run_are_not_read(files: RunFiles) -> None:
    metrics = json.loads(json.dumps(metrics_of(files)))
    predictions(0.3, 7).write(files.folder.parent / "elsewhere.csv")
    metrics["baselines"]["headline"][-1]["predictions"] = "../elsewhere.csv"
    assert plain_systems(files, metrics) == []
    evaluation = replace(files, top={"kind": "evaluate"})
    assert network_system(evaluation, metrics | {"networks": [{"network": "../.."}]}, {}) is None


def test_groups_are_drawn_lowest_first_and_many_are_cut(files: RunFiles) -> None:
    (gallery,) = group_picture(metrics_of(files), Pictures())
    assert gallery.pictures[0].title == "UA of 3 groups"
    assert gallery.pictures[0].svg.index(">s0<") < gallery.pictures[0].svg.index(">s2<")
    many = [{"group": f"g{i}", "ua": i / 200, "n_clips": 5} for i in range(100)]
    (gallery,) = group_picture({"per_group": many}, Pictures())
    assert "The 30 lowest and the 30 highest of 100 groups" in gallery.pictures[0].caption
    assert gallery.pictures[0].svg.count(">g") == MOST_GROUPS
    assert group_picture({"per_group": many[:1]}, Pictures()) == []


def test_a_score_below_zero_is_drawn_too() -> None:
    figure = draw_groups(["a", "b"], [-0.5, 0.5], [0.0, 0.1], "CCC", None)
    assert figure.axes[0].get_xlim()[0] < -0.5


def test_an_evaluation_has_both_scores_its_confusion_and_recalls(
    tmp_path: Path, page_of: Callable[[Path], str]
) -> None:
    folder = tmp_path / "evaluation"
    networks = []
    for seed in (0, 1):
        found = predictions(0.9, seed)
        found.write(folder / f"split_1/seed_{seed}" / "predictions.csv")
        confusion = np.zeros((4, 4), dtype=int)
        np.add.at(confusion, (found.truth, found.scores.argmax(axis=1)), 1)
        networks.append({
            "network": f"split_1/seed_{seed}", "ua": 0.9, "wa": 0.9, "n_clips": 48, "confusion": confusion.tolist(),
            "is_chance": False,
        })  # fmt: skip
    headline = {
        "ua": 0.9, "ua_sd": 0.01, "wa": 0.9, "wa_sd": 0.01, "n_networks": 2, "n_clips": 48, "what": "every network",
        "ua_interval": [0.8, 0.95], "chance": {"p": 0.0001, "how": "labels permuted", "permutations": 9999},
        "verdict": "above chance",
    }  # fmt: skip
    record = {"schema_version": 1, "kind": "evaluate", "status": "done", "data": {"dataset": "emodb"}}
    metrics = {"task": "classification", "labels": list(LABELS), "headline": headline, "networks": networks}
    (folder / "run.json").write_text(json.dumps(record))
    (folder / "metrics.json").write_text(json.dumps(metrics))
    text = page_of(folder)
    assert "0.800 to 0.950" in text
    files = read_run(folder)
    bounds = second_interval(files, metrics, headline)
    assert bounds is not None
    assert f"{bounds[0]:.3f} to {bounds[1]:.3f}" in text
    assert "every clip counts once a network" in text
    total = np.sum([each["confusion"] for each in networks], axis=0)
    assert f">{total[0, 0] / total[0].sum():.3f}<" in text
