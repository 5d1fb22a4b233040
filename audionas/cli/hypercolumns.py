"""`audionas hypercolumns`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from audionas.cli.console import ConsoleTalk, print_result, stopped
from audionas.cli.parameters import (
    DatasetOption,
    DeviceOption,
    FoldsOption,
    GroupFromOption,
    GroupOption,
    JsonOption,
    LabelOption,
    OutOption,
    ProtocolOption,
    QuietOption,
    SkipBadOption,
    ThreadsOption,
    refuse_beside_resume,
)


def hypercolumns(
    context: typer.Context,
    pretrained: Annotated[Path | None, typer.Argument(help="What audionas pretrain left.")] = None,
    data: Annotated[Path | None, typer.Argument(help="The corpus, as for audionas retrain.")] = None,
    levels: Annotated[
        str, typer.Option("--levels", help="Levels of the encoder, with commas between.")
    ] = "F,h1,h2,h_add,h_concat",
    classifiers: Annotated[
        str, typer.Option("--classifiers", help="svm, random_forest, attention_lstm, with commas between.")
    ] = "svm,random_forest,attention_lstm",
    seeds: Annotated[int, typer.Option("--seeds", help="Trainings per fold, seeds 0 to N-1.")] = 3,
    epochs: Annotated[int, typer.Option("--epochs", help="Of the LSTM.")] = 60,
    resume: Annotated[Path | None, typer.Option("--resume", help="Go on with the run in this folder.")] = None,
    device: DeviceOption = "cpu",
    threads: ThreadsOption = None,
    out: OutOption = None,
    dataset: DatasetOption = None,
    label: LabelOption = None,
    group: GroupOption = None,
    group_from: GroupFromOption = None,
    folds: FoldsOption = None,
    protocol: ProtocolOption = None,
    skip_bad: SkipBadOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Score every level of a pre-trained encoder under plain classifiers (Lian et al. 2019, table 2).

    \b
    Example: audionas hypercolumns runs/pretrained recordings --levels h1 --classifiers svm --seeds 1
    """
    from audionas.errors import SettingsError
    from audionas.experiment import hypercolumns as steps
    from audionas.experiment.prepare import PrepareOptions
    from audionas.records import read_json

    with ConsoleTalk(quiet=quiet) as talk:
        try:
            if resume is not None:
                refuse_beside_resume(context)
                run = steps.resume_hypercolumns(resume, talk)
            elif pretrained is None or data is None:
                raise SettingsError("name what audionas pretrain left, and the corpus: audionas hypercolumns PRE DATA")
            else:
                request = steps.HypercolumnRequest(
                    pretrained, data, tuple(levels.split(",")), tuple(classifiers.split(",")), seeds, epochs, device,
                    threads, out,
                    PrepareOptions(dataset, label, group, group_from, folds, None, None, skip_bad, protocol),
                    tuple(sys.argv[1:]),
                )  # fmt: skip
                run = steps.hypercolumns(request, talk)
        except KeyboardInterrupt as why:
            talk.warn(stopped("hypercolumns", why))
            raise typer.Exit(130) from why
    lines = [f"run: {run}", "", (run / "tables.md").read_text(encoding="utf-8")]
    print_result(lines, {"run": str(run), **read_json(run / "tables.json", "tables")}, as_json=as_json)
