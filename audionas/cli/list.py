"""`audionas list`."""

from __future__ import annotations

from typing import Annotated

import typer

from audionas.cli import completing
from audionas.cli.console import print_result
from audionas.cli.parameters import JsonOption


def list_parts(
    what: Annotated[
        str | None,
        typer.Argument(
            autocompletion=completing.shelves,
            help="spaces, strategies, baselines, ops, features, datasets or augmentations. Default: all.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List what there is to search with.

    Example: audionas list strategies
    """
    from audionas.experiment.listing import listing

    table = listing(what)
    lines = []
    for shelf, members in table.items():
        width = max(map(len, members))
        lines += [f"{shelf}:", *(f"  {name:<{width}}  {text}" for name, text in members.items())]
    print_result(lines, table, as_json=as_json)
