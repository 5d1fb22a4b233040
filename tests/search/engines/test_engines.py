"""Which engine may do what; wrong requests are one line."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest

from audionas.errors import SettingsError
from audionas.search.engines import ENGINES, EngineOptions, check_engine, make_engine
from audionas.search.engines.contract import Job
from audionas.search.engines.work import work
from audionas.search.evaluator import Score
from tests.search.engines.trials_that_go_wrong import GENOTYPE, job


@pytest.mark.parametrize(
    "engine,options,error",
    [
        ("proces_pool", {}, r"unknown engine 'proces_pool' \(did you mean 'process_pool'\?\); known: in_process, "),
        ("in_process", {"workers": 2}, "--engine in_process: runs one trial after another"),
        ("in_process", {"timeout_s": 3.0}, "--workers and --timeout are for process_pool and ray"),
        ("in_process", {"address": "auto"}, "--address for ray"),
        ("process_pool", {"workers": 0}, "--workers: got 0, must be 1 to 1024"),
        ("process_pool", {"workers": 1025}, "--workers: got 1025, must be 1 to 1024"),
        ("process_pool", {"timeout_s": 0.0}, "--timeout: got 0, must be seconds above 0"),
        ("process_pool", {"timeout_s": float("nan")}, "--timeout: got nan, must be seconds above 0"),
        ("process_pool", {"address": "auto"}, "--address: is for --engine ray"),
        ("ray", {"workers": -1}, "--workers: got -1, must be 1 to 1024"),
    ],
)
def test_a_wrong_request_is_one_line(engine: str, options: dict[str, Any], error: str) -> None:
    for refuse in (
        lambda: check_engine(engine, EngineOptions(**options), "random", "multi-trial"),
        lambda: make_engine(engine, None, EngineOptions(**options)),  # type: ignore[arg-type]
    ):
        with pytest.raises(SettingsError, match=error) as caught:
            refuse()
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("engine", [name for name in ENGINES if name != "in_process"])
def test_a_supernet_is_trained_here_or_not_at_all(engine: str) -> None:
    with pytest.raises(SettingsError, match=rf"--engine {engine}: strategy 'darts' is one-shot .* leave --engine out"):
        check_engine(engine, EngineOptions(2), "darts", "one-shot")
    check_engine("in_process", EngineOptions(), "darts", "one-shot")


def test_without_ray_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(SettingsError, match=r"Ray is not installed; install it with: pip install 'audionas\[ray\]'"):
        check_engine("ray", EngineOptions(2), "random", "multi-trial")


class Scores:
    """Gives one score."""

    def __init__(self, **numbers: float) -> None:
        self._numbers = numbers

    def evaluate(self, genotype: object, *, epochs: int, seed: int, fraction: float = 1.0) -> Score:
        return Score(
            **({"ua": fraction, "wa": 0.5, "loss": 1.0, "balanced_loss": 1.0} | self._numbers), parameters=1, seconds=1
        )  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["ua", "wa", "loss", "balanced_loss"])
@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_score_that_is_no_number_is_a_failed_trial(name: str, number: float) -> None:
    outcome = work(Scores(**{name: number}), job(3))
    assert (outcome.number, outcome.status) == (3, "failed")
    assert outcome.error == f"a score is not finite: {name} is {number}"


def test_a_share_of_the_clips_is_passed_on_where_it_is_one() -> None:
    found = work(Scores(), Job(0, GENOTYPE, 1, 0, 0.25)).score
    assert found is not None
    assert found.ua == 0.25
