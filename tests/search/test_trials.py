"""The trial log tells what was proposed, what finished and who won, after a kill too."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from audionas.errors import RunError
from audionas.search.evaluator import Score
from audionas.search.trials import Fidelity, Trial, TrialLog
from audionas.spaces import CnnGenotype, load_search_space
from audionas.training.losses import log_losses

SPACE = load_search_space("darts_cnn_small")


def genotype(seed: int) -> CnnGenotype:
    return SPACE.random(np.random.default_rng(seed))


def score(ua: float, parameters: int = 100, balanced_loss: float = 1.0) -> Score:
    return Score(ua, 0.5, 0.9, balanced_loss, parameters, 1.5)


def finish(log: TrialLog, number: int, found: Score | None, error: str | None = None) -> Trial:
    candidate = genotype(number)
    log.propose(number, candidate, SPACE.sample(candidate), epochs=3, seed=number)
    status = "done" if found else "failed"
    trial = Trial(number, candidate.hash, SPACE.sample(candidate), status, found, error, Fidelity(3))
    log.finish(trial)
    return trial


def test_finished_trials_come_back_after_a_restart(tmp_path: Path) -> None:
    log = TrialLog(tmp_path / "trials.jsonl")
    trials = {n: finish(log, n, s, e) for n, s, e in ((0, score(0.5), None), (1, None, "loss is nan"))}
    assert TrialLog(tmp_path / "trials.jsonl").finished == trials


def test_a_trial_killed_before_it_finished_and_a_torn_line_are_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    log = TrialLog(path)
    finish(log, 0, score(0.5))
    log.propose(1, genotype(1), SPACE.sample(genotype(1)), epochs=3, seed=1)
    with path.open("a") as stream:
        stream.write('{"event": "finished", "number": 1, "st')
    again = TrialLog(path)
    assert set(again.finished) == {0}
    finish(again, 1, score(0.6))
    assert set(TrialLog(path).finished) == {0, 1}


@pytest.mark.parametrize(
    "old,new,why",
    [
        ('"event": "proposed"', '"evnt": "proposed"', "line 1 is none of this log: key 'event' is missing"),
        ('"event": "proposed"', '"event": "propsed"', "line 1 is none of this log: event: got 'propsed', must be"),
        ('"hash"', '"hsh"', "line 1 is none of this log: key 'hash' is missing"),
        ('"number": 0, "status"', '"number": 7, "status"', "line 2 is none of this log: trial 7 ends before it is"),
        ('"sample": {', '"sample": {"n": 3, ', "line 1 is none of this log: sample.n: got 3, must be text"),
        ('"status": "done"', '"status": "dine"', "line 2 is none of this log: status: got 'dine', must be 'done' or"),
        ('"loss": 0.9', '"loss": "low"', "line 2 is none of this log: score: loss: got 'low', must be a number"),
        ('"ua"', '"au"', "line 2 is none of this log: StopIteration: "),
        ('"epochs": 3', '"epochs": NaN', r"line 1 is not JSON \(NaN is not a JSON number\)"),
    ],
)
def test_a_log_that_was_edited_is_one_line_and_stays_as_it_is(tmp_path: Path, old: str, new: str, why: str) -> None:
    path = tmp_path / "trials.jsonl"
    finish(TrialLog(path), 0, score(0.5))
    path.write_text(path.read_text().replace(old, new))
    before = path.read_bytes()
    with pytest.raises(RunError, match=f"trials.jsonl: {why}"):
        TrialLog(path)
    assert path.read_bytes() == before


def test_a_proposal_says_all_that_is_needed_to_run_it_again(tmp_path: Path) -> None:
    log = TrialLog(tmp_path / "trials.jsonl")
    finish(log, 0, score(0.5))
    proposed, finished = map(json.loads, (tmp_path / "trials.jsonl").read_text().splitlines())
    assert (proposed["event"], proposed["epochs"], proposed["seed"]) == ("proposed", 3, 0)
    assert SPACE.genotype(proposed["sample"]).hash == proposed["hash"] == genotype(0).hash
    assert (finished["event"], finished["status"], finished["seconds"]) == ("finished", "done", 1.5)
    assert finished["score"]["ua"] == 0.5


@pytest.mark.parametrize(
    "scores,objective,winner",
    [
        ([score(0.5), score(0.7), score(0.6)], "ua", 1),
        ([score(0.9, balanced_loss=1.2), score(0.1, balanced_loss=0.8)], "balanced_loss", 1),
        ([score(0.5, 300), score(0.5, 200), score(0.5, 200)], "ua", 1),  # fewer parameters, then the earlier
        ([None, score(0.1)], "ua", 1),
    ],
)
def test_the_best_trial_wins_and_ties_go_to_the_smaller_and_earlier(
    tmp_path: Path, scores: list[Score | None], objective: str, winner: int
) -> None:
    log = TrialLog(tmp_path / "trials.jsonl")
    for number, found in enumerate(scores):
        finish(log, number, found)
    assert log.ranked(objective)[0].number == winner


def test_without_a_trial_that_succeeded_there_is_no_winner(tmp_path: Path) -> None:
    log = TrialLog(tmp_path / "trials.jsonl")
    assert log.ranked("ua") == []
    finish(log, 0, None, "out of memory")
    assert log.ranked("ua") == []


def test_an_architecture_that_was_met_again_is_ranked_once_as_its_first_trial(tmp_path: Path) -> None:
    log = TrialLog(tmp_path / "trials.jsonl")
    trials = [finish(log, number, score(ua)) for number, ua in enumerate((0.5, 0.7, 0.6))]
    log.finish(replace(trials[1], number=3, error="same cell as trial 1"))
    assert [trial.number for trial in log.ranked("ua")] == [1, 2, 0]


def test_losses_are_cross_entropies_over_clips_and_over_classes() -> None:
    truth = np.array([0, 0, 0, 1])
    scores = np.array([[0.5, 0.5], [0.25, 0.75], [1.0, 0.0], [0.2, 0.8]])
    each = [np.log(2), np.log(4), 0.0, -np.log(0.8)]
    assert log_losses(truth, scores) == pytest.approx((np.mean(each), (np.mean(each[:3]) + each[3]) / 2))


def test_a_score_of_zero_probability_stays_finite() -> None:
    assert max(log_losses(np.array([1]), np.array([[1.0, 0.0]]))) == pytest.approx(-np.log(1e-12))
