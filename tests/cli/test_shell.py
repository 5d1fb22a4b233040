"""What a shell and its scripts rely on, of every subcommand: options, examples, exit statuses, pipes, colours."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import typer

from audionas.cli import app
from audionas.cli.console import ConsoleTalk, print_result
from audionas.errors import RunError
from tests.cli.running import COMMANDS, LONG_COMMANDS, example, run
from tests.watching.small_runs import write_epochs, write_run

ROOT = Path(__file__).parents[2]
EVERY = (*COMMANDS, *LONG_COMMANDS)


def command(name: str) -> Any:
    group: Any = typer.main.get_command(app)
    return group.commands[name]


def options(name: str) -> dict[str, str]:
    """Flag -> help of a subcommand, those shared with others too."""
    found = command(name)
    context = found.make_context(name, [], resilient_parsing=True)
    return {flag: parameter.help or "" for parameter in found.get_params(context)
            if parameter.param_type_name == "option" for flag in parameter.opts}  # fmt: skip


@pytest.mark.parametrize("name", EVERY)
def test_the_example_of_every_command_is_understood(name: str) -> None:
    words = example(name)
    assert words[0] == name
    with patch.object(sys, "stderr", io.StringIO()):
        context = command(name).make_context(name, words[1:])
    assert context.params


@pytest.mark.parametrize("name", EVERY)
def test_json_quiet_and_verbose_mean_the_same_everywhere(name: str) -> None:
    found = options(name)
    assert "--json" in found
    assert {flag: found[flag] for flag in ("--quiet", "-q", "--verbose", "-v")} == {
        "--quiet": "Only warnings and the result.", "-q": "Only warnings and the result.",
        "--verbose": "Also log what libraries say.", "-v": "Also log what libraries say.",
    }  # fmt: skip


def test_quiet_leaves_the_result_and_verbose_lets_libraries_speak() -> None:
    level = logging.getLogger().level
    try:
        plain = run("list", "ops")
        assert run("list", "ops", "--quiet").out == plain.out
        assert run("list", "ops", "-v").out == plain.out
        assert logging.getLogger().level == logging.INFO
    finally:
        logging.getLogger().setLevel(level)


def test_the_help_and_the_readme_say_what_the_exit_statuses_mean() -> None:
    told = " ".join(run("--help").out.split())
    assert "Exit status: 0 done, 1 an error in one line, 2 wrong usage, 130 interrupted." in told
    assert "Example: audionas search --epochs 2" in told
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "Exit status: 0 done, 1 an error in one line, 2 wrong usage, 130 interrupted." in readme


@pytest.mark.parametrize(
    ("words", "code"),
    [(("list", "ops"), 0), (("list", "opps"), 1), (("check", "no_such.json"), 1), (("list", "--nope"), 2), ((), 2)],
)
def test_exit_statuses_are_those_documented(words: tuple[str, ...], code: int, tmp_path: Path) -> None:
    assert run(*words, cwd=tmp_path).code == code


@pytest.mark.parametrize("name", ["search", "retrain"])
def test_ctrl_c_is_exit_status_130(name: str, tmp_path: Path) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with patch(f"audionas.experiment.{name}.{name}", stop):
        found = run(*example(name), cwd=tmp_path)
    assert found.code == 130
    assert "Traceback" not in found.err
    with patch("audionas.experiment.listing.listing", stop):
        found = run("list")
    assert found.code == 130
    assert "Traceback" not in found.err


def process(run_folder: Path, shell_line: str) -> subprocess.CompletedProcess[str]:
    """A line of bash in which `look` is `audionas watch` of a run, which loads no torch."""
    write_epochs(write_run(run_folder, "search", epochs=3), 2)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "RUN": str(run_folder)}
    line = f'look() {{ "{sys.executable}" -m audionas watch "$RUN" "$@"; }}; {shell_line}'
    return subprocess.run(["bash", "-c", line], env=environment, capture_output=True, text=True, check=False)


def test_a_reader_that_has_read_enough_is_no_error(tmp_path: Path) -> None:
    found = process(tmp_path, "look --json | head -c 5; echo; look | true; echo ${PIPESTATUS[0]}")
    assert found.stderr == ""
    assert found.stdout == '{"sch\n0\n'


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_behind_stdout_is_one_line(tmp_path: Path) -> None:
    found = process(tmp_path, "look > /dev/full; echo $?")
    assert found.stdout == "1\n"
    assert found.stderr.startswith("audionas: standard output: cannot write (No space left on device)")
    assert found.stderr.count("\n") == 1


def test_a_result_that_cannot_be_written_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.StringIO):
        def write(self, _text: str) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("audionas.cli.console._close_stdout", lambda: None)
    with patch.object(sys, "stdout", Full()), pytest.raises(RunError, match="standard output: cannot write"):
        print_result(["x"], {}, as_json=False)


@pytest.mark.parametrize(
    ("is_terminal", "no_color", "has_colour"), [(True, "", True), (True, "1", False), (False, "", False)]
)
def test_colours_are_off_when_piped_and_with_no_color(
    monkeypatch: pytest.MonkeyPatch, is_terminal: bool, no_color: str, has_colour: bool
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    if no_color:
        monkeypatch.setenv("NO_COLOR", no_color)
    out = io.StringIO()
    monkeypatch.setattr(out, "isatty", lambda: is_terminal)
    with patch.object(sys, "stderr", out), ConsoleTalk() as talk:
        talk.warn("look out")
    assert bool(re.search(r"\x1b\[[0-9;]*3[0-7]m", out.getvalue())) is has_colour
    assert "warning: look out" in out.getvalue()


def test_help_and_results_have_no_colours() -> None:
    for words in (("--help",), ("search", "--help"), ("list",)):
        assert "\x1b" not in run(*words).out
    assert json.loads(run("list", "ops", "--json").out)
