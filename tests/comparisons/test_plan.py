"""What a comparison refuses before it begins."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from audionas import shipped
from audionas.comparisons.compare import _search_request, _write_strategy
from audionas.comparisons.plan import CompareRequest, Plan, make_plan
from audionas.errors import SettingsError
from audionas.experiment.search_engine import EngineRequest
from audionas.reproductions.emotionnas_plan import ReproduceRequest
from audionas.reproductions.emotionnas_plan import make_plan as reproduction
from audionas.spaces import load_search_space


def test_architectures_on_different_features_are_not_compared() -> None:
    with pytest.raises(SettingsError, match="space 'cnn_macro' of kind 'cnn_macro': its architectures differ in their"):
        make_plan(CompareRequest(space="cnn_macro"), load_search_space("cnn_macro"))


SPACE = load_search_space("darts_cnn_small")


@pytest.mark.parametrize(
    "engine,threads,why",
    [
        (EngineRequest("proces_pool"), None, r"unknown engine 'proces_pool' \(did you mean 'process_pool'\?\)"),
        (EngineRequest("process_pool", 0), None, "^--trial-workers: got 0, must be 1 to 1024"),
        (EngineRequest("process_pool", timeout_s=-1.0), None, "--timeout: got -1, must be seconds above 0"),
        (EngineRequest("process_pool"), 2, "--threads: got 2; a worker of .* has one, take more --trial-workers"),
        (EngineRequest(workers=2), None, "--engine in_process: runs one trial after another"),
    ],
)
def test_an_engine_that_cannot_train_the_trials_is_refused_by_its_flag(
    engine: EngineRequest, threads: int | None, why: str
) -> None:
    with pytest.raises(SettingsError, match=why):
        make_plan(CompareRequest(engine=engine, threads=threads), SPACE)
    with pytest.raises(SettingsError, match=why):
        reproduction(ReproduceRequest(engine=engine, threads=threads))


def test_the_engine_is_on_record_and_for_trials_alone(tmp_path: Path) -> None:
    engine = EngineRequest("process_pool", 3, 60.0)
    plan = make_plan(CompareRequest(strategies=("darts", "tpe"), engine=engine), SPACE)
    assert Plan.model_validate(json.loads(plan.model_dump_json())).engine == engine
    for name, expected in (("darts", EngineRequest()), ("tpe", engine), ("random_search", engine)):
        _write_strategy(plan, tmp_path, name)
        request = _search_request(plan, tmp_path, name, 0, tmp_path / "run")
        assert request.engine == expected
        assert ("--workers" in request.argv) is (expected == engine)


def test_a_plan_from_before_engines_has_none() -> None:
    record = make_plan(CompareRequest(), SPACE).model_dump(mode="json")
    del record["engine"]
    assert Plan.model_validate(record).engine == EngineRequest()


def test_names_of_hand_made_networks_among_the_baselines_are_arms_without_a_strategy() -> None:
    plan = make_plan(CompareRequest(baselines=("lstm", "majority", "plain_cnn", "lstm")), SPACE)
    assert plan.networks == ("lstm", "plain_cnn")
    assert plan.baselines == ("majority",)
    assert plan.names == ["darts_small_data", "random_search", "lstm", "plain_cnn", "random_architectures"]
    assert make_plan(CompareRequest(baselines=("lstm",)), SPACE).baselines is None, "all plain systems stay"


def test_without_hand_made_networks_a_plan_is_told_as_before_there_were_any() -> None:
    without = make_plan(CompareRequest(), SPACE).as_record()
    assert "networks" not in without
    assert make_plan(CompareRequest(baselines=("lstm",)), SPACE).as_record() == {**without, "networks": ["lstm"]}


def test_a_strategy_with_the_name_of_a_hand_made_network_is_refused(tmp_path: Path) -> None:
    twin = tmp_path / "lstm.yaml"
    twin.write_text((shipped.folder("strategies") / "darts_small_data.yaml").read_text())
    request = CompareRequest(strategies=(str(twin),), baselines=("lstm",))
    with pytest.raises(SettingsError, match="'lstm' is the name of a strategy's arm too; rename its YAML file"):
        make_plan(request, SPACE)
