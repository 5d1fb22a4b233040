"""The sentences at the top: what is claimed, and what is said plainly."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from audionas.report import verdict as verdicts
from audionas.report.run_files import read_run
from audionas.report.verdict import LOGISTIC, verdict
from audionas.training import functionals_svm, plain_baselines, plain_regression


def _with_headline(run: Path, **changes: Any) -> list[str]:
    path = run / "retrained" / "metrics.json"
    metrics = json.loads(path.read_text())
    metrics["headline"] |= changes
    path.write_text(json.dumps(metrics))
    return verdict(read_run(run))


def test_the_names_of_plain_systems_are_those_that_retraining_writes() -> None:
    assert LOGISTIC == plain_baselines.LOGISTIC
    assert (verdicts.RIDGE, verdicts.SVM, verdicts.SVR) == (
        plain_regression.RIDGE,
        functionals_svm.SVM,
        functionals_svm.SVR,
    )


def test_the_plain_system_to_beat_is_the_better_of_those_that_hear_the_clips() -> None:
    def strongest(task: str, main: str, **scores: float) -> str:
        names = {
            "guess": "majority class",
            "same": LOGISTIC,
            "ridge": verdicts.RIDGE,
            "svm": verdicts.SVM,
            "svr": verdicts.SVR,
        }
        rows = [{"name": names[key], main: value} for key, value in scores.items()]
        return verdicts.strongest_plain({"task": task, "baselines": {"headline": rows}})

    assert strongest("classification", "ua", guess=0.9, same=0.5, svm=0.6) == verdicts.SVM
    assert strongest("classification", "ua", guess=0.9, same=0.5, svm=0.5) == LOGISTIC
    assert strongest("regression", "ccc", ridge=-0.1, svr=-0.2) == verdicts.RIDGE
    assert strongest("regression", "ccc", ridge=0.1, svr=0.2) == verdicts.SVR
    assert strongest("classification", "ua", guess=0.9) == LOGISTIC


def test_a_clear_win_is_stated_with_seeds_clips_and_speakers(search_run: Path) -> None:
    assert _with_headline(search_run, ua=0.61, ua_sd=0.02)[0] == (
        "The network found in the space darts_cnn_small with the strategy darts_small_data on emodb reaches "
        "pooled UA 0.610 ± 0.020 (mean ± sd over 3 seeds; 24 test clips, 2 speakers) and beats "
        "logistic regression on mean + sd of the features (0.500)."
    )


def test_a_win_from_too_few_speakers_for_a_claim_is_told_of_these_clips_alone(search_run: Path) -> None:
    first = _with_headline(search_run, ua=0.61, ua_sd=0.02, claim="no claim about speakers is possible")[0]
    assert first.endswith(", above logistic regression on mean + sd of the features (0.500) on these clips.")
    assert "beats" not in first


@pytest.mark.parametrize("ua", [0.5, 0.41])
def test_the_first_sentence_says_so_when_the_plain_system_is_not_beaten(search_run: Path, ua: float) -> None:
    first = _with_headline(search_run, ua=ua, ua_sd=0.02)[0]
    assert "does not beat logistic regression on mean + sd of the features (0.500): pooled UA" in first


def test_a_win_within_the_sd_is_not_called_one(search_run: Path) -> None:
    first = _with_headline(search_run, ua=0.51, ua_sd=0.02)[0]
    assert "above logistic regression on mean + sd of the features (0.500) by less than the sd over seeds" in first


def test_one_seed_has_no_sd(search_run: Path) -> None:
    first = _with_headline(search_run, ua=0.7, ua_sd=None, seeds=[0])[0]
    assert "pooled UA 0.700 (one seed; 24 test clips, 2 speakers)" in first


def test_unchecked_speaker_independence_stands_in_the_first_sentence(runs: SimpleNamespace, tmp_path: Path) -> None:
    run = runs.search(tmp_path / "run", is_checked=False)
    assert "speaker independence not checked" in verdict(read_run(run))[0]
    runs.retraining(run / "retrained", is_checked=False)
    first = verdict(read_run(run))[0]
    assert "speaker independence not checked" in first
    assert "speakers)" not in first


def test_seen_folds_are_named_and_kept_out(runs: SimpleNamespace, tmp_path: Path) -> None:
    run = runs.search(tmp_path / "run")
    runs.retraining(run / "retrained", splits=("1", "2", "3"), seen=("2", "3"))
    first, second = verdict(read_run(run))
    assert "24 test clips, 2 speakers" in first
    assert (
        second == "Folds 2, 3 were seen by the search: scored, but kept out of the headline and marked in the tables."
    )


def test_without_a_clean_fold_there_is_no_clean_score(runs: SimpleNamespace, tmp_path: Path) -> None:
    run = runs.search(tmp_path / "run")
    runs.retraining(run / "retrained", seen=("1",))
    first, second = verdict(read_run(run))
    assert "has no clean score, because the search has seen every test fold: pooled UA" in first
    assert first.endswith("is optimistic.")
    assert second == "Fold 1 was seen by the search: scored all the same and marked in the tables."


def test_a_finished_search_says_how_to_score_it(runs: SimpleNamespace, tmp_path: Path) -> None:
    run = runs.search(tmp_path / "my run")
    first, second = verdict(read_run(run))
    assert first == (
        "The search in the space darts_cnn_small with the strategy darts_small_data on emodb (118 clips, "
        "10 speakers) found a genotype; there is no retrained score yet."
    )
    assert second == f"To score it: audionas retrain '{run}'"


@pytest.mark.parametrize(
    "status, words",
    [
        ("running", "is not finished (after 4 of 20 epochs); to finish it, unless it is running now: "),
        ("interrupted", "was interrupted (after 4 of 20 epochs); to finish it: "),
        ("failed", "was stopped by an error (after 4 of 20 epochs); to finish it: "),
    ],
)
def test_an_unfinished_search_says_so_and_how_to_go_on(
    runs: SimpleNamespace, tmp_path: Path, status: str, words: str
) -> None:
    run = runs.search(tmp_path / "run", status=status, n_epochs=4, has_genotype=False)
    first, second = verdict(read_run(run))
    assert "has found no final genotype" in first
    assert second == f"The search {words}audionas search --resume {run}"


def test_a_nested_search_counts_its_genotypes(runs: SimpleNamespace, tmp_path: Path) -> None:
    run = runs.nested(tmp_path / "run", status="interrupted")
    first, second = verdict(read_run(run))
    assert "found 2 of 3 genotypes, one a test fold" in first
    assert second.startswith("The search of split 3 was interrupted (after 4 of 20 epochs)")


def test_a_retraining_without_scores_says_so(runs: SimpleNamespace, tmp_path: Path) -> None:
    run = runs.retraining(tmp_path / "run", status="interrupted", has_metrics=False)
    assert verdict(read_run(run)) == [
        "Retraining of a genotype on emodb (118 clips, 10 speakers): no score yet.",
        "The retraining was interrupted.",
    ]


CHANCE = {"p": 0.3127, "permutations": 9999, "how": "labels permuted within each of 10 groups"}


def test_a_score_that_is_not_above_chance_says_so_first_whatever_it_beats(search_run: Path) -> None:
    first = _with_headline(search_run, ua=0.61, wa=0.84, chance=CHANCE, verdict="not above chance")[0]
    assert first.startswith("Not above chance (p 0.31): the network found in the space darts_cnn_small")
    assert "beats" not in first


def test_a_score_above_chance_has_its_interval_in_the_first_sentence(search_run: Path) -> None:
    first = _with_headline(
        search_run, ua=0.61, ua_sd=0.02, ua_interval=[0.55, 0.67], chance=CHANCE | {"p": 0.001}, verdict="above chance"
    )[0]
    assert "pooled UA 0.610 ± 0.020 (95 % interval 0.550 to 0.670; mean ± sd over 3 seeds; 24 test clips" in first
    assert "chance" not in first


def test_why_there_is_no_claim_about_speakers_is_a_sentence_of_its_own(search_run: Path) -> None:
    claim = "no claim about speakers is possible from 2 groups: it takes 6 (the smallest p of 2 is 0.5)"
    found = _with_headline(search_run, claim=claim)
    assert found[-1] == f"N{claim[1:]}."


def test_without_a_clean_fold_a_score_not_above_chance_says_so_too(runs: SimpleNamespace, tmp_path: Path) -> None:
    run = runs.search(tmp_path / "run")
    path = runs.retraining(run / "retrained", seen=("1",)) / "metrics.json"
    metrics = json.loads(path.read_text())
    metrics["all_splits"] |= {"chance": CHANCE, "verdict": "not above chance"}
    path.write_text(json.dumps(metrics))
    first = verdict(read_run(run))[0]
    assert first.startswith("Not above chance (p 0.31): the network found")
    assert "has no clean score" in first
