"""`audionas schema`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from audionas.cli.console import print_result
from audionas.cli.parameters import JsonOption


def schema(
    what: Annotated[str, typer.Argument(help="space, strategy, features or augmentation.")],
    out: Annotated[Path | None, typer.Option("--out", help="File to write. Default: standard output.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Print the JSON Schema of a kind of YAML file, by which editors complete and check it.

    Example: audionas schema space --out space.schema.json
    """
    from audionas.yaml_schemas import schema_text, write_schema

    if out is None:
        print(schema_text(what), end="")  # a JSON document by itself, with --json and without
    else:
        place = str(write_schema(what, out))
        print_result([place], {"out": place}, as_json=as_json)
