"""What a search refuses, and what it does with a run that is there already."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audionas.errors import AudionasError, RunError, SettingsError
from audionas.experiment.search import SearchRequest, resume, search

Request = Callable[..., SearchRequest]


def _json(path: Path) -> Any:
    return json.loads(path.read_text())


def test_a_supernet_whose_loss_is_not_finite_stops_with_one_line(request_for: Request, tmp_path: Path) -> None:
    from audionas.training.fit import NonFiniteLossError

    wild = tmp_path / "wild.yaml"
    wild.write_text(
        "algorithm: darts\nparts: {weights: 0.5, alphas: 0.5}\n"
        "recipe: {learning_rate: 1.0e+38}\nsettings: {gradient_clip: 1.0e+38}\n"
    )
    with pytest.raises(NonFiniteLossError, match=r"(loss is (nan|inf)|alphas clips is not finite); lower the"):
        search(request_for(strategy=str(wild), epochs=3))
    assert _json(tmp_path / "run" / "run.json")["status"] == "failed"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"space": "darts_cn"}, "did you mean 'darts_cnn'"),
        ({"strategy": "dart"}, "did you mean 'darts'"),
        ({"features": "log_mell"}, "log_mel"),
        ({"exclude_fold": "7"}, "unknown fold '7'; known: 1, 2, 3"),
        ({"pick": "first"}, "accepted: last, best"),
        ({"pick": "best"}, "needs a one-shot search with a monitor part"),
        ({"nested": True, "exclude_fold": "1"}, "exclude each other"),
        ({"trials": 3}, "one-shot"),
        ({"inner_folds": 2}, "one-shot"),
        ({"strategy": "random", "inner_folds": 5}, r"leaves 4 group\(s\) to the search; use 2 to 4 inner folds"),
        ({"device": "cuda:9"}, "not available here"),
        ({"device": "tpu"}, "accepted: cpu, cuda"),
        ({"threads": 0}, "must be 1 or more"),
        ({"data": Path("no_such_folder")}, "no such"),
        ({"batch_size": 60_000_000}, "batch_size"),
    ],
)
def test_a_wrong_request_is_one_line_and_writes_nothing(
    request_for: Request, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(AudionasError, match=message) as caught:
        search(request_for(**changes))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_a_batch_that_does_not_fit_names_the_largest_that_does(
    request_for: Request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psutil

    class Memory:
        available = total = 700 * 2**20

    monkeypatch.setattr(psutil, "virtual_memory", lambda: Memory)
    with pytest.raises(RunError, match=r"the largest that fits is --batch-size \d+"):
        search(request_for(batch_size=60_000))
    assert not (tmp_path / "run").exists(), "nothing half-written"


def test_a_folder_that_holds_another_run_is_refused_and_left_alone(request_for: Request, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text("{}")
    with pytest.raises(RunError, match="holds another run; choose another --out"):
        search(request_for())
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["run.json"]


def test_a_done_search_is_left_as_it_is(two_epochs: Path) -> None:
    run = two_epochs
    before = (run / "genotype.json").read_bytes()
    assert resume(run) == run
    assert (run / "genotype.json").read_bytes() == before


def test_resuming_what_is_no_search_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no such run folder"):
        resume(tmp_path / "nothing")
    (tmp_path / "run.json").write_text('{"schema_version": 1, "kind": "retrain"}')
    with pytest.raises(RunError, match="is a retrain run, expected search"):
        resume(tmp_path)
    (tmp_path / "run.json").write_text("{torn")
    with pytest.raises(RunError, match="not valid JSON"):
        resume(tmp_path)


def test_a_wrong_strategy_setting_names_those_accepted(request_for: Request, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("algorithm: darts\nparts: {weights: 0.5, alphas: 0.5}\nsettings: {arc_rate: 1.0}\n")
    with pytest.raises(
        SettingsError, match="accepted: arc_learning_rate, arc_beta1, arc_beta2, arc_weight_decay, gradient_clip"
    ):
        search(request_for(strategy=str(wrong)))


def test_a_search_resumes_after_its_features_file_is_gone(request_for: Request, tmp_path: Path) -> None:
    run = search(request_for())
    record = _json(run / "run.json") | {"status": "interrupted"}
    (run / "run.json").write_text(json.dumps(record))
    (tmp_path / "features.yaml").unlink()
    assert resume(run) == run
    assert _json(run / "run.json")["status"] == "done"


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("run.json", '{"schema_version": 1, "kind": "search"}', "run.json: damaged: status or cost is missing"),
        ("manifest.json", '{"schema_version": 1, "task": "classification"}', "manifest.json: damaged: root"),
        ("epochs.jsonl", "[1]\n[2]\n", "epochs.jsonl: line 1 is not JSON"),
    ],
)
def test_a_damaged_run_is_one_line(two_epochs: Path, file: str, text: str, message: str) -> None:
    run = two_epochs
    if file != "run.json":
        record = _json(run / "run.json") | {"status": "interrupted"}
        (run / "run.json").write_text(json.dumps(record))
    (run / file).write_text(text)
    with pytest.raises(AudionasError, match=message) as caught:
        resume(run)
    assert "\n" not in str(caught.value)


def test_a_strategy_of_another_algorithm_does_not_go_on_with_a_run(two_epochs: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(two_epochs, tmp_path / "copy"))
    record = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(record | {"status": "interrupted"}))
    text = (run / "strategy.yaml").read_text().replace("algorithm: darts\n", "algorithm: fair_darts\n")
    (run / "strategy.yaml").write_text(text)
    message = r"strategy.yaml: has algorithm 'fair_darts', but the run began with 'darts'; put its strategy back"
    with pytest.raises(RunError, match=message):
        resume(run)
