"""`audionas report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from audionas.cli.console import ConsoleTalk, print_result
from audionas.cli.parameters import JsonOption


def report(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN...",
            help="Run folder of any kind (search, retraining, evaluation, fusion, reproduction, comparison). Of "
            "several the page shows all side by side; where the others are retrainings under the "
            "rules of the first, on its own page (networks in its baselines_retrained stand there in any case).",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="HTML file. Default: report.html in the run folder; of runs of other rules "
            "side_by_side.html in the first.",
        ),
    ] = None,
    csv: Annotated[
        str | None, typer.Option("--csv", help="Write the table of results as CSV into this file; - prints it.")
    ] = None,
    latex: Annotated[
        str | None, typer.Option("--latex", help="Write the table of results as LaTeX into this file; - prints it.")
    ] = None,
    methods: Annotated[
        bool, typer.Option("--methods", help="Print a paragraph of methods; with --latex put it before the table.")
    ] = False,
    unranked: Annotated[
        bool,
        typer.Option("--unranked", help="Put runs of different rules into one table, in the order given."),
    ] = False,
    no_clips: Annotated[
        bool,
        typer.Option("--no-clips", help="Embed no recordings: without it the page holds up to 8 test clips to hear."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Write one self-contained HTML page about a run or several; or, for papers, tables of results and methods.

    What is missing or damaged is left out, and the page says so.

    Example: audionas report runs/first
    """
    from audionas.errors import SettingsError
    from audionas.experiment.report_page import report_page
    from audionas.experiment.results_table import results
    from audionas.records import write_text

    if csv is None and latex is None and not methods:
        if unranked:
            raise SettingsError("--unranked is for tables: give --csv or --latex")
        with ConsoleTalk() as talk:
            page = report_page(runs[0], runs[1:], out, talk, clips=not no_clips)
        print_result([f"report: {page}"], {"report": str(page)}, as_json=as_json)
        return
    if out is not None:
        raise SettingsError("--out is for the HTML page; --csv FILE and --latex FILE name their own")
    texts = results(runs, csv=csv is not None, latex=latex is not None, methods=methods, unranked=unranked)
    lines, record = [], {}
    for name, text in texts.items():
        place = {"csv": csv, "latex": latex}.get(name) or "-"
        if place == "-":
            lines.append(text.rstrip("\n"))
            record[name] = text
        else:
            write_text(Path(place), text)
            lines.append(f"{name}: {place}")
            record[name] = place
    print_result(lines, record, as_json=as_json)
