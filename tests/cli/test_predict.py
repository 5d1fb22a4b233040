"""`audionas predict`: what stands on standard output, in CSV and JSON, for every task."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from audionas.audio.manifest import Task
from audionas.experiment.cuts import AudioFile, Cut
from audionas.experiment.predicted import Predicted
from tests.cli.conftest import Workshop
from tests.cli.running import refused, run

SCORES = np.array([[0.75, 0.25], [0.125, 0.875]])


def predicted(task: Task, *, is_whole: bool = True, scores: np.ndarray = SCORES) -> Predicted:
    cuts = [Cut(AudioFile(Path(name), 8000, 2.5), 0.0, 2.5, is_whole) for name in ("a.wav", "a longer name.wav")]
    return Predicted(task, ("dog", "rain"), ("final",), tuple(cuts), scores)


def test_whole_files_are_a_table() -> None:
    assert predicted("classification").lines() == [
        "file               label  probability",
        "a.wav              dog    0.7500",
        "a longer name.wav  rain   0.8750",
    ]


def test_segments_are_csv() -> None:
    assert predicted("classification", is_whole=False).lines()[:2] == [
        "file,start,end,label,probability", "a.wav,0.000,2.500,dog,0.7500"
    ]  # fmt: skip


def test_csv_has_the_probability_of_every_label() -> None:
    rows = list(csv.DictReader(io.StringIO(predicted("classification").csv_text())))
    assert rows[1] == {"file": "a longer name.wav", "start": "0.000", "end": "2.500", "label": "rain",
                       "probability": "0.8750", "p:dog": "0.125", "p:rain": "0.875"}  # fmt: skip


def test_several_labels_are_those_of_half_and_more() -> None:
    found = predicted("multilabel", scores=np.array([[0.5, 0.75], [0.25, 0.4]]))
    assert found.lines()[1:] == ["a.wav              dog;rain  0.5000;0.7500", "a longer name.wav"]
    assert found.record()["predictions"][0]["labels"] == ["dog", "rain"]
    assert found.record()["predictions"][1]["labels"] == []


def test_numbers_have_no_probability() -> None:
    found = predicted("regression", scores=np.array([[3.25, -1.0], [2.0, 1e-7]]))
    assert found.lines()[:2] == ["file               y:dog  y:rain", "a.wav              3.25   -1"]
    assert found.csv_text().splitlines()[0] == "file,start,end,y:dog,y:rain"
    assert found.record()["predictions"][1] == {
        "file": "a longer name.wav", "start": 0.0, "end": 2.5, "values": {"dog": 2.0, "rain": 1e-7}
    }  # fmt: skip


@pytest.mark.slow
def test_the_command_prints_writes_and_refuses(workshop: Workshop, tmp_path: Path) -> None:
    clip, words = "recordings/joy/anna_1.wav", ("predict", "runs/first", "--fold", "1")
    assert workshop.outcomes["predict"].out.startswith("file ")
    found = json.loads(run(*words, clip, "--json", cwd=workshop.folder).out)
    assert found["labels"] == ["anger", "happiness", "neutral", "sadness"]
    assert found["predictions"][0]["file"] == clip
    assert sum(found["predictions"][0]["probabilities"].values()) == pytest.approx(1.0)
    assert run(*words, clip, "--csv", tmp_path / "p.csv", cwd=workshop.folder).out == f"{tmp_path / 'p.csv'}\n"
    assert (
        (tmp_path / "p.csv")
        .read_text()
        .startswith("file,start,end,label,probability,p:anger,p:happiness,p:neutral,p:sadness\n")
    )
    found = run(*words, clip, "--window", "0.2", "--quiet", cwd=workshop.folder)
    assert found.out.startswith("file,start,end,label,probability\nrecordings/joy/anna_1.wav,0.000,0.200,")
    assert found.err == (
        "warning: 1 file with less than the 16000 Hz of the networks' training, e.g. recordings/joy/anna_1.wav with "
        "8000: the upper band is empty\n"
    )
    assert run("predict", "runs/first", cwd=workshop.folder).code == 2
    assert "has no final model" in run("predict", "runs/first", clip, cwd=workshop.folder).err


def test_a_place_without_a_run_is_one_line(tmp_path: Path) -> None:
    assert refused("predict", "none", "a.wav", cwd=tmp_path) == "none: no such run folder"
