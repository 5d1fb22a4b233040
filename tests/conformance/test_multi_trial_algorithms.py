"""One suite over every multi-trial algorithm of `ALGORITHMS`, on every kind of space that it accepts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from audionas.search.strategy import load_strategy
from audionas.search.tabular_space import TableSpace
from audionas.search.trials import FILE_NAME, TrialLog
from audionas.spaces import Genotype
from tests.conformance.multi_trial import EPOCHS, NAMES, PAIRS, Told, proposals, search, space_of, strategy_of

ROOT = Path(__file__).parents[2]
# The first proposals for seed 0 on the first kind of space that the algorithm accepts. A record of our own sequence:
# a change here means that a run of an earlier version cannot be repeated, and stands in the CHANGELOG.
PERMANENCE: dict[str, tuple[str, str, str]] = {
    "catalogue": ("5e158cb96f36", "e1d67e465a79", "12dfc3636b8a"),
    "grid": ("486c5c246a07", "6db4e4036cd2", "c2807dd2b1b4"),
    "hyperband": ("d6fb02499f79", "fb7bebe12812", "60900f7dbb7c"),
    "local_search": ("777743b7b160", "10303cdadd53", "0810bf9c41aa"),
    "nsga2": ("cfbce4929694", "9a8d72a3e7d8", "65617d51c0d8"),
    "policy_gradient": ("5e81e532192e", "366a8492b5c7", "d91cc7e13e88"),
    "random": ("5f0ffe67a831", "83eb41d45b26", "9dabd8a27ec5"),
    "regularized_evolution": ("2cc3eab22e13", "c4fa2fd8f792", "ac85ce830ef6"),
    "successive_halving": ("36d4fe4bce16", "05736a32c563", "f9d139854965"),
    "tpe": ("ba9e0c86afcf", "86fe4acd557e", "8253c12d8e9a"),
    "zero_cost": ("fb980bb32704", "1db8e135c3b4", "c3bb68e6e386"),
}


@pytest.fixture(autouse=True)
def _nothing_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    def sleep(seconds: float) -> None:
        raise AssertionError(f"slept {seconds} s")

    monkeypatch.setattr(time, "sleep", sleep)
    monkeypatch.setattr(os, "fsync", lambda _: None)  # nobody kills the machine in a test


@pytest.mark.parametrize("name,kind", PAIRS)
def test_the_budget_is_used_up_and_every_candidate_is_of_the_space_and_trained_once(
    name: str, kind: str, tmp_path: Path
) -> None:
    space, told = space_of(kind), Told()
    runner = search(name, space, tmp_path, told)
    costs = [epochs * fraction / EPOCHS for _, epochs, fraction in told.seen]
    assert sum(costs) == pytest.approx(runner.spent)
    assert 16 - max(costs) < runner.spent < 16 + max(costs)
    assert len(set(told.seen)) == len(told.seen)
    for trial in runner.log.finished.values():
        space.check(space.genotype(trial.sample))


@pytest.mark.parametrize("name,kind", PAIRS)
def test_one_seed_gives_one_sequence_and_another_seed_another(name: str, kind: str) -> None:
    first = proposals(name, kind)
    assert proposals(name, kind) == first
    assert proposals(name, kind, seed=1) != first


@pytest.mark.slow
def test_a_fresh_process_proposes_the_same_whatever_its_hash_seed() -> None:
    here = {f"{name} {kind}": proposals(name, kind) for name, kind in PAIRS}
    path = {"PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)])}
    for hash_seed in ("random", "1"):
        found = subprocess.run(
            [sys.executable, "-m", "tests.conformance.multi_trial"], capture_output=True, text=True, check=False,
            cwd=ROOT, env=os.environ | path | {"PYTHONHASHSEED": hash_seed},
        )  # fmt: skip
        assert found.returncode == 0, found.stderr
        assert json.loads(found.stdout.splitlines()[-1]) == here


@pytest.mark.parametrize("name", NAMES)
def test_a_search_killed_at_any_line_goes_on_with_the_same_sequence(name: str, tmp_path: Path) -> None:
    space = space_of(dict(reversed(PAIRS))[name])
    whole = Told()
    search(name, space, tmp_path / "whole", whole, trials=10)
    lines = (tmp_path / "whole" / FILE_NAME).read_text().splitlines(keepends=True)
    for n_lines in range(len(lines) + 1):
        folder, rest = tmp_path / str(n_lines), Told()
        folder.mkdir()
        (folder / FILE_NAME).write_text("".join(lines[:n_lines]))
        n_finished = len(TrialLog(folder / FILE_NAME).finished)
        search(name, space, folder, rest, trials=10)
        assert rest.seen == whole.seen[n_finished:]
        assert TrialLog(folder / FILE_NAME).events == TrialLog(tmp_path / "whole" / FILE_NAME).events


@pytest.mark.parametrize("name,kind", PAIRS)
def test_failed_trials_never_win_and_stop_nothing(name: str, kind: str, tmp_path: Path) -> None:
    def fails(its_hash: str) -> bool:
        return int(its_hash[:4], 16) % 2 == 0

    runner = search(name, space_of(kind), tmp_path, Told(fails))
    ranked = runner.log.ranked("ua")
    failed = [trial for trial in runner.log.finished.values() if trial.status == "failed"]
    assert ranked
    assert failed
    assert not any(fails(trial.hash) for trial in ranked)
    assert runner.spent == pytest.approx(16, abs=1)


@pytest.mark.parametrize("name", NAMES)
def test_even_if_every_trial_fails_the_budget_ends_the_search(name: str, tmp_path: Path) -> None:
    runner = search(name, space_of(dict(reversed(PAIRS))[name]), tmp_path, Told(lambda _: True))
    assert runner.spent == pytest.approx(16, abs=1)
    assert runner.log.ranked("ua") == []


@pytest.mark.parametrize("name,kind", PAIRS)
def test_refused_candidates_cost_nothing_and_stop_nothing(name: str, kind: str, tmp_path: Path) -> None:
    def refuse(genotype: Genotype) -> str | None:
        return "over a limit" if int(genotype.hash[:4], 16) % 2 == 0 else None

    told = Told()
    runner = search(name, space_of(kind), tmp_path, told, refuse=refuse)
    assert runner.log.refused
    assert not {its_hash for its_hash, *_ in told.seen} & set(runner.log.refused)
    assert runner.spent == pytest.approx(16, abs=1)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "catalogue"])
def test_a_space_that_is_smaller_than_the_budget_is_searched_to_its_end(name: str, tmp_path: Path) -> None:
    space = TableSpace({"a": ("0", "1", "2"), "b": ("x", "y"), "c": ("only",)})
    told = Told()
    search(name, space, tmp_path, told, trials=1000)  # type: ignore[arg-type]
    assert len({its_hash for its_hash, *_ in told.seen}) == 6


@pytest.mark.parametrize("name", NAMES)
def test_the_first_proposals_for_seed_0_are_what_they_were(name: str) -> None:
    found = tuple(proposals(name, dict(reversed(PAIRS))[name], trials=3)[:3])
    assert name in PERMANENCE, f"write down the sequence of the new algorithm: {found}"
    assert found == PERMANENCE[name]


@pytest.mark.parametrize("name", NAMES)
def test_every_algorithm_has_a_shipped_strategy_that_cites_a_paper(name: str) -> None:
    assert strategy_of(name, 3).algorithm == name
    assert strategy_of(name, 3).source


def test_the_shipped_settings_are_those_that_the_benchmark_was_asked_for() -> None:
    # issue 5: evolution with a population of 20 and samples of 5, TPE with at most 20 start-up trials
    evolution, tpe = load_strategy("regularized_evolution").settings, load_strategy("tpe").settings
    assert (evolution["population"], evolution["sample"]) == (20, 5)
    assert int(tpe["startup_trials"]) <= 20
