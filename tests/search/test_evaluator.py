"""A candidate under inner folds: trained once a fold on the others, scored on the pooled held-out predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss, recall_score

from audionas.features import load_features
from audionas.models import build_model
from audionas.models.latency import Latency
from audionas.models.macs import n_macs
from audionas.models.meter import Meter, Place
from audionas.search.candidate_costs import CandidateCosts
from audionas.search.evaluator import DivergedError, Score, SearchData, TrainingEvaluator
from audionas.seeding import derive
from audionas.spaces import Genotype, load_search_space
from audionas.training.predictions import Predictions
from audionas.training.recipe import Recipe
from audionas.training.tasks import TASKS
from tests.training.toys import toy_manifest, toy_tensors

SPACE = load_search_space("darts_cnn_small")
FOLDS = [tuple(range(0, 8)), tuple(range(8, 16)), tuple(range(16, 24))]


def data(held_out: tuple[int, ...]) -> SearchData:
    train = tuple(row for fold in FOLDS for row in fold if fold != held_out)
    parts = {"train": train, "validation": held_out}
    return SearchData(toy_manifest(), toy_tensors(), parts, (1, 8, 12), TASKS["classification"])


def evaluator(**settings: Any) -> TrainingEvaluator:
    folds = tuple(data(fold) for fold in FOLDS)
    return TrainingEvaluator(folds[0], Recipe(), folds=folds, **settings)


def candidate() -> Genotype:
    return SPACE.random(np.random.default_rng(0))


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Any]]:
    """What each training was given: rows, seed; and each prediction that came of it."""
    from audionas.search import evaluator as module

    found: dict[str, list[Any]] = {"rows": [], "seeds": [], "predictions": []}
    fit, predict = module.fit, module.predict_clips

    def spy_fit(network: Any, batches: Any, plan: Any, after: Any) -> Any:
        found["seeds"].append(plan.seed)
        found["rows"].append(set(batches(lambda: 0).rows))
        return fit(network, batches, plan, after)

    def spy_predict(*arguments: Any, **words: Any) -> Predictions:
        found["predictions"].append(predict(*arguments, **words))
        return found["predictions"][-1]

    monkeypatch.setattr(module, "fit", spy_fit)
    monkeypatch.setattr(module, "predict_clips", spy_predict)
    return found


def test_each_training_reads_the_other_folds_only_and_has_its_own_seed(seen: dict[str, list[Any]]) -> None:
    evaluator().evaluate(candidate(), epochs=1, seed=5)
    everything = set(range(24))
    assert seen["rows"] == [everything - set(fold) for fold in FOLDS]
    assert seen["seeds"] == [derive(5, "inner fold", k) for k in (1, 2, 3)]


def test_the_score_is_that_of_all_held_out_predictions_together(seen: dict[str, list[Any]]) -> None:
    score = evaluator().evaluate(candidate(), epochs=2, seed=5)
    scores = np.concatenate([each.scores for each in seen["predictions"]])
    truth = np.arange(24) % 2
    assert [len(each.clips) for each in seen["predictions"]] == [8, 8, 8]
    assert score.loss == pytest.approx(log_loss(truth, scores / scores.sum(1, keepdims=True)), rel=1e-6)
    assert score.ua == pytest.approx(recall_score(truth, scores.argmax(1), average="macro"))
    assert (score.epoch, score.seconds > 0) == (1, True)


def test_the_best_epoch_is_one_for_all_folds_by_the_mean_loss_over_them(seen: dict[str, list[Any]]) -> None:
    score = evaluator(score_epoch="best", objective="loss").evaluate(candidate(), epochs=5, seed=5)
    scores = [each.scores / each.scores.sum(1, keepdims=True) for each in seen["predictions"]]
    losses = np.array([log_loss(np.arange(8) % 2, each) for each in scores]).reshape(3, 5)
    assert score.epoch == losses.mean(axis=0).argmin()
    assert score.loss == pytest.approx(losses.mean(axis=0).min())
    assert score.loss >= losses.min(axis=1).mean(), "a best epoch for each fold would look better than it is"


def test_a_training_that_diverges_in_one_fold_stops_the_candidate(seen: dict[str, list[Any]]) -> None:
    wild = Recipe(learning_rate=1e4, gradient_clip=1e6)
    folds = tuple(data(fold) for fold in FOLDS)
    with pytest.raises(DivergedError, match="it diverges"):
        TrainingEvaluator(folds[0], wild, folds=folds, stop_diverging=1.01).evaluate(candidate(), epochs=9, seed=0)
    assert len(seen["rows"]) == 1


# --- a share of the train part, costs, proxies ---


def test_a_fraction_trains_on_a_nested_share_of_the_train_part_and_validates_on_all(seen: dict[str, list[Any]]) -> None:
    whole = TrainingEvaluator(data(FOLDS[2]), Recipe())
    train = set(range(16))
    for fraction in (0.25, 0.5, 1.0):
        whole.evaluate(candidate(), epochs=1, seed=5, fraction=fraction)
    assert [len(rows) for rows in seen["rows"]] == [4, 8, 16]
    assert seen["rows"][0] < seen["rows"][1] < seen["rows"][2] == train
    assert [each.clips for each in seen["predictions"]] == [seen["predictions"][0].clips] * 3
    groups = {whole.data.manifest.clips[row].group for row in seen["rows"][1]}
    assert len(groups) == 4, "whole speakers, of two clips each"


def test_every_candidate_is_trained_on_the_same_share_and_each_inner_fold_on_its_own(
    seen: dict[str, list[Any]],
) -> None:
    for seed in (5, 6):
        evaluator(share_seed=3).evaluate(candidate(), epochs=1, seed=seed, fraction=0.5)
    assert seen["rows"][:3] == seen["rows"][3:]
    for fold, rows in zip(FOLDS, seen["rows"], strict=False):
        assert len(rows) == 8
        assert not rows & set(fold)


def test_costs_asked_for_are_kept_with_the_score_and_come_back_from_its_record() -> None:
    extractor = load_features("log_mel_small").resolve(16000, [1.0])
    timed = Latency(7.5, 9.0, 1.0, "cpu", 30)
    meter = Meter(Place(extractor, 2), timer=lambda *_: timed)
    costs = CandidateCosts(("parameters", "macs_per_second", "latency_ms"), meter)
    score = evaluator(costs=costs).evaluate(candidate(), epochs=1, seed=5)
    network = build_model(candidate(), input_shape=extractor.input_shape, n_classes=2)
    length_s = extractor.length_samples / extractor.rate_hz
    assert score.costs == {"macs_per_second": n_macs(network, extractor.input_shape) / length_s, "latency_ms": 7.5}
    assert Score.of_record(score.as_record()) == score
    assert "costs" not in evaluator().evaluate(candidate(), epochs=1, seed=5).as_record()


def test_a_proxy_reads_one_batch_of_the_train_part_the_same_for_every_candidate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from audionas.search import evaluator as module

    found: list[Any] = []
    monkeypatch.setattr(module, "compute", lambda name, network, batch, task: float(len(found.append(batch) or [1])))
    one = TrainingEvaluator(data(FOLDS[2]), Recipe())
    for seed in (1, 2):
        assert one.proxy(candidate(), "grad_norm", seed=seed) == 1
    assert torch.equal(found[0][0], found[1][0])
    rows = toy_tensors().at(list(range(24)), [0] * 24)[0]
    read = {row for row in range(24) if any(torch.equal(rows[row], clip) for clip in found[0][0])}
    assert len(read) == len(found[0][0]) == 16
    assert read <= set(range(16))
