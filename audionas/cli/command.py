"""A subcommand with the options that all have: `--quiet` and `--verbose` mean the same behind every name."""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import Annotated, Any

import typer
from typer.core import TyperCommand
from typer.main import get_command

QUIET_HELP = "Only warnings and the result."
VERBOSE_HELP = "Also log what libraries say."


def log_more(is_verbose: bool) -> None:
    """Let libraries speak from INFO on."""
    if is_verbose:
        logging.getLogger().setLevel(logging.INFO)


def _shared(
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help=QUIET_HELP, expose_value=False)] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help=VERBOSE_HELP, expose_value=False, callback=log_more)
    ] = False,
) -> None:
    """Only its parameters count."""


class Subcommand(TyperCommand):
    """A command with `--quiet` and `--verbose`; one that only prints its result is quiet in any case."""

    def get_params(self, ctx: Any) -> Any:
        """Its own parameters, those shared that it has not, and `--help` last."""
        own = super().get_params(ctx)
        known = {parameter.name for parameter in own}
        return [*own[:-1], *(each for each in _parameters() if each.name not in known), *own[-1:]]


@lru_cache
def _parameters() -> tuple[Any, ...]:
    holder = typer.Typer(add_completion=False)
    holder.command()(_shared)
    return tuple(get_command(holder).params)
