"""Writes are atomic, reads are strict, every mistake is one line."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import Field

from audionas.errors import AudionasError, RunError, SettingsError
from audionas.records import (
    Record,
    append_jsonl,
    parse_yaml,
    read_json,
    read_jsonl,
    rewrite_jsonl,
    to_json,
    validate,
    write_atomically,
    write_json,
    write_text,
)  # fmt: skip


class Inner(Record):
    rate: float = Field(default=1.0, gt=0)


class Outer(Record):
    nodes: int = Field(ge=1)
    inner: Inner = Inner()


def one_line(kind: type[AudionasError], words: str, act: Callable[[], object]) -> None:
    with pytest.raises(kind, match=words) as error:
        act()
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 1000


# --- writing ---


def test_a_writer_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    write_text(file, "old")

    def fail(part: Path) -> None:
        part.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(file, fail)
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_written_file_is_readable_by_others(tmp_path: Path) -> None:
    write_text(tmp_path / "a" / "b.txt", "é\n")
    assert (tmp_path / "a" / "b.txt").read_bytes() == b"\xc3\xa9\n"
    assert (tmp_path / "a" / "b.txt").stat().st_mode & 0o777 == 0o644


def _full(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_is_one_line_and_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "run.json"
    write_json(file, {"a": 1})
    monkeypatch.setattr(os, "fsync", _full)
    words = r"run\.json: cannot write \(No space left on device\); free space or choose another folder"
    one_line(RunError, words, lambda: write_json(file, {"a": 2}))
    assert read_json(file, "test file") == {"a": 1}
    assert list(tmp_path.iterdir()) == [file]
    one_line(RunError, "epochs.jsonl: cannot write", lambda: append_jsonl(tmp_path / "epochs.jsonl", {}))


def test_a_file_where_a_folder_should_be_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file")
    one_line(RunError, r"cannot write \(", lambda: write_text(tmp_path / "runs" / "x.txt", ""))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_one_line(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    one_line(RunError, "Permission denied", lambda: write_text(tmp_path / "x.txt", ""))


def test_json_never_holds_nan() -> None:
    with pytest.raises(ValueError):
        to_json({"loss": float("nan")})


# --- JSON and JSON lines ---


@pytest.mark.parametrize(
    "content,words",
    [
        (b"", "not a test file: not valid JSON"),
        (b'{"a": 1', "not valid JSON"),
        (b'{"a": "\xff"}', "not valid JSON"),
        (b"[" * 50_000, "not valid JSON"),
        (b'{"a": NaN}', "not valid JSON"),
        (b'{"a": -Infinity}', "not valid JSON"),
        (b'{"a": 1e999}', "not valid JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not valid JSON"),
        (b" " * 2001, "2001 bytes, a test file has at most 2000"),
    ],
    ids=["empty", "torn", "latin-1", "deep", "nan", "infinity", "overflow", "huge integer", "too large"],
)
def test_a_broken_json_file_is_one_line(tmp_path: Path, content: bytes, words: str) -> None:
    file = tmp_path / "x.json"
    file.write_bytes(content)
    limit = 2000 if b" " * 100 in content else 10**6
    one_line(AudionasError, words, lambda: read_json(file, "test file", max_bytes=limit))


def test_a_missing_json_file_and_a_folder_are_one_line(tmp_path: Path) -> None:
    one_line(AudionasError, r"no\.json: no such test file$", lambda: read_json(tmp_path / "no.json", "test file"))
    one_line(AudionasError, "cannot read this test file", lambda: read_json(tmp_path, "test file"))


def test_lines_come_back_and_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    assert read_jsonl(log) == []
    records = [{"epoch": 0, "label": 'Ärger, "groß"\n'}, {"epoch": 1}]
    for record in records:
        append_jsonl(log, record)
    whole = log.read_bytes()
    for cut in (whole + b'{"epoch": 2', whole + b'{"epoch": 2}', whole + b'{"ep\n', whole + b"\xff\n"):
        log.write_bytes(cut)
        assert read_jsonl(log) == records


def test_a_damaged_line_that_is_not_the_last_is_named(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text('{"a": 1}\n{oops\n{"a": 3}\n')
    one_line(RunError, r"log\.jsonl: line 2 is not JSON", lambda: read_jsonl(log))


def test_a_log_is_cut_back_atomically(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    for epoch in range(3):
        append_jsonl(log, {"epoch": epoch})
    rewrite_jsonl(log, read_jsonl(log)[:1])
    append_jsonl(log, {"epoch": "new"})
    assert log.read_text() == '{"epoch": 0}\n{"epoch": "new"}\n'


# --- YAML and validation ---


@pytest.mark.parametrize(
    "text,words",
    [
        ("nodes: 1\nnodes: 2", "key 'nodes' stands twice"),
        ("inner: {rate: 1, rate: 2}", "key 'rate' stands twice"),
        ("- 1", "expected a YAML mapping of settings, got list"),
        ("", "expected a YAML mapping of settings, got NoneType"),
        ("a: [1", "not valid YAML"),
        ("a: !!python/object/apply:os.mkdir [executed]", "not valid YAML.*could not determine a constructor"),
        ("{[1]: 2}", "not valid YAML"),
        ("a: 2024-13-45", "not valid YAML"),
        ("a: " + "9" * 5000, "not valid YAML"),
        ("a: " + "[" * 5000, "not valid YAML"),
        ("a: \x00", "not valid YAML"),
    ],
)
def test_broken_or_hostile_yaml_is_one_line_and_never_run(
    text: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    one_line(SettingsError, f"^space.yaml: .*{words}", lambda: parse_yaml(text, "space.yaml"))
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_key_names_the_nearest_one_accepted_at_its_place() -> None:
    one_line(
        SettingsError,
        r"^x\.yaml: unknown key 'node' \(did you mean 'nodes'\?\); known: inner, nodes$",
        lambda: validate(Outer, {"nodes": 1, "node": 1}, "x.yaml"),
    )
    one_line(
        SettingsError,
        r"unknown key 'inner.rte'.*known: rate$",
        lambda: validate(Outer, {"nodes": 1, "inner": {"rte": 1}}, "x.yaml"),
    )


def test_all_mistakes_of_a_file_are_told_together() -> None:
    with pytest.raises(SettingsError) as error:
        validate(Outer, {"inner": {"rate": -1}, "x": 2}, "x.yaml")
    assert str(error.value).count("; ") >= 2
    for words in ("'nodes' is missing", "inner.rate: got -1, must be above 0", "unknown key 'x'"):
        assert words in str(error.value)


def test_a_value_that_explodes_when_printed_is_shortened() -> None:
    laughs = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 8))
    settings = parse_yaml(laughs + "nodes: *a7", "x.yaml")
    one_line(SettingsError, "nodes: got ", lambda: validate(Outer, {"nodes": settings["nodes"]}, "x.yaml"))
    one_line(SettingsError, "nodes: got ", lambda: validate(Outer, {"nodes": "9" * 10**6}, "x.yaml"))


def test_a_key_with_a_line_break_stays_on_one_line() -> None:
    one_line(SettingsError, "unknown key", lambda: validate(Outer, {"nodes": 1, "a\nb": 1}, "x.yaml"))


def test_a_record_cannot_be_changed_nor_hold_infinity() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Inner().rate = 2.0  # type: ignore[misc]
    one_line(SettingsError, "finite", lambda: validate(Inner, {"rate": float("inf")}, "x.yaml"))
