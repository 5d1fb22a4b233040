"""Restarts: the same parts under other seeds, one genotype handed on by a rule, nothing done twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audionas.audio.manifest import Manifest
from audionas.errors import SettingsError
from audionas.experiment import restarts as module
from audionas.experiment import search as steps
from audionas.experiment.decision import decision_lines, decisions
from audionas.experiment.prepare import PrepareOptions
from audionas.experiment.restarts import BY_MONITOR, FIRST, search_restarts
from audionas.experiment.run_folder import RunFolder
from audionas.experiment.search import SearchRequest, divide_search_clips, resume, search
from audionas.experiment.talk import Silent, Talk
from audionas.search import load_strategy
from audionas.spaces import CnnGenotype, load_search_space
from audionas.spaces.cnn_cell import CnnCellSpace
from audionas.spaces.genotype_file import read_genotype_file, save_genotype

Request = Callable[..., SearchRequest]
SearchOne = Callable[[RunFolder, Talk], None]


@pytest.fixture
def request_for(tiny_corpus: Path, tiny_space: Path, tmp_path: Path) -> Request:
    def make(**changes: Any) -> SearchRequest:
        fields: dict[str, Any] = {
            "data": tiny_corpus, "space": str(tiny_space), "epochs": 1, "threads": 1, "out": tmp_path / "run",
            "preparation": PrepareOptions(group_from="^(s[0-9])", folds="3"),
        }  # fmt: skip
        return SearchRequest(**(fields | changes))

    return make


def _json(path: Path) -> Any:
    return json.loads(path.read_text())


def _alphas(run: Path) -> Any:
    return json.loads((run / "epochs.jsonl").read_text().splitlines()[-1])["alphas"]


@pytest.mark.slow
def test_restarts_have_other_seeds_and_the_parts_of_the_first(
    request_for: Request, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen = []
    real = steps.run_search

    def spy(space: Any, strategy: Any, evaluator: Any, *more: Any, **words: Any) -> Any:
        seen.append((words["seed"], evaluator.data.parts))
        return real(space, strategy, evaluator, *more, **words)

    monkeypatch.setattr(steps, "run_search", spy)
    run = search(request_for(restarts=3, seed=4))
    assert [seed for seed, _ in seen] == [4, 5, 6]
    assert all(parts == seen[0][1] for _, parts in seen)
    manifest = Manifest.read(run)
    split = steps.find_split(manifest, "1")
    redrawn = [divide_search_clips(manifest, split, load_strategy("darts_small_data"), seed) for seed in (5, 6)]
    assert any(parts != seen[0][1] for parts in redrawn), "else this test could not tell"
    alone = search(request_for(seed=4, out=tmp_path / "alone"))
    assert _alphas(run / "restart_1") == _alphas(alone)
    assert _alphas(run / "restart_2") != _alphas(alone)


def test_a_run_with_restarts_leaves_what_any_search_leaves(request_for: Request) -> None:
    run = search(request_for(restarts=2))
    record = _json(run / "run.json")
    assert record["status"] == "done"
    assert record["input_shape"] == [1, 8, 8]
    assert set(record["parts"]) == {"weights", "alphas"}
    assert record["chosen_restart"] == 1, "six speakers leave no monitor part"
    assert (run / "genotype.json").read_bytes() == (run / "restart_1" / "genotype.json").read_bytes()
    assert record["genotype_hash"] == read_genotype_file(run / "genotype.json").genotype.hash
    assert any(line.startswith("restart 2: ") for line in record["warnings"])
    assert list(decisions(run)) == ["1"]
    assert "2 restarts found" in decision_lines(run)[0]


@pytest.mark.slow
def test_restarts_of_a_nested_search_lie_in_each_split(request_for: Request) -> None:
    run = search(request_for(restarts=2, nested=True))
    for name in "123":
        for number in "12":
            folder = run / f"split_{name}" / f"restart_{number}"
            assert read_genotype_file(folder / "genotype.json").provenance["split_left_out"] == name
    assert "of 3 searches" in decision_lines(run)[0]
    assert "restarts of a split share" in decision_lines(run)[0]
    assert list(decisions(run)) == ["1", "2", "3"]


def test_restarts_of_a_search_by_trials_hand_on_the_first_and_have_no_verdict(request_for: Request) -> None:
    run = search(request_for(strategy="random", trials=4, restarts=2))
    decided = _json(run / "run.json")["decided"]
    assert decided["restarts"]["chosen_by"] == FIRST
    assert decided["restarts"]["agreement"] is not None
    assert "verdict" not in decided
    logs = [(run / f"restart_{k}" / "trials.jsonl").read_text().splitlines() for k in (1, 2)]
    samples = [[line.get("sample") for line in map(json.loads, log)] for log in logs]
    assert samples[0] != samples[1]


def test_a_search_without_restarts_records_its_margins_and_gap(request_for: Request) -> None:
    run = search(request_for(epochs=2))
    decided, last = _json(run / "run.json")["decided"], json.loads((run / "epochs.jsonl").read_text().splitlines()[-1])
    margins = last["margins"]["normal"] + last["margins"]["reduce"]
    assert decided["margin_median"] == pytest.approx(float(np.median(margins)))
    assert decided["discretisation_gap"] == pytest.approx(last["supernet_ua"] - last["network_ua"])
    assert "restarts" not in decided
    assert not list(run.glob("restart_*"))


def test_a_search_by_trials_without_restarts_says_nothing(request_for: Request) -> None:
    run = search(request_for(strategy="random", trials=1))
    assert decision_lines(run) == []


def test_no_restart_is_refused(request_for: Request, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--restarts: got 0, must be 1 or more"):
        search(request_for(restarts=0))
    assert not (tmp_path / "run").exists()


# What follows needs no search: a made-up one leaves a genotype and a score.


@pytest.fixture
def run_of(tiny_space: Path, tmp_path: Path) -> Callable[[int], RunFolder]:
    def make(n: int) -> RunFolder:
        path = tmp_path / "made_up"
        path.mkdir()
        for name in module.INPUTS:
            (path / name).write_text("")
        (path / "space.yaml").write_text(tiny_space.read_text())
        return RunFolder.create(path, "search", ["search"], split="1", seed=7, restarts=n)

    return make


def _search_one(space: CnnCellSpace, uas: list[float], scored_on: str = "monitor") -> SearchOne:
    def make(run: RunFolder, talk: Talk) -> None:
        assert run.record["parts_seed"] == 7
        number = run.record["restart"]
        save_genotype(_genotype(space, number), run.path / "genotype.json", {})
        run.warn("alarm")
        talk.say("made up")
        run.save(
            input_shape=[1, 8, 8], decided={"verdict": "decided", "scored_on": scored_on, "network_ua": uas[number - 1]}
        )

    return make


def _genotype(space: CnnCellSpace, number: int) -> CnnGenotype:
    op = {1: "skip_connect", 2: "max_pool_3x3", 3: "skip_connect"}[number]
    return space.make(((op, 0), ("sep_conv_3x3", 1)), (("sep_conv_3x3", 0), ("sep_conv_3x3", 1)))


@pytest.fixture
def space(tiny_space: Path) -> CnnCellSpace:
    found = load_search_space(tiny_space)
    assert isinstance(found, CnnCellSpace)
    return found


@pytest.mark.parametrize(
    "uas,scored_on,chosen,rule",
    [
        ([0.4, 0.6, 0.5], "monitor", 2, BY_MONITOR.format("UA")),
        ([0.5, 0.6, 0.6], "monitor", 2, BY_MONITOR.format("UA")),
        ([0.4, 0.6, 0.5], "used by the search", 1, FIRST),
    ],
)
def test_the_monitor_part_chooses_the_restart_else_it_is_the_first(
    run_of: Callable[[int], RunFolder], space: CnnCellSpace, uas: list[float], scored_on: str, chosen: int, rule: str
) -> None:
    run = run_of(3)
    search_restarts(run, Silent(), _search_one(space, uas, scored_on))
    assert run.record["chosen_restart"] == chosen
    assert run.record["decided"]["restarts"]["chosen_by"] == rule
    assert run.record["decided"]["network_ua"] == uas[chosen - 1]
    assert read_genotype_file(run.path / "genotype.json").genotype.hash == _genotype(space, chosen).hash


def test_the_agreement_of_restarts_is_recorded_by_cell(run_of: Callable[[int], RunFolder], space: CnnCellSpace) -> None:
    run = run_of(3)
    search_restarts(run, Silent(), _search_one(space, [0.1, 0.2, 0.3]))
    found = run.record["decided"]["restarts"]
    assert found["different_genotypes"] == 2
    assert found["same_genotype"] == pytest.approx(1 / 3)
    assert found["agreement_by_cell"] == {"normal": pytest.approx((0.5 + 1 + 0.5) / 3), "reduce": 1.0}
    assert found["agreement"] == pytest.approx((2 / 3 + 1) / 2)
    assert found["agreement_by_chance"] == pytest.approx(1 / 3), "both inputs are kept, one of three operations"
    assert [row["seed"] for row in found["each"]] == [7, 8, 9]
    assert run.record["warnings"] == ["restart 1: alarm", "restart 2: alarm", "restart 3: alarm"]


def test_finished_restarts_are_not_repeated(run_of: Callable[[int], RunFolder], space: CnnCellSpace) -> None:
    run, begun = run_of(3), []
    make = _search_one(space, [0.3, 0.2, 0.1])

    def stopped(restart: RunFolder, talk: Talk) -> None:
        begun.append(restart.record["restart"])
        if len(begun) == 2:
            raise KeyboardInterrupt
        make(restart, talk)

    with pytest.raises(KeyboardInterrupt):
        search_restarts(run, Silent(), stopped)
    assert not (run.path / "genotype.json").exists()
    search_restarts(RunFolder.open(run.path), Silent(), stopped)
    assert begun == [1, 2, 2, 3]
    assert RunFolder.open(run.path).record["chosen_restart"] == 1


@pytest.mark.slow
def test_a_stop_in_the_second_restart_is_mended_by_resume(
    request_for: Request, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    real, seeds = steps.run_search, []

    def spy(*arguments: Any, **words: Any) -> Any:
        seeds.append(words["seed"])
        if seeds == [0, 1]:
            raise KeyboardInterrupt
        return real(*arguments, **words)

    monkeypatch.setattr(steps, "run_search", spy)
    with pytest.raises(KeyboardInterrupt):
        search(request_for(restarts=2))
    assert _json(tmp_path / "run" / "run.json")["status"] == "interrupted"
    run = resume(tmp_path / "run")
    assert seeds == [0, 1, 1]
    whole = search(request_for(restarts=2, out=tmp_path / "whole"))
    assert _alphas(run / "restart_2") == _alphas(whole / "restart_2")
    assert _json(run / "run.json")["decided"]["restarts"] == _json(whole / "run.json")["decided"]["restarts"]
