"""`audionas prepare`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from audionas.cli import completing
from audionas.cli.console import ConsoleTalk, print_result
from audionas.cli.parameters import (
    DatasetOption,
    FoldsOption,
    GroupFromOption,
    GroupOption,
    HopOption,
    JsonOption,
    LabelOption,
    ProtocolOption,
    QuietOption,
    SkipBadOption,
    TaskOption,
    WindowOption,
)  # fmt: skip


def prepare(
    data: Annotated[Path, typer.Argument(help="A folder per label, a corpus root, or a CSV.")],
    out: Annotated[Path, typer.Option("--out", help="Prepared folder to make, or to go on with.")],
    dataset: DatasetOption = None,
    features: Annotated[
        str | None,
        typer.Option(
            "--features", autocompletion=completing.features, help="Also compute these features: a name or a YAML file."
        ),
    ] = None,
    task: TaskOption = None,
    label: LabelOption = None,
    group: GroupOption = None,
    group_from: GroupFromOption = None,
    folds: FoldsOption = None,
    protocol: ProtocolOption = None,
    window: WindowOption = None,
    hop: HopOption = None,
    skip_bad: SkipBadOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Read every file, fix groups and folds, write manifest.csv; a killed preparation goes on.

    \b
    Example: audionas prepare recordings --group-from '^([^_]+)_' --folds 5 --features log_mel_small --out prepared
    """
    from audionas.experiment.prepare import PrepareOptions
    from audionas.experiment.prepare_features import prepare_with_features

    options = PrepareOptions(dataset, label, group, group_from, folds, window, hop, skip_bad, protocol, task)
    with ConsoleTalk(quiet=quiet) as talk:
        summary = prepare_with_features(data, out, options, features, talk)
    print_result(summary.lines(), summary.record(), as_json=as_json)
