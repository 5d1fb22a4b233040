"""Searches by trials: what is logged, what wins, and that no test speaker is read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audionas.audio.folds import find_split
from audionas.audio.manifest import Manifest
from audionas.experiment.search import SearchRequest, search
from audionas.spaces.genotype_file import read_genotype_file

Request = Callable[..., SearchRequest]


def _json(path: Path) -> Any:
    return json.loads(path.read_text())


def test_random_search_logs_and_ranks_its_trials(request_for: Request) -> None:
    run = search(request_for(strategy="random", trials=4, epochs=1, retest=0))
    lines = [json.loads(line) for line in (run / "trials.jsonl").read_text().splitlines()]
    done = [line for line in lines if line["event"] == "finished"]
    assert [line["number"] for line in done] == [0, 1, 2, 3]
    best = min(done, key=lambda line: (line["score"]["balanced_loss"], line["score"]["parameters"], line["number"]))
    assert read_genotype_file(run / "genotype.json").provenance["epoch_or_trial"] == best["number"]


class Listening:
    """Keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)

    warn = say

    def progress(self, what: str, done: int, total: int) -> None:
        """Nothing."""


@pytest.mark.parametrize("inner_folds", [0, 2])
def test_the_best_trials_are_re_tested_and_no_score_of_a_trial_is_given_as_a_result(
    request_for: Request, inner_folds: int
) -> None:
    talk = Listening()
    run = search(request_for(strategy="random", trials=6, epochs=1, inner_folds=inner_folds), talk)
    lines = [json.loads(line) for line in (run / "retests.jsonl").read_text().splitlines()]
    done = [line for line in lines if line["event"] == "finished"]
    assert len(done) == 3
    best = min(done, key=lambda line: (line["score"]["balanced_loss"], line["score"]["parameters"], line["number"]))
    record = _json(run / "run.json")
    assert read_genotype_file(run / "genotype.json").provenance["epoch_or_trial"] == best["number"]
    assert (record["winner"]["trial"], record["winner"]["retest"]) == (best["number"], best["score"]["balanced_loss"])
    assert (record["retests"], record["inner_folds"], record["winner"]["n_retested"]) == (3, inner_folds, 3)
    assert "redrawn" in record["retest_division"]["how"]
    each = ", each trained 2 times (inner folds)" if inner_folds else ""
    n_trainings = 18 if inner_folds else 9
    assert f"6 trials of 1 epoch{each}; then the best 3 are re-tested: {n_trainings} trainings" in talk.lines
    assert "no result: `audionas retrain`" in talk.lines[-1]
    assert all("validation" in line for line in talk.lines if line.startswith(("trial", "re-test 1")))


def test_no_training_of_trials_or_re_tests_reads_a_test_speaker(
    request_for: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    from audionas.training import batches

    read: list[int] = []
    fit, crop, at = batches.Normaliser.fit, batches.ClipTensors.crop, batches.ClipTensors.at

    def spy_fit(features: Any, rows: Any, *more: Any) -> Any:
        read.extend(rows)
        return fit(features, rows, *more)

    def spy_crop(self: Any, rows: Any, rng: Any) -> Any:
        read.extend(rows)
        return crop(self, rows, rng)

    def spy_at(self: Any, rows: Any, starts: Any) -> Any:
        read.extend(rows)
        return at(self, rows, starts)

    monkeypatch.setattr(batches.Normaliser, "fit", staticmethod(spy_fit))
    monkeypatch.setattr(batches.ClipTensors, "crop", spy_crop)
    monkeypatch.setattr(batches.ClipTensors, "at", spy_at)
    run = search(request_for(strategy="random", trials=4, epochs=1, inner_folds=2, exclude_fold="2"))
    split = find_split(Manifest.read(run), "2")
    assert set(map(int, read)) == set(split.search)


def test_a_trial_whose_loss_is_not_finite_fails_and_never_wins(
    request_for: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    from audionas.search import evaluator
    from audionas.training.fit import NonFiniteLossError

    real, calls = evaluator.fit, []

    def fit(*arguments: Any, **words: Any) -> Any:
        calls.append(1)
        if len(calls) == 1:
            raise NonFiniteLossError("epoch 0: the training loss is nan")
        return real(*arguments, **words)

    monkeypatch.setattr(evaluator, "fit", fit)
    run = search(request_for(strategy="random", trials=2, epochs=1))
    done = [json.loads(line) for line in (run / "trials.jsonl").read_text().splitlines() if "finished" in line]
    assert [line["status"] for line in done] == ["failed", "done"]
    assert "nan" in done[0]["error"]
    assert read_genotype_file(run / "genotype.json").provenance["epoch_or_trial"] == 1
