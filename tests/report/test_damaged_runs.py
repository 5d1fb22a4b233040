"""Runs that are incomplete, damaged or newer have a page with what is there, and the page says what is not."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from audionas.errors import AudionasError, LogError, RunError
from audionas.report.guarded import CANNOT
from audionas.report.run_files import read_run
from audionas.report.run_reading import RunReading, kind_by_files
from tests.report.many_trials import write_many_trials
from tests.report.retraining_folders import write_retraining
from tests.report.run_folders import write_nested, write_search, write_trials

PageOf = Callable[[Path], str]
BINARY = b"\x89PNG\r\n\x1a\n\x00\xff\xfe\x00" * 20
WRONG: tuple[Any, ...] = (3, "text", [1, [2]], {"a": {"b": []}}, None, True, [{"event": 5}], -1.5)


def _text(html: str) -> str:
    bare = re.sub(r"<(style|script).*?</\1>", " ", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", bare)).split())


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Sound runs, by kind; nobody changes them."""
    folder = tmp_path_factory.mktemp("sound")
    found = {
        "search": write_search(folder / "search", n_epochs=5),
        "trials": write_many_trials(folder / "trials", 8, n_failed=1),
        "nested": write_nested(folder / "nested", ("1",)),
        "retrain": write_retraining(folder / "retrain", seeds=(0,)),
    }
    write_retraining(found["search"] / "retrained", seeds=(0,))
    return found


@pytest.fixture
def copy(sound: dict[str, Path], tmp_path: Path) -> Callable[[str], Path]:
    return lambda kind: Path(shutil.copytree(sound[kind], tmp_path / kind))


def test_a_sound_run_has_no_fault_and_no_part_that_cannot_be_shown(sound: dict[str, Path], words_of: PageOf) -> None:
    for run in sound.values():
        assert read_run(run, salvages=True).faults == ()
        html = words_of(run)
        assert CANNOT not in html
        assert "could be read" not in html


def _damaged(sound: bytes, how: int) -> bytes | None:
    return (None, BINARY, sound[: len(sound) // 2 - 3])[how % 3]


def _write(path: Path, content: bytes | None) -> None:
    path.unlink(missing_ok=True)
    if content is not None:
        path.write_bytes(content)


@pytest.mark.parametrize("kind", ["search", "trials", "nested", "retrain"])
def test_every_file_may_be_missing_binary_or_torn(kind: str, copy: Callable[[str], Path], words_of: PageOf) -> None:
    run = copy(kind)
    files = sorted(path for path in run.rglob("*") if path.suffix in (".json", ".jsonl"))
    kept = {path: path.read_bytes() for path in files}
    for number, path in enumerate(files):
        _write(path, _damaged(kept[path], number))
        text = _text(words_of(run))
        assert not path.exists() or str(path) in text, path
        _write(path, kept[path])
    for how in range(3):
        for number, path in enumerate(files):
            if path != run / "run.json":  # with it, nothing would be left to tell what this is
                _write(path, _damaged(kept[path], number + how))
        assert "<h1>" in words_of(run)


@pytest.mark.parametrize("kind", ["search", "trials", "retrain"])
def test_values_of_any_other_type_take_no_page_away(kind: str, copy: Callable[[str], Path], words_of: PageOf) -> None:
    run = copy(kind)
    for path in [run / "run.json", run / "metrics.json", run / "genotype.json"]:
        record = json.loads(path.read_text()) if path.exists() else {}
        keys = [key for key in record if key != "kind"]
        for every in range(4 if record else 0):
            wrong = {key: WRONG[(i + every) % len(WRONG)] for i, key in enumerate(keys) if i % 4 == every}
            path.write_text(json.dumps(record | wrong))
            assert "<h1>" in words_of(run), wrong
            path.write_text(json.dumps(record))


def test_wrong_types_deep_inside_are_told_in_their_place(copy: Callable[[str], Path], words_of: PageOf) -> None:
    run = copy("retrain")
    metrics = json.loads((run / "metrics.json").read_text())
    metrics["per_fold"][0]["confusion"] = "many"
    (run / "metrics.json").write_text(json.dumps(metrics))
    text = _text(words_of(run))
    assert f"This part {CANNOT} (ValueError: " in text
    assert "How the retraining went" in text, "the other parts stand"


def test_a_run_of_a_newer_version_is_shown_as_far_as_it_is_understood(
    copy: Callable[[str], Path], words_of: PageOf
) -> None:
    run = copy("search")
    record = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(record | {"schema_version": 2, "kind": "hyper_search"}))
    text = _text(words_of(run))
    assert f"{run / 'run.json'}: a run record of version 2; this audionas reads version 1" in text
    assert "Not all of this run could be read (1 fault, listed below): what follows is what is there." in text
    assert "Normal cell" in text
    with pytest.raises(RunError, match="of version 2; this audionas reads version 1"):
        read_run(run)


def test_a_run_without_its_record_is_shown_by_its_files(copy: Callable[[str], Path], words_of: PageOf) -> None:
    for kind, guessed in (("search", "search"), ("nested", "nested_search"), ("retrain", "retrain")):
        run = copy(kind)
        (run / "run.json").unlink()
        assert kind_by_files(run) == guessed
        assert f"{run / 'run.json'}: missing" in _text(words_of(run))
    assert kind_by_files(run.parent) == ""
    for name, guessed in (("tables.json", "reproduce"), ("metrics.json", "retrain")):
        (run.parent / name).touch()
        assert kind_by_files(run.parent) == guessed
        (run.parent / name).unlink()


def test_the_lines_before_a_torn_or_foreign_one_are_shown(copy: Callable[[str], Path], words_of: PageOf) -> None:
    run = copy("search")
    log = run / "epochs.jsonl"
    lines = log.read_text().splitlines(keepends=True)
    for damage, why in (
        ('{"epoch": 4, "wei', "line 5 is torn: it has no end"),
        ('{"epoch": "four"}\n', "line 5 is none of this log: epoch: got 'four', must be a whole number"),
        ("[1, 2]\n", "line 5 is not JSON (expected an object, got list)"),
    ):
        log.write_text("".join(lines[:4]) + damage)
        text = _text(words_of(run))
        assert f"{log}: {why}" in text
        assert "; shown are the 4 lines before it" in text
        assert "weights after epoch 4" in text


def test_a_log_with_two_damages_ends_at_the_first() -> None:
    faults: list[str] = []
    reading = RunReading(faults)

    def read(n_lines: int | None) -> list[dict[str, Any]]:
        if n_lines is None or n_lines > 2:
            raise LogError(f"damage below line {n_lines}", 5 if n_lines is None else 2)
        return [{}] * n_lines

    assert len(reading.lines(read)) == 2
    assert faults == ["damage below line None; shown are the 5 lines before it"]
    with pytest.raises(LogError, match="damage below line None"):
        RunReading().lines(read)


def test_settings_that_are_no_yaml_are_told(copy: Callable[[str], Path], words_of: PageOf) -> None:
    run = copy("trials")
    for content, why in ((b"a: [1", "not valid YAML"), (b"\xff\xfe\x00", "not text in UTF-8; restore the file")):
        (run / "space.yaml").write_bytes(content)
        assert f"{run / 'space.yaml'}: {why}" in _text(words_of(run))
        with pytest.raises(AudionasError, match=why):
            RunReading().settings(run / "space.yaml")


def test_a_trial_of_another_space_has_no_genotype_and_the_others_do(
    copy: Callable[[str], Path], words_of: PageOf
) -> None:
    run = copy("trials")
    lines = [json.loads(line) for line in (run / "trials.jsonl").read_text().splitlines()]
    lines[4]["sample"] = {"strange": "choice"}
    (run / "trials.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (data,) = re.findall(r'<script type="application/json">(.*?)</script>', words_of(run))
    trials = json.loads(data)["trials"]
    assert [trial["number"] for trial in trials if trial["genotype"] is None] == [3]


def test_a_search_that_has_just_begun_has_no_chart_yet(tmp_path: Path, words_of: PageOf) -> None:
    run = write_trials(tmp_path / "run")
    (run / "trials.jsonl").write_text((run / "trials.jsonl").read_text().splitlines(keepends=True)[0])
    html = words_of(run)
    assert '<div class="explorer">' not in html
    assert "Trials by UA (1 running)" in html


@pytest.mark.parametrize(
    ("kind", "file"),
    [("fuse", "metrics.json"), ("evaluate", "metrics.json"), ("reproduce", "tables.json"), ("compare", "tables.json")],
)
def test_other_kinds_of_runs_have_a_page_whatever_their_results_hold(
    kind: str, file: str, tmp_path: Path, words_of: PageOf
) -> None:
    (tmp_path / "run.json").write_text(json.dumps({"kind": kind, "status": "running", "streams": ["a", 3], "plan": 5}))
    assert "<h1>" in words_of(tmp_path)
    keys = ("headline", "all_splits", "rows", "networks", "tables", "arms", "fusion", "notes", "conclusions", "splits")
    for number in range(len(WRONG)):
        content = {key: WRONG[(number + i) % len(WRONG)] for i, key in enumerate(keys)}
        (tmp_path / file).write_text(json.dumps(content))
        assert "<h1>" in words_of(tmp_path), content
    (tmp_path / file).write_bytes(BINARY)
    assert str(tmp_path / file) in words_of(tmp_path)


def test_a_genotype_of_another_form_in_a_log_takes_away_the_slider_alone(
    copy: Callable[[str], Path], words_of: PageOf
) -> None:
    run = copy("search")
    lines = [json.loads(line) for line in (run / "epochs.jsonl").read_text().splitlines()]
    lines[1]["genotype"] = {"normal": "cell", "reduce": 3}
    (run / "epochs.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    text = _text(words_of(run))
    assert f"What moves here {CANNOT}" in text
    assert "Losses of the supernet" in text
