"""Runs the command line as a user's shell does, in this process."""

from __future__ import annotations

import io
import os
import shlex
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from audionas.cli import main

COMMANDS = (
    "prepare", "pretrain", "hypercolumns", "search", "rank", "retrain", "evaluate", "predict", "fuse", "report",
    "export", "list", "check", "bundle", "verify", "schema", "new", "watch",
)  # fmt: skip
LONG_COMMANDS = ("reproduce", "compare")  # minutes: their examples stand in the guide


@dataclass(frozen=True)
class Outcome:
    """Exit status, stdout and stderr of a command."""

    code: int
    out: str
    err: str


def run(*words: str | Path, cwd: Path | None = None) -> Outcome:
    """Run `audionas WORDS`."""
    out, err = io.StringIO(), io.StringIO()
    argv = ["audionas", *map(str, words)]
    with chdir(cwd or Path.cwd()), patch.object(sys, "argv", argv), redirect_stdout(out), redirect_stderr(err):
        try:
            main()
        except SystemExit as end:
            return Outcome(int(end.code or 0), out.getvalue(), err.getvalue())
    raise AssertionError("main() always exits")


def example(command: str) -> list[str]:
    """The words after `audionas` in the example of a subcommand's help."""
    lines = [line.strip() for line in run(command, "--help").out.splitlines()]
    examples = [line for line in lines if line.startswith("Example: audionas ")]
    assert len(examples) == 1, f"{command} --help has no Example: line, or several"
    return shlex.split(examples[0])[2:]


def refused(*words: str | Path, cwd: Path | None = None) -> str:
    """The one line of a command that fails; fails itself if there is more, or a traceback."""
    found = run(*words, cwd=cwd)
    assert found.code == 1, found
    assert found.out == ""
    assert found.err.endswith("\n"), found.err
    assert found.err.count("\n") == 1, found.err
    assert found.err.startswith("audionas: ")
    return found.err.removeprefix("audionas: ").rstrip("\n")


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, to see that nothing changed."""
    return {
        os.fspath(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }
