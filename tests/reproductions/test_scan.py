"""The scan of one setting as a step of a reproduction."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from audionas.experiment.prepare import PrepareOptions, prepare
from audionas.experiment.talk import Silent
from audionas.models.baselines import baseline_settings
from audionas.records import parse_yaml, read_json, read_jsonl
from audionas.reproductions import scan as steps
from audionas.reproductions.hand_made_papers import PAPERS
from audionas.reproductions.hand_made_plan import HandMadePlan, HandMadeRequest, make_plan
from audionas.search.strategy import strategy_from_settings
from audionas.spaces import BaselineSpace, load_search_space
from tests.reproductions.conftest import write_noise

SPACE = """kind: baseline
features: {features}
baseline: attention_pooling_cnn
settings: {{channels: [4], pool_after: [], pooling: gap}}
options: {{filters: [2x2, 4x2, 6x2, 2x4, 2x6]}}
"""
FEATURES = "extractor: log_mel\nsample_rate_hz: 8000\nlength_s: 0.2\nn_mels: 8\nframes: 8\n"


def plan(**changes: object) -> HandMadePlan:
    made = make_plan(HandMadeRequest("attention-pooling", smoke=True, threads=1))
    return made.model_copy(update=changes)


def test_the_papers_rules_train_every_point_of_the_paper_s_scan() -> None:
    """Li 2018, 3.1: SGD with Nesterov momentum 0.9, decay 1e-4, batch 64, 50 epochs, 0.05 divided by 10 three times."""
    name = PAPERS["attention-pooling"].scan
    assert name == "filter_shapes"
    made = make_plan(HandMadeRequest("attention-pooling"))
    strategy = strategy_from_settings(steps._strategy(name, made), "scan", "scan")
    recipe = strategy.recipe
    assert recipe
    assert (recipe.optimiser, recipe.learning_rate, recipe.momentum, recipe.nesterov) == ("sgd", 0.05, 0.9, True)
    assert (recipe.weight_decay, recipe.schedule) == (1e-4, "steps")
    assert [round(share * 50) for share in recipe.milestones] == [20, 30, 40]
    assert (strategy.batch_size, strategy.budget.epochs, strategy.budget.trials) == (64, 50, 30)
    assert (strategy.inner_folds, strategy.retest, strategy.class_weighting) == (5, 0, "none")
    space = load_search_space(name)
    assert isinstance(space, BaselineSpace)
    settings = baseline_settings(space.genotype({"filters": "10x2"})).model_dump()
    assert (settings["channels"], settings["pool_after"], settings["pooling"]) == ((16,), (), "gap")


def test_a_miniature_trains_four_points_draws_them_and_goes_on_after_a_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = ["path,label,speaker"]
    for speaker in range(6):
        for label in ("low", "high"):
            name = f"{label}/s{speaker}.wav"
            write_noise(tmp_path / "corpus" / name)
            lines.append(f"{name},{label},s{speaker}")
    (tmp_path / "corpus" / "manifest.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "features.yaml").write_text(FEATURES)
    space = tmp_path / "shapes.yaml"
    space.write_text(SPACE.format(features=tmp_path / "features.yaml"))
    out = tmp_path / "out"
    prepare(tmp_path / "corpus", out / "prepared", PrepareOptions(), Silent().progress)
    load = steps.load_search_space
    monkeypatch.setattr(steps, "load_search_space", lambda _: load(space))
    asked = steps._request
    monkeypatch.setattr(steps, "_request", lambda *given: replace(asked(*given), space=str(space)))
    steps.scan("filter_shapes", plan(), out, Silent())
    events = read_jsonl(out / "filter_shapes" / "trials.jsonl")
    assert sum(event["event"] == "finished" for event in events) == 4
    picture = (out / "filter_shapes.svg").read_text()
    assert "of the filter" in picture
    assert (out / "filter_shapes" / "report.html").is_file()
    assert parse_yaml((out / "scan_strategy.yaml").read_text(), "strategy")["algorithm"] == "grid"
    before = (out / "filter_shapes" / "trials.jsonl").read_bytes()
    steps.scan("filter_shapes", plan(), out, Silent())
    assert (out / "filter_shapes" / "trials.jsonl").read_bytes() == before
    assert read_json(out / "filter_shapes" / "run.json", "run")["status"] == "done"
