"""`audionas new`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from audionas.cli.console import print_result
from audionas.cli.parameters import JsonOption


def new(
    what: Annotated[str, typer.Argument(help="space or strategy.")],
    name: Annotated[str, typer.Argument(help="Its name: small letters, digits, _ and -.")],
    kind: Annotated[
        str | None, typer.Option("--kind", help="Kind of the space (search_spaces/README.md). Default: cnn_cell.")
    ] = None,
    algorithm: Annotated[
        str | None, typer.Option("--algorithm", help="Algorithm of the strategy. Default: regularized_evolution.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="YAML file to write. Default: NAME.yaml.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Write a commented starting file for a space or a strategy of your own; nothing is overwritten.

    Example: audionas new space my_cells --kind cnn_cell
    """
    from audionas.starting_files import write_starting_file

    file = write_starting_file(what, name, kind, algorithm, out)
    option = "--space" if what == "space" else "--strategy"
    lines = [str(file), f"next: audionas check {file}; audionas search YOUR_DATA {option} {file}"]
    print_result(lines, {"file": str(file)}, as_json=as_json)
