"""`audionas prepare` and `audionas report`: the result in words and as JSON, and what they refuse."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.running import files_of, refused, run


def test_a_preparation_tells_clips_groups_and_splits(recordings: Path) -> None:
    found = run("prepare", recordings, "--group-from", "^([a-z]+)_", "--out", "out", "--json", cwd=recordings.parent)
    assert found.code == 0, found.err
    record = json.loads(found.out)
    assert (record["clips"], record["groups"], record["labels"]) == (10, 5, {"grief": 5, "joy": 5})
    assert record["splits"] == {"1": 2, "2": 2, "3": 2, "4": 2, "5": 2}


def test_the_protocol_is_told_and_gives_the_splits(recordings: Path) -> None:
    words = ("prepare", recordings, "--group-from", "^([a-z]+)_", "--protocol", "leave_one_group_out", "--out", "out")
    found = run(*words, "--json", cwd=recordings.parent)
    assert found.code == 0, found.err
    record = json.loads(found.out)
    assert record["protocol"] == "leave_one_group_out"
    assert record["splits"] == {"anna": 2, "ben": 2, "cleo": 2, "dora": 2, "emil": 2}
    assert "protocol leave_one_group_out)" in run("prepare", "out", "--out", "out", cwd=recordings.parent).out


def test_a_wrong_request_is_one_line_and_leaves_the_recordings_alone(recordings: Path) -> None:
    before = files_of(recordings)
    for words, error in {
        ("nowhere",): "nowhere: no such file or folder",
        ("recordings", "--dataset", "emobd"): "unknown data set 'emobd' (did you mean 'emodb'?)",
        ("recordings", "--features", "log_mell"): "unknown features 'log_mell' (did you mean 'log_mel'?)",
        ("recordings", "--group-from", "("): "--group-from",
        ("recordings", "--hop", "1"): "--hop 1 needs --window",
        ("recordings", "--folds", "50"): "fold",
        ("recordings", "--protocol", "fold"): "--protocol: unknown protocol 'fold' (did you mean 'folds'?)",
        ("recordings", "--protocol", "speaker_pairs"): "needs speakers or recordings, and each file is its own group",
    }.items():
        assert error in refused("prepare", *words, "--out", "out", cwd=recordings.parent)
    assert files_of(recordings) == before


def test_a_folder_that_is_no_run_cannot_be_reported(tmp_path: Path) -> None:
    assert "none" in refused("report", "none", cwd=tmp_path)
    (tmp_path / "empty").mkdir()
    assert "empty" in refused("report", "empty", cwd=tmp_path)
    assert list((tmp_path / "empty").iterdir()) == []
