"""Options that several subcommands share, so that they read the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DataArgument = Annotated[
    Path | None,
    typer.Argument(help="A folder per label, a corpus root, a CSV or a prepared folder. Default: the shipped sample."),
]
OutOption = Annotated[Path | None, typer.Option("--out", help="Output folder; must be new or empty.")]
DatasetOption = Annotated[
    str | None,
    typer.Option("--dataset", help="Corpus layout; recognised when left out (audionas list datasets)."),
]
LabelOption = Annotated[str | None, typer.Option("--label", help="CSV column of the label.")]
GroupOption = Annotated[str | None, typer.Option("--group", help="CSV column of the speaker or recording.")]
GroupFromOption = Annotated[
    str | None,
    typer.Option("--group-from", help="Regular expression on file names; its first group names the speaker."),
]
FoldsOption = Annotated[
    str | None,
    typer.Option("--folds", help="Number of folds to make, a CSV column, or 'split' (train/dev/test)."),
]
WindowOption = Annotated[float | None, typer.Option("--window", help="Cut recordings into windows of so many seconds.")]
HopOption = Annotated[float | None, typer.Option("--hop", help="Seconds between windows. Default: the window.")]
SkipBadOption = Annotated[
    bool,
    typer.Option("--skip-bad", help="Leave out unreadable clips, counted and listed, instead of stopping."),
]
DeviceOption = Annotated[str, typer.Option("--device", help="cpu, cuda or cuda:N.")]
ThreadsOption = Annotated[int | None, typer.Option("--threads", help="CPU threads. Default: torch's choice.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Only warnings and the result.")]
