"""`audionas check`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from audionas.cli.console import print_result
from audionas.cli.parameters import JsonOption

_ACCEPTED = (
    "Space, strategy or feature YAML; genotype, recipe or catalogue JSON; DARTS text; manifest CSV; run folder; "
    "data folder."
)


def check(
    files: Annotated[list[Path], typer.Argument(help=_ACCEPTED)],
    as_json: JsonOption = False,
) -> None:
    """Validate files and report all errors of each; exit 1 if there is any.

    Example: audionas check genotype.json my_space.yaml
    """
    from audionas.experiment.checking import check_file

    found = {str(path): check_file(path) for path in files}
    lines = []
    for path, result in found.items():
        lines += [f"{path}: {error}" for error in result.errors] or [f"{path}: a valid {result.kind}"]
        lines += [f"{path}: {note}" for note in result.notes]
    record = {
        path: {"kind": result.kind, "errors": list(result.errors), "notes": list(result.notes)}
        for path, result in found.items()
    }
    print_result(lines, record, as_json=as_json)
    if any(result.errors for result in found.values()):
        raise typer.Exit(1)
