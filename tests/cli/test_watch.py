"""`audionas watch`: a plain snapshot where stdout is no terminal, a screen on one, and a page with --web."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from unittest.mock import patch

import pytest
from rich.console import Console

from audionas.cli.watch import _follow
from audionas.cli.watch_screen import screen
from audionas.watching.take import take_snapshot
from tests.cli.running import refused, run
from tests.watching.small_runs import hold, write_epochs, write_run

ROOT = Path(__file__).parents[2]


@pytest.fixture
def search(tmp_path: Path) -> Path:
    """A search of three epochs, of which two are on record; nobody works on it."""
    folder = write_run(tmp_path / "run", "search", "interrupted", epochs=3, warnings=["[bold]no markup[/bold]"])
    write_epochs(folder, 2)
    return folder


def test_a_plain_snapshot_is_printed_where_stdout_is_no_terminal(search: Path) -> None:
    found = run("watch", search)
    assert (found.code, found.err) == (0, "")
    assert "epochs        2 of 3" in found.out
    assert "\x1b" not in found.out
    assert found.out == run("watch", search, "--once").out


def test_json_is_one_document(search: Path) -> None:
    record = json.loads(run("watch", search, "--json").out)
    assert record["state"] == "interrupted"
    assert record["progress"] == [{"what": "epochs", "done": 2, "total": 3, "seconds_left": None}]
    assert record["scores"]["UA"] == "supernet 0.500, network 0.300 (monitor)"
    assert record["series"][0]["values"] == pytest.approx([1.5, 1.4])


def test_a_folder_that_is_no_run_is_one_line(tmp_path: Path) -> None:
    assert refused("watch", tmp_path).startswith(f"{tmp_path}: no run here")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--every", "0"), "--every: got 0, must be 0.1 seconds or more"),
        (("--every", "nan"), "--every: got nan, must be 0.1"),
        (("--port", "80"), "--port: is for --web"),
        (("--web", "--once"), "--web and --once exclude each other"),
        (("--web", "--port", "-1"), "--port: got -1, must be 0"),
    ],
)
def test_options_that_mean_nothing_are_refused(search: Path, words: tuple[str, ...], told: str) -> None:
    assert refused("watch", search, *words).startswith(told)


def test_the_screen_shows_bars_colours_and_no_markup_of_files(search: Path) -> None:
    out = io.StringIO()
    Console(file=out, force_terminal=True, width=100, color_system="standard").print(screen(take_snapshot(search)))
    text = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue())
    assert "━" in text
    assert "[bold]no markup[/bold]" in text
    assert "\x1b[33m" in out.getvalue()


def test_no_color_is_obeyed(search: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    out = io.StringIO()
    Console(file=out, force_terminal=True, width=100).print(screen(take_snapshot(search)))
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", out.getvalue())


def test_on_a_terminal_it_follows_the_run_until_that_ends(search: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_run(search, "search", "running", epochs=3)
    lock = hold(search)
    slept = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        write_epochs(search, 2 + len(slept))
        if len(slept) == 2:
            write_run(search, "search", "done", epochs=3)

    monkeypatch.setattr(time, "sleep", sleep)
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=100, height=50)
    with patch("rich.console.Console", lambda **_: console):
        _follow(search, 0.5, take_snapshot(search))
    lock.release()
    assert slept == [0.5, 0.5]
    assert "running" in out.getvalue()
    assert "done" in out.getvalue().rpartition("status")[2]


def test_ctrl_c_ends_the_looking_and_not_the_run(search: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_run(search, "search", "running", epochs=3)
    lock = hold(search)

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", interrupt)
    with patch("rich.console.Console", lambda **_: Console(file=io.StringIO())):
        _follow(search, 2.0, take_snapshot(search))
    lock.release()


def test_the_web_page_is_served_until_ctrl_c(search: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    write_run(search, "rank", "done", genotypes=1)  # of a kind without a report: nothing is drawn
    command = [sys.executable, "-m", "audionas", "watch", str(search), "--web", "--json"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:  # fmt: skip
        killer = threading.Timer(60, process.kill)
        killer.start()
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        with urllib.request.urlopen(url, timeout=20) as answer:
            assert b"0 of 1" in answer.read()
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        killer.cancel()
        assert process.stderr is not None
        assert process.stderr.read() == ""
