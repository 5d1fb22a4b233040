"""`audionas report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from audionas.cli.console import print_result
from audionas.cli.parameters import JsonOption


def report(
    run: Annotated[Path, typer.Argument(help="Run folder of a search, a retraining, a fusion, an evaluation...")],
    out: Annotated[
        Path | None, typer.Option("--out", help="HTML file. Default: report.html in the run folder.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write one self-contained HTML page about a run; works offline.

    Example: audionas report runs/first
    """
    from audionas.report import write_report

    page = write_report(run, out)
    print_result([f"report: {page}"], {"report": str(page)}, as_json=as_json)
