"""Searches and retrainings tell their trackers what their own files hold; a tracker that fails stops nothing."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from audionas.experiment.retrain import RetrainRequest, resume_retraining, retrain
from audionas.experiment.run_folder import RunFolder
from audionas.experiment.search import SearchRequest, resume, search
from audionas.experiment.talk import Silent
from audionas.experiment.tracked_training import tracked_training
from audionas.experiment.tracked_values import flat_numbers
from audionas.experiment.tracking import tracked
from audionas.records import append_jsonl, read_jsonl
from audionas.training import trackers
from audionas.training.optimisers import epoch_rates
from audionas.training.recipe import Recipe


class Remembering:
    """A tracker that keeps everything in the class, by the name under which it was opened."""

    def __init__(self, place: Path, name: str, identity: Mapping[str, str]) -> None:
        self.identity = {"run_id": identity.get("run_id", "first")}
        self.logged: list[tuple[dict[str, float], int]] = []
        self.known: dict[str, Any] = {}
        self.files: dict[str, str] = {}
        self.status = ""
        self.went_on = bool(identity)
        opened.append(self)

    def log(self, numbers: Mapping[str, float], step: int) -> None:
        self.logged.append((dict(numbers), step))

    def settings(self, values: Mapping[str, Any]) -> None:
        self.known |= values

    def file(self, path: Path, name: str) -> None:
        self.files[name] = path.read_text()

    def close(self, status: str) -> None:
        self.status = status


class Failing(Remembering):
    """A tracker whose server is away from the second epoch on."""

    def log(self, numbers: Mapping[str, float], step: int) -> None:
        if step == 1:
            raise ConnectionError("no route\nto http://me:secret@host/x")
        super().log(numbers, step)


opened: list[Remembering] = []


@pytest.fixture(autouse=True)
def _fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    opened.clear()
    fakes = {"remembering": Remembering, "failing": Failing}
    monkeypatch.setattr(trackers, "_NEEDS", {**trackers._NEEDS, "remembering": (), "failing": ()})
    for name, fake in fakes.items():
        monkeypatch.setitem(trackers.TRACKERS, name, fake)  # type: ignore[arg-type]


MakeRequest = Callable[..., SearchRequest]


def test_a_search_tells_epochs_rates_settings_and_its_genotype(request_for: MakeRequest) -> None:
    run = search(request_for(trackers=("remembering", "csv")))
    found = opened[0]
    lines = read_jsonl(run / "epochs.jsonl")
    for line, (numbers, step) in zip(lines, found.logged, strict=False):
        assert step == line["epoch"]
        for key in ("weights_loss", "alphas_loss", "supernet_ua", "supernet_wa", "network_ua", "network_wa"):
            assert numbers[key] == line[key]
        assert numbers["entropy/normal"] == line["entropy"]["normal"]
        assert not any("alphas/" in key or "margins" in key for key in numbers)
    rates = [numbers["learning_rate"] for numbers, _ in found.logged[:2]]
    assert rates == pytest.approx([0.025, (0.025 + 0.001) / 2])  # a cosine, half way after one epoch of two
    assert len(lines) == 2
    assert found.known["strategy_settings.recipe.learning_rate"] == 0.025
    assert found.known["genotype_hash"] == RunFolder.open(run).record["genotype_hash"]
    assert found.files == {"genotype.json": (run / "genotype.json").read_text()}
    assert found.logged[-1][0]["cost/clip_passes/forward"] > 0
    assert found.status == "done"
    with (run / "trackers" / "csv" / "metrics.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert float(rows[1]["network_ua"]) == lines[1]["network_ua"]
    assert RunFolder.open(run).record["trackers"] == ["remembering", "csv"]


def test_a_tracker_that_fails_midway_gives_one_warning_and_the_search_goes_on(request_for: MakeRequest) -> None:
    run = search(request_for(trackers=("failing", "remembering")))
    record = RunFolder.open(run).record
    assert record["status"] == "done"
    told = [line for line in record["warnings"] if "tracker" in line]
    assert told == [
        "tracker failing failed and is left (no route to http://host/x); the run goes on, its own files hold everything"
    ]
    assert [step for _, step in opened[1].logged] == [0, 1, 0]
    assert opened[1].status == "done"


def test_a_tracker_that_cannot_be_opened_is_left_too(request_for: MakeRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> trackers.Tracker:
        raise OSError("server is away")

    monkeypatch.setitem(trackers.TRACKERS, "failing", refuse)
    run = search(request_for(epochs=1, trackers=("failing",)))
    assert "tracker failing failed and is left (server is away)" in str(RunFolder.open(run).record["warnings"])


def test_a_stopped_search_goes_on_in_the_same_tracker_run(
    request_for: MakeRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Remembering, "log", stop)
        with pytest.raises(KeyboardInterrupt):
            search(request_for(trackers=("remembering",)))
    run = request_for().out
    assert run is not None
    assert opened[0].status == "interrupted"
    assert json.loads((run / "trackers" / "runs.json").read_text()) == {"remembering": {"run_id": "first"}}
    resume(run)
    assert opened[1].went_on
    assert opened[1].status == "done"


def test_epochs_that_a_resumed_training_repeats_are_not_told_again(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run", "retrain", ["audionas"], trackers=["remembering"])
    training = run.path / "split_1"
    training.mkdir()
    for epoch in range(3):  # the checkpoint may be older
        append_jsonl(training / "history.jsonl", {"epoch": epoch, "train_loss": 1.0})
    told: list[int] = []
    with tracked(run, Silent()):
        on_epoch = tracked_training(lambda epoch, _: told.append(epoch), training, Recipe(), 6)
        for epoch in range(1, 5):
            on_epoch(epoch, {"train_loss": 1.0 / (1 + epoch)})
    assert told == [1, 2, 3, 4]
    assert [step for numbers, step in opened[-1].logged if "split_1/train_loss" in numbers] == [2, 3, 4]


def test_trials_tell_scores_and_every_split_of_a_nested_search_its_place(request_for: MakeRequest) -> None:
    run = search(request_for(strategy="random", trials=2, epochs=1, retest=0, nested=True, trackers=("remembering",)))
    assert len(opened) == 1  # one tracker run for the whole search
    found = {step: numbers for numbers, step in opened[0].logged if "split_2/trial/ua" in numbers}
    trials = {
        line["number"]: line["score"]
        for line in read_jsonl(run / "split_2" / "trials.jsonl")
        if line["event"] == "finished"
    }
    assert {number: numbers["split_2/trial/ua"] for number, numbers in found.items()} == {
        number: score["ua"] for number, score in trials.items()
    }
    assert set(opened[0].files) == {f"split_{k}/genotype.json" for k in (1, 2, 3)}
    assert opened[0].known["split_3/genotype_hash"] == RunFolder.open(run / "split_3").record["genotype_hash"]
    assert not (run / "split_2" / "trackers").exists()


def test_a_retraining_tells_every_history_and_the_headline_with_its_interval(searched: Path, tmp_path: Path) -> None:
    request = RetrainRequest((searched,), epochs=2, seeds=1, threads=1, out=tmp_path / "r", trackers=("remembering",))
    run = retrain(request)
    found, metrics = opened[0], json.loads((run / "metrics.json").read_text())
    history = read_jsonl(run / "split_1" / "seed_0" / "history.jsonl")
    key = "split_1/seed_0/train_loss"
    told = [(numbers[key], step) for numbers, step in found.logged if key in numbers]
    assert told == [(line["train_loss"], line["epoch"]) for line in history]
    last = found.logged[-1][0]
    assert last["headline/ua"] == metrics["headline"]["ua"]
    assert last["parameters"] == metrics["parameters"]
    assert last["split_2/seed_0/test/ua"] == metrics["per_fold"][1]["ua"]
    assert ("headline/ua_low" in last) == (metrics["headline"]["ua_interval"] is not None)
    assert found.known["options.recipe.learning_rate"] == 0.025
    assert "metrics.json" in found.files
    assert resume_retraining(run) == run  # done: no tracker is opened again
    assert len(opened) == 1


def test_numbers_that_are_not_finite_or_no_numbers_are_left_out() -> None:
    record = {"a": float("nan"), "b": True, "c": None, "d": 1, "e": {"f": 2.5}, "alphas": {"normal": [[1.0]]}}
    assert flat_numbers(record, "x/") == {"x/d": 1.0, "x/e/f": 2.5}


def test_rates_are_those_of_the_schedule() -> None:
    steps = Recipe(learning_rate=0.1, schedule="steps", milestones=(0.5,))
    assert epoch_rates(steps, 4) == pytest.approx([0.1, 0.1, 0.01, 0.01])
    assert epoch_rates(Recipe(learning_rate=0.1, schedule="constant"), 2) == pytest.approx([0.1, 0.1])
    assert epoch_rates(Recipe(learning_rate=0.1, schedule="inverse_time", time_decay=0.1), 2) is None
