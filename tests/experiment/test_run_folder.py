"""A run folder says how its work ended, lets one process work at a time, and is never written over."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from audionas.errors import RunError, SettingsError
from audionas.experiment.run_folder import RunFolder, fresh_folder, refuse_occupied


def create(path: Path, **fields: object) -> RunFolder:
    return RunFolder.create(path, "search", ["search", "my data", "--seed", "1"], **fields)


def status(path: Path) -> str:
    return str(json.loads((path / "run.json").read_text())["status"])


def test_a_run_tells_command_versions_and_machine(tmp_path: Path) -> None:
    create(tmp_path / "run", seed=1)
    record = RunFolder.open(tmp_path / "run", "search").record
    assert record["command"] == "audionas search 'my data' --seed 1"
    assert {"python", "torch", "nni", "numpy"} <= set(record["versions"])
    assert record["machine"]["cores"] >= 1
    assert (record["seed"], record["status"]) == (1, "running")


@pytest.mark.parametrize(
    "error,expected", [(None, "done"), (KeyboardInterrupt(), "interrupted"), (SettingsError("no"), "failed")]
)
def test_the_status_says_how_the_work_ended(tmp_path: Path, error: BaseException | None, expected: str) -> None:
    run = create(tmp_path)

    def work() -> None:
        with run.working():
            assert status(tmp_path) == "running"
            if error is not None:
                raise error

    if error is None:
        work()
    else:
        with pytest.raises(type(error)):
            work()
    assert status(tmp_path) == expected
    with run.working():  # the lock is free again
        pass
    assert status(tmp_path) == "done"


def test_seconds_add_up_over_resumes(tmp_path: Path) -> None:
    run = create(tmp_path)
    run.save(cost={"seconds": 100.0})
    with RunFolder.open(tmp_path).working():
        pass
    assert 100.0 <= RunFolder.open(tmp_path).record["cost"]["seconds"] < 101.0


def test_two_cannot_work_on_one_run(tmp_path: Path) -> None:
    run = create(tmp_path)
    other = RunFolder.open(tmp_path)
    words = "another process is working on this run"
    with run.working(), pytest.raises(RunError, match=words), other.working():
        pass
    assert status(tmp_path) == "done"


def test_a_warning_is_kept_once(tmp_path: Path) -> None:
    run = create(tmp_path)
    for line in ("a", "b", "a"):
        run.warn(line)
    assert RunFolder.open(tmp_path).record["warnings"] == ["a", "b"]


@pytest.mark.parametrize(
    "content,words",
    [
        (None, r"no run here \(run.json is missing\)$"),
        ("{", "not valid JSON"),
        ("[]", "not a run of version 1"),
        ('{"schema_version": 2}', "not a run of version 1 .damaged, or from a newer audionas"),
        ('{"schema_version": 1, "kind": "retrain"}', "is a retrain run, expected search"),
    ],
)
def test_what_is_no_run_of_this_kind_is_one_line(tmp_path: Path, content: str | None, words: str) -> None:
    if content is not None:
        (tmp_path / "run.json").write_text(content)
    with pytest.raises(RunError, match=words) as error:
        RunFolder.open(tmp_path, "search")
    assert "\n" not in str(error.value)


def test_an_occupied_place_is_refused_and_an_empty_one_taken(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    refuse_occupied(tmp_path / "empty")
    refuse_occupied(tmp_path / "new")
    (tmp_path / "file").touch()
    create(tmp_path / "run")
    for name, words in {"file": "is a file", "run": "holds another run", ".": "is not empty"}.items():
        with pytest.raises(RunError, match=words):
            refuse_occupied(tmp_path / name)


def test_folders_of_one_day_are_numbered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first = fresh_folder("space-strategy")
    assert first.parent == Path("runs")
    assert first.name.endswith("-space-strategy")
    first.mkdir(parents=True)
    assert fresh_folder("space-strategy").name == f"{first.name}-2"
