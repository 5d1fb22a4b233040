"""Options that several subcommands share: they stand in each, and their help names what is accepted."""

from __future__ import annotations

import typer

from audionas.audio.folds import PROTOCOLS
from audionas.cli import app


def test_the_three_subcommands_that_prepare_data_take_every_protocol() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for name in ("prepare", "search", "retrain"):
        (option,) = (found for found in commands[name].params if found.name == "protocol")
        assert option.opts == ["--protocol"]
        assert all(protocol in option.help for protocol in PROTOCOLS)
