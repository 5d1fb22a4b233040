"""Catalogue search on NNI: order, failures, resume after a kill, and that a repeated recipe is not run twice."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audionas.errors import RunError, SettingsError
from audionas.search.evaluator import Score, SearchData, TrainingEvaluator
from audionas.search.run import run_search
from audionas.search.strategy import Strategy, load_strategy
from audionas.search.trials import TrialLog
from audionas.spaces import Genotype, load_search_space
from audionas.spaces.recurrent_catalogue import RecurrentCatalogueSpace
from audionas.training.fit import NonFiniteLossError
from audionas.training.recipe import RECURRENT
from audionas.training.tasks import TASKS
from tests.training.toys import toy_manifest, toy_tensors

SPACE = load_search_space("nas_bench_nlp_catalogue")


class Told:
    """Stands for training: a candidate's loss is drawn from its hash; some diverge; `kill_at` dies in a trial."""

    def __init__(self, diverging: int = 0, kill_at: int | None = None) -> None:
        self.seen: list[str] = []
        self.diverging, self.kill_at = diverging, kill_at

    def evaluate(self, genotype: Genotype, *, epochs: int, seed: int) -> Score:
        if len(self.seen) == self.kill_at:
            raise KeyboardInterrupt
        self.seen.append(genotype.hash)
        if len(self.seen) <= self.diverging:
            raise NonFiniteLossError("epoch 0: the training loss is nan")
        loss = int(genotype.hash[:8], 16) / 2**32
        return Score(0.5, 0.5, loss, loss, 10, 0.1, 0)


def strategy(trials: int, start: str = "random") -> Strategy:
    return load_strategy("catalogue").with_budget(epochs=1, trials=trials).replace(settings={"start": start})


def run(evaluator: Any, path: Path, trials: int, start: str = "random", seed: int = 0) -> Any:
    return run_search(SPACE, strategy(trials, start), evaluator, seed=seed, run=path)


def test_the_lowest_validation_loss_wins(tmp_path: Path) -> None:
    told = Told()
    found = run(told, tmp_path, 12)
    assert len(set(told.seen)) == 12
    assert found.genotype.hash == min(told.seen)
    assert found.stopped_by == "budget"
    SPACE.check(found.genotype)


def test_one_seed_draws_one_order_and_another_seed_another(tmp_path: Path) -> None:
    orders = []
    for number, seed in enumerate((0, 0, 1)):
        told = Told()
        run(told, tmp_path / str(number), 8, seed=seed)
        orders.append(told.seen)
    assert orders[0] == orders[1] != orders[2]


def test_the_best_on_text_come_first_when_asked_for(tmp_path: Path) -> None:
    assert isinstance(SPACE, RecurrentCatalogueSpace)
    told = Told()
    run(told, tmp_path, 6, "best_on_text")
    losses = {SPACE.genotype({"recipe": name}).hash: loss for name, loss in SPACE.text_losses().items()}
    given = [loss for loss in losses.values() if loss is not None]
    assert [losses[each] for each in told.seen] == sorted(given)[:6]


def test_a_random_order_reaches_far_into_the_catalogue(tmp_path: Path) -> None:
    # NNI shuffles a hundred candidates at a time: then none of the last 165 would be among the first 60
    assert isinstance(SPACE, RecurrentCatalogueSpace)
    told = Told()
    run(told, tmp_path, 60)
    late = {SPACE.genotype({"recipe": name}).hash for name in SPACE.choices()["recipe"][100:]}
    assert len(late & set(told.seen)) > 15  # 37 expected


def test_a_diverging_candidate_is_a_failed_trial_and_never_wins(tmp_path: Path) -> None:
    told = Told(diverging=3)
    found = run(told, tmp_path, 8)
    log = TrialLog(tmp_path / "trials.jsonl")
    assert [trial.status for trial in log.finished.values()] == ["failed"] * 3 + ["done"] * 5
    assert "training loss is nan" in str(log.finished[0].error)
    assert found.genotype.hash == min(told.seen[3:])
    with pytest.raises(RunError, match="none of 3 trials succeeded"):
        run(Told(diverging=3), tmp_path / "all", 3)


def test_a_killed_search_goes_on_and_loses_the_candidate_under_way_at_most(tmp_path: Path) -> None:
    whole = Told()
    expected = run(whole, tmp_path / "whole", 10)
    with pytest.raises(KeyboardInterrupt):
        run(Told(kill_at=4), tmp_path / "killed", 10)
    rest = Told()
    found = run(rest, tmp_path / "killed", 10)
    assert rest.seen == whole.seen[4:]
    assert (found.genotype, found.epoch_or_trial) == (expected.genotype, expected.epoch_or_trial)


def test_a_start_that_is_not_known_names_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"settings.start: got 'best'; accepted: random, best_on_text"):
        run(Told(), tmp_path, 2, "best")


# --- one candidate, trained for real ---


def evaluator(**settings: Any) -> TrainingEvaluator:
    rows = tuple(range(24))
    data = SearchData(
        toy_manifest(),
        toy_tensors(),
        {"train": rows[:16], "validation": rows[16:]},
        (1, 8, 12),
        TASKS["classification"],
    )
    return TrainingEvaluator(data, RECURRENT, objective="loss", **settings)


def candidate() -> Genotype:
    macro = SPACE.macro.model_copy(update={"hidden": 8})
    return replace(SPACE.random(np.random.default_rng(0)), macro=macro)  # type: ignore[call-overload, no-any-return]


def test_the_best_epoch_is_never_worse_than_the_last_and_says_which_it_is() -> None:
    last = evaluator().evaluate(candidate(), epochs=4, seed=1)
    best = evaluator(score_epoch="best").evaluate(candidate(), epochs=4, seed=1)
    assert last.epoch == 3
    assert best.epoch is not None
    assert best.loss <= last.loss
    assert best.epoch < 3 or best.loss == pytest.approx(last.loss)


def test_a_loss_far_above_that_of_guessing_stops_the_candidate() -> None:
    wild = RECURRENT.model_copy(update={"optimiser": "sgd", "learning_rate": 1000.0, "min_learning_rate": 1000.0})
    trained = replace(evaluator(stop_diverging=2.0), recipe=wild)
    with pytest.raises(NonFiniteLossError, match=rf"above {2 * math.log(2):.3g}, it diverges|loss is (nan|inf)"):
        trained.evaluate(candidate(), epochs=30, seed=0)
