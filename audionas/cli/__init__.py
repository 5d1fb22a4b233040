"""The command line: parse, call one function of `experiment/`, print. One file a subcommand.

Exit status: 0 done, 1 an error in one line, 2 usage, 130 interrupted (and resumable).
"""

from __future__ import annotations

import logging
import sys
from typing import NoReturn

import typer

from audionas import __version__
from audionas.cli.bundle import bundle
from audionas.cli.check import check
from audionas.cli.command import VERBOSE_HELP, Subcommand, log_more
from audionas.cli.compare import compare
from audionas.cli.evaluate import evaluate
from audionas.cli.export import export
from audionas.cli.fuse import fuse
from audionas.cli.hypercolumns import hypercolumns
from audionas.cli.list import list_parts
from audionas.cli.new import new
from audionas.cli.predict import predict
from audionas.cli.prepare import prepare
from audionas.cli.pretrain import pretrain
from audionas.cli.rank import rank
from audionas.cli.report import report
from audionas.cli.reproduce import reproduce
from audionas.cli.retrain import retrain
from audionas.cli.schema import schema
from audionas.cli.search import search
from audionas.cli.verify import verify
from audionas.cli.watch import watch
from audionas.errors import AudionasError
from audionas.kernels import tell_of_kernels

app = typer.Typer(
    name="audionas",
    help="Neural architecture search for audio: search spaces, strategies, genotypes, honest evaluation.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=True,
    epilog="Exit status: 0 done, 1 an error in one line, 2 wrong usage, 130 interrupted. Results go to standard "
    "output, all else to standard error; colours are off where that is no terminal, and with NO_COLOR. Example: "
    "audionas search --epochs 2",
)
app.command("prepare", cls=Subcommand)(prepare)
app.command("pretrain", cls=Subcommand)(pretrain)
app.command("hypercolumns", cls=Subcommand)(hypercolumns)
app.command("search", cls=Subcommand)(search)
app.command("rank", cls=Subcommand)(rank)
app.command("retrain", cls=Subcommand)(retrain)
app.command("evaluate", cls=Subcommand)(evaluate)
app.command("predict", cls=Subcommand)(predict)
app.command("fuse", cls=Subcommand)(fuse)
app.command("compare", cls=Subcommand)(compare)
app.command("reproduce", cls=Subcommand)(reproduce)
app.command("report", cls=Subcommand)(report)
app.command("watch", cls=Subcommand)(watch)
app.command("bundle", cls=Subcommand)(bundle)
app.command("verify", cls=Subcommand)(verify)
app.command("export", cls=Subcommand)(export)
app.command("list", cls=Subcommand)(list_parts)
app.command("check", cls=Subcommand)(check)
app.command("schema", cls=Subcommand)(schema)
app.command("new", cls=Subcommand)(new)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"audionas {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: bool = typer.Option(  # noqa: ARG001
        False, "--version", callback=_version, is_eager=True, help="Print the version."
    ),
    verbose: bool = typer.Option(False, "--verbose", "-v", help=VERBOSE_HELP),
) -> None:
    """Neural architecture search for audio."""
    tell_of_kernels(lambda line: print(line, file=sys.stderr))
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    log_more(verbose)


def main() -> NoReturn:
    """Entry point of the `audionas` command."""
    try:
        app(prog_name="audionas", standalone_mode=True)
    except AudionasError as why:
        print(f"audionas: {why}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("audionas: interrupted", file=sys.stderr)
        sys.exit(130)
    sys.exit(0)
