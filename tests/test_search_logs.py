"""A line that is torn, or none of its log, is one clear line with its number; sound logs are given back as they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from audionas.errors import RunError
from audionas.search_logs import read_epochs, read_evolution, read_trials

EPOCH: dict[str, Any] = {
    "weights_loss": 1.2527, "alphas_loss": 1.2831, "supernet_ua": 0.5, "network_ua": None, "scored_on": "monitor",
    "ops": ["none", "skip_connect"], "edges": [[2, 0], [2, 1]], "alphas": {"normal": [[0.9, 0.1], [0.2, 0.8]]},
    "entropy": {"normal": 1.8}, "margins": {"normal": [0.1]}, "skips": 0, "genotype": {"normal": []}, "seconds": 3.1,
}  # fmt: skip
PROPOSED = {"event": "proposed", "number": 0, "hash": "5f", "sample": {"normal_n0_in": "0+1"}, "epochs": 1, "seed": 2}
FINISHED = {"event": "finished", "number": 0, "status": "done", "score": {"ua": 0.25, "loss": 1.4, "epoch": None},
            "seconds": 0.4, "error": None}  # fmt: skip
REFUSED = {"event": "refused", "hash": "5e", "sample": {}, "reason": "parameters 2,004 > 1,500"}
PATH = {"number": 0, "generation": 0, "hash": "5f", "genotype": {"normal": []}, "ua": 0.5, "loss": 1.2}


def write(path: Path, *lines: object) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_sound_logs_are_given_back_as_they_are(tmp_path: Path) -> None:
    epochs = [{"epoch": number, **EPOCH} for number in range(3)]
    assert read_epochs(write(tmp_path / "epochs.jsonl", *epochs), is_done=True) == epochs
    trials = [PROPOSED, REFUSED, {**PROPOSED, "number": 1, "fraction": 0.5}, FINISHED]
    assert read_trials(write(tmp_path / "trials.jsonl", *trials), is_done=True) == trials
    paths = [PATH, {"chosen": {"number": 0}}]
    assert read_evolution(write(tmp_path / "evolution.jsonl", *paths), "ua", is_done=True) == paths
    assert read_epochs(tmp_path / "none.jsonl", is_done=True) == []


def test_decisions_of_recurrent_cells_are_alphas_too(tmp_path: Path) -> None:
    alphas = {"operations": {"n1_op": [0.1, 0.2]}, "inputs": {"n1_b": [0.3]}}
    line = {"epoch": 0, "weights_loss": 1.0, "alphas": alphas}
    assert read_epochs(write(tmp_path / "epochs.jsonl", line)) == [line]


@pytest.mark.parametrize("read", [read_epochs, read_trials, read_evolution])
def test_a_torn_last_line_is_left_out_while_a_search_runs_and_told_when_it_is_done(tmp_path: Path, read: Any) -> None:
    sound = {read_epochs: {"epoch": 0, **EPOCH}, read_trials: PROPOSED, read_evolution: PATH}[read]
    path = write(tmp_path / "log.jsonl", sound)
    path.write_text(path.read_text() + '{"epoch": 1, "wei')
    assert read(path) == [sound]
    with pytest.raises(RunError, match=r"log.jsonl: line 2 is torn: it has no end; restore the file, or make the run"):
        read(path, is_done=True)
    path.write_text(path.read_text() + "\n")
    assert read(path) == [sound]
    with pytest.raises(RunError, match=r"log.jsonl: line 2 is not JSON"):
        read(path, is_done=True)


@pytest.mark.parametrize(
    "changes,why",
    [
        ({"weights_loss": "low"}, "weights_loss: got 'low', must be a number"),
        ({"epoch": 7}, "epoch 7 where epoch 1 is due"),
        ({"epoch": -1}, "epoch: got -1, must be at least 0"),
        ({"edges": [[2, 0, 1]]}, "edges.0: got "),
        ({"network_ua": "high"}, "network_ua: got 'high', must be a number"),
        ({"entropy": [1.8]}, "entropy: got .*, must be a mapping"),
        ({"alphas": {"normal": "much"}}, "alphas.normal: got 'much', must be rows of numbers"),
        ({"alphas": {"normal": [[0.1], [0.2, 0.3]]}}, "alphas.normal: got .*, must be rows of one length"),
        ({"alarm": {"why": "skips"}}, "key 'alarm.take' is missing"),
    ],
)
def test_an_epoch_of_another_form_is_told_with_its_line(tmp_path: Path, changes: dict[str, Any], why: str) -> None:
    path = write(tmp_path / "epochs.jsonl", {"epoch": 0, **EPOCH}, {"epoch": 1, **EPOCH, **changes})
    with pytest.raises(RunError, match=rf"epochs.jsonl: line 2 is none of this log: {why}.*; restore the file, or se"):
        read_epochs(path)


@pytest.mark.parametrize(
    "line,why",
    [
        ({"hello": 1}, "key 'event' is missing"),
        ({**FINISHED, "number": 5}, "trial 5 ends before it is proposed"),
        ({**FINISHED, "score": {"ua": "best"}}, "score: ua: got 'best', must be a number"),
        ({**FINISHED, "score": [0.5]}, "score: got .*, must be a mapping"),
        ({**FINISHED, "status": ["done"]}, "status: got .*, must be 'done' or 'failed'"),
        ({**REFUSED, "reason": None}, "reason: got None, must be text"),
        ({**PROPOSED, "number": True}, "number: got True, must be a whole number"),
        ({**PROPOSED, "event": ["proposed"]}, "event: got .*, must be 'proposed'"),
    ],
)
def test_a_trial_of_another_form_is_told_with_its_line(tmp_path: Path, line: dict[str, Any], why: str) -> None:
    path = write(tmp_path / "trials.jsonl", PROPOSED, line)
    with pytest.raises(RunError, match=rf"trials.jsonl: line 2 is none of this log: {why}"):
        read_trials(path)


@pytest.mark.parametrize(
    "changes,why",
    [
        ({"loss": None}, "loss: got None, must be a number"),
        ({"ua": "0.5"}, "ua: got '0.5', must be a number"),
        ({"generation": 0.5}, "generation: got 0.5, must be a whole number"),
    ],
)
def test_a_path_of_another_form_is_told_with_its_line(tmp_path: Path, changes: dict[str, Any], why: str) -> None:
    path = write(tmp_path / "evolution.jsonl", {**PATH, **changes})
    with pytest.raises(RunError, match=f"evolution.jsonl: line 1 is none of this log: {why}"):
        read_evolution(path, "ua")


def test_a_log_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "epochs.jsonl").mkdir()
    with pytest.raises(RunError, match=r"epochs.jsonl: cannot read this log \(Is a directory\)"):
        read_epochs(tmp_path / "epochs.jsonl")
