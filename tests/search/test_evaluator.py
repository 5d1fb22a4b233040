"""A candidate under inner folds: trained once a fold on the others, scored on the pooled held-out predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import log_loss, recall_score

from audionas.search.evaluator import DivergedError, SearchData, TrainingEvaluator
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
        found["rows"].append(set(np.asarray(batches(lambda: 0)._rows).tolist()))
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
