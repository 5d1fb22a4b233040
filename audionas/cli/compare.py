"""`audionas compare`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from audionas.cli import completing
from audionas.cli.console import ConsoleTalk, print_result, stopped
from audionas.cli.parameters import (
    DatasetOption,
    DeviceOption,
    EngineOption,
    FeaturesOption,
    FoldsOption,
    GroupFromOption,
    GroupOption,
    JsonOption,
    LabelOption,
    OutOption,
    ProtocolOption,
    QuietOption,
    SkipBadOption,
    TaskOption,
    ThreadsOption,
    TimeoutOption,
    TrialWorkersOption,
    numbers,
    refuse_beside_resume,
)  # fmt: skip


def compare(
    context: typer.Context,
    space: Annotated[
        str, typer.Argument(autocompletion=completing.spaces, help="Search space: a name or a YAML file.")
    ] = "darts_cnn_small",
    data: Annotated[Path | None, typer.Argument(help="The corpus. Default: the shipped sample.")] = None,
    strategies: Annotated[
        str,
        typer.Option(
            "--strategies",
            autocompletion=completing.strategy_lists,
            help="Names or YAML files, commas between; both random arms are always there.",
        ),
    ] = "darts_small_data",
    features: FeaturesOption = None,
    seeds: Annotated[int, typer.Option("--seeds", help="Retrainings per fold and search, seeds 0 to N-1.")] = 3,
    searches: Annotated[int, typer.Option("--searches", help="Searches per arm, search seeds 0 to N-1.")] = 1,
    search_epochs: Annotated[
        int | None, typer.Option("--search-epochs", help="Epochs of a supernet. Default: the strategy's.")
    ] = None,
    trials: Annotated[
        int | None, typer.Option("--trials", help="Trials a split, where no strategy is one-shot.")
    ] = None,
    trial_epochs: Annotated[
        int | None, typer.Option("--trial-epochs", help="Epochs of a trial. Default: the strategy's.")
    ] = None,
    architectures: Annotated[
        int, typer.Option("--architectures", help="Random architectures that are retrained, 8 at least.")
    ] = 8,
    epochs: Annotated[
        str, typer.Option("--epochs", help="Epochs of every retraining; of several (20,40), each split chooses.")
    ] = "60",
    learning_rate: Annotated[
        str | None,
        typer.Option("--learning-rate", help="Of every retraining; of several (0.01,0.025), each split chooses."),
    ] = None,
    augment: Annotated[
        str | None,
        typer.Option(
            "--augment",
            autocompletion=completing.augmentations,
            help="Augmented copies of training clips, for every arm alike.",
        ),
    ] = None,
    baselines: Annotated[
        str | None,
        typer.Option(
            "--baselines",
            autocompletion=completing.baseline_lists,
            help="Plain systems in the table, by first words: majority, duration, logistic, functionals. Default: all. "
            "And names of hand-made networks (audionas list baselines): arms that are trained without a search.",
        ),
    ] = None,
    workers: Annotated[int, typer.Option("--workers", help="Arms at a time, each in its own process.")] = 1,
    engine: EngineOption = None,
    trial_workers: TrialWorkersOption = None,
    timeout: TimeoutOption = None,
    resume: Annotated[Path | None, typer.Option("--resume", help="Go on with the comparison in this folder.")] = None,
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
    task: TaskOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Compare strategies with random search and random architectures at equal budget, under one protocol.

    \b
    Example: audionas compare darts_cnn_small my_folder --strategies darts_small_data --group-from '^(s[0-9]+)_'
    """
    from audionas.comparisons import compare as steps
    from audionas.comparisons.plan import CompareRequest
    from audionas.experiment.prepare import PrepareOptions
    from audionas.experiment.search_engine import EngineRequest
    from audionas.records import read_json

    with ConsoleTalk(quiet=quiet) as talk:
        try:
            if resume is not None:
                refuse_beside_resume(context)
                run = steps.resume_comparison(resume, talk)
            else:
                request = CompareRequest(
                    space=space, data=data, strategies=tuple(strategies.split(",")), features=features, seeds=seeds,
                    searches=searches, search_epochs=search_epochs, trials=trials, trial_epochs=trial_epochs,
                    architectures=architectures, epochs=numbers("--epochs", epochs, int),
                    learning_rates=numbers("--learning-rate", learning_rate, float) if learning_rate else (),
                    augment=augment, baselines=tuple(baselines.split(",")) if baselines else None,
                    workers=workers, engine=EngineRequest(engine, trial_workers, timeout),
                    device=device, threads=threads, out=out,
                    preparation=PrepareOptions(
                        dataset, label, group, group_from, folds, None, None, skip_bad, protocol, task
                    ),
                    argv=tuple(sys.argv[1:]),
                )  # fmt: skip
                run = steps.compare(request, talk)
        except KeyboardInterrupt as why:
            talk.warn(stopped("compare", why))
            raise typer.Exit(130) from why
    lines = [f"run: {run}", "", (run / "tables.md").read_text(encoding="utf-8"), f"next: audionas report {run}"]
    print_result(lines, {"run": str(run), **read_json(run / "tables.json", "tables")}, as_json=as_json)
