"""`audionas bundle`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from audionas.cli.console import print_result
from audionas.cli.parameters import JsonOption


def bundle(
    run: Annotated[Path, typer.Argument(help="Run folder of a search, a retraining, a fusion or a reproduction.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Zip to write. Default: bundle.zip in the run folder.")
    ] = None,
    weights: Annotated[bool, typer.Option("--weights", help="Also put in the trained weights (safetensors).")] = False,
    as_json: JsonOption = False,
) -> None:
    """Pack what others need to check a run into one zip: no audio, no features, no path of this machine.

    Example: audionas bundle runs/first --out first.zip
    """
    from audionas.experiment import bundle as steps

    found = steps.bundle(run, out, weights=weights)
    lines = [
        f"bundle: {found.path}",
        f"{found.n_files} files, {found.n_bytes:,} bytes, sha256 {found.sha256}",
        f"next: audionas verify {found.path}",
    ]
    record = {"bundle": str(found.path), "files": found.n_files, "bytes": found.n_bytes, "sha256": found.sha256}
    print_result(lines, record, as_json=as_json)
