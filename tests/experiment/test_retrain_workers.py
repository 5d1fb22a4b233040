"""Trainings side by side leave what they leave one after the other."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from audionas.audio.folds import OuterSplit
from audionas.errors import SettingsError
from audionas.experiment.retrain import RetrainRequest, resume_retraining, retrain
from audionas.experiment.retrain_workers import check_workers, jobs_of
from audionas.training.ledger import Ledger, take_over


def _json(path: Path) -> Any:
    return json.loads(path.read_text())


def _files(run: Path) -> list[str]:
    return sorted(str(path.relative_to(run)) for path in run.rglob("*") if path.is_file())


def _request(searched: Path, out: Path, **more: Any) -> RetrainRequest:
    grid = {"learning_rates": (0.01, 0.05), "epochs_tried": (1,)}
    return RetrainRequest((searched,), epochs=1, seeds=1, threads=1, out=out, **grid, **more)


@pytest.mark.slow
def test_two_at_a_time_give_what_one_gives(searched: Path, tmp_path: Path) -> None:
    """Choices of the learning rate, scores, predictions, costs; also when one of them was stopped in between."""
    one_after_the_other = retrain(_request(searched, tmp_path / "one"))
    run = retrain(_request(searched, tmp_path / "two", workers=2))
    metrics = _json(run / "metrics.json")
    assert metrics == _json(one_after_the_other / "metrics.json")
    assert _files(run) == _files(one_after_the_other), "and nothing of the processes is left"
    costs = [_json(each / "run.json")["cost"] for each in (run, one_after_the_other)]
    for step in ("retraining", "tuning"):
        one, other = (cost["steps"][step] for cost in costs)
        assert {key: one[key] for key in ("forward", "backward")} == {
            key: other[key] for key in ("forward", "backward")
        }
    assert costs[0]["device_seconds"] > 0.3 * costs[1]["device_seconds"], "the processes' own are in it"

    seed = run / "split_2" / "seed_0"
    for name in ("result.json", "predictions.csv"):
        (seed / name).unlink()
    (run / "metrics.json").unlink()
    (run / "run.json").write_text(json.dumps({**_json(run / "run.json"), "status": "interrupted"}))
    resume_retraining(run, workers=2)
    assert _json(run / "metrics.json") == metrics


def test_several_cards_get_one_job_after_the_other(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    splits = [OuterSplit(name, (), (), ()) for name in ("a", "b")]

    def devices(device: str) -> list[str]:
        run = SimpleNamespace(path=tmp_path, record={"device": device, "seeds": [0, 1]})
        return [f"{job.name} {job.device}" for job in jobs_of(run, splits)]  # type: ignore[arg-type]

    assert devices("cuda") == [
        "split_a cuda:0", "split_b cuda:1", "split_a/seed_0 cuda:0", "split_a/seed_1 cuda:1",
        "split_b/seed_0 cuda:0", "split_b/seed_1 cuda:1",
    ]  # fmt: skip
    assert {line.split()[1] for line in devices("cuda:1")} == {"cuda:1"}
    assert {line.split()[1] for line in devices("cpu")} == {"cpu"}


def test_workers_that_cannot_be_are_refused() -> None:
    with pytest.raises(SettingsError, match="--workers: got 0, must be 1 or more"):
        check_workers(0, ())
    with pytest.raises(SettingsError, match="--workers 2 and --tracker: trackers log in one process only"):
        check_workers(2, ("csv",))
    check_workers(1, ("csv",))


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_of_another_process_s_costs_counts_are_taken_over_and_no_wall_time(device: str) -> None:
    saved: list[dict[str, Any]] = []
    ledger = Ledger("retraining", device, {}, saved.append)
    other = {"seconds": 100.0, "device_seconds": 50.0, "forward": 7, "backward": 5, "energy_joules": 9.0}
    with ledger.working():
        take_over([{"steps": {"retraining": other, "tuning": {"forward": 1}}}, {"steps": {"retraining": other}}])
    record = ledger.record()
    assert record["clip_passes"] == {"forward": 15, "backward": 10}
    assert record["seconds"] < 50
    assert (record["device_seconds"] > 99) == (device == "cpu"), "on a GPU the wall time for which it was held"
    assert saved[-1]["clip_passes"] == record["clip_passes"]
