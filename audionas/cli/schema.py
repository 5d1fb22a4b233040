"""`audionas schema`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def schema(
    what: Annotated[str, typer.Argument(help="space, strategy, features or augmentation.")],
    out: Annotated[Path | None, typer.Option("--out", help="File to write. Default: standard output.")] = None,
) -> None:
    """Print the JSON Schema of a kind of YAML file, by which editors complete and check it.

    Example: audionas schema space --out space.schema.json
    """
    from audionas.yaml_schemas import schema_text, write_schema

    print(schema_text(what) if out is None else write_schema(what, out), end="" if out is None else "\n")
