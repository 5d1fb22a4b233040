"""`audionas search`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from audionas.cli import completing
from audionas.cli.console import ConsoleTalk, print_result, stopped
from audionas.cli.parameters import (
    FEATURES_HELP,
    DataArgument,
    DatasetOption,
    DeviceOption,
    FoldsOption,
    GroupFromOption,
    GroupOption,
    HopOption,
    JsonOption,
    LabelOption,
    OutOption,
    ProtocolOption,
    QuietOption,
    SkipBadOption,
    TaskOption,
    ThreadsOption,
    TrackerOption,
    WindowOption,
    refuse_beside_resume,
)  # fmt: skip


def search(
    context: typer.Context,
    data: DataArgument = None,
    space: Annotated[
        str, typer.Option("--space", autocompletion=completing.spaces, help="Search space: a name or a YAML file.")
    ] = "darts_cnn_small",
    strategy: Annotated[
        str, typer.Option("--strategy", autocompletion=completing.strategies, help="Strategy: a name or a YAML file.")
    ] = "darts_small_data",
    features: Annotated[
        str | None,
        typer.Option("--features", autocompletion=completing.features, help=f"{FEATURES_HELP} Default: the space's."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Fixes parts, batches, initial weights and alphas.")] = 0,
    epochs: Annotated[int | None, typer.Option("--epochs", help="Epochs of the supernet, or of each trial.")] = None,
    trials: Annotated[int | None, typer.Option("--trials", help="Trials of a multi-trial strategy.")] = None,
    inner_folds: Annotated[
        int | None,
        typer.Option("--inner-folds", help="Train each trial N times, once per inner fold; N times the cost. 0: off."),
    ] = None,
    retest: Annotated[
        int | None,
        typer.Option("--retest", help="Best trials trained anew to name the winner. Default: the strategy's. 0: off."),
    ] = None,
    batch_size: Annotated[int | None, typer.Option("--batch-size", help="Overrides the strategy's.")] = None,
    exclude_fold: Annotated[
        str | None, typer.Option("--exclude-fold", help="Fold kept out of the search. Default: the first.")
    ] = None,
    nested: Annotated[bool, typer.Option("--nested", help="One search per fold, each without that fold.")] = False,
    pick: Annotated[
        str, typer.Option("--pick", help="last: the last epoch's genotype; best: by the monitor part.")
    ] = "last",
    restarts: Annotated[
        int, typer.Option("--restarts", help="So many searches with seeds SEED, SEED + 1, ...: do they agree?")
    ] = 1,
    max_parameters: Annotated[
        int | None, typer.Option("--max-parameters", help="Hard limit: trainable weights of the network.")
    ] = None,
    max_macs_per_second: Annotated[
        float | None,
        typer.Option("--max-macs-per-second", help="Hard limit: multiply-accumulates per second of audio, e.g. 5e6."),
    ] = None,
    max_latency_ms: Annotated[
        float | None,
        typer.Option("--max-latency-ms", help="Hard limit: median time of one clip, features included, one thread."),
    ] = None,
    max_memory_mb: Annotated[
        float | None,
        typer.Option("--max-memory-mb", help="Hard limit: weights and live tensors when one clip is classified."),
    ] = None,
    engine: Annotated[
        str | None,
        typer.Option(
            "--engine",
            autocompletion=completing.engines,
            help="Where trials run: in_process (default), process_pool or ray.",
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", help="Trials at a time, of process_pool and ray. Default: 2.")
    ] = None,
    timeout: Annotated[
        float | None, typer.Option("--timeout", help="Seconds after which a trial is stopped. Default: never.")
    ] = None,
    address: Annotated[
        str | None, typer.Option("--address", help="A running Ray cluster, for --engine ray: HOST:PORT, or auto.")
    ] = None,
    resume: Annotated[Path | None, typer.Option("--resume", help="Go on with the search in this run folder.")] = None,
    device: DeviceOption = "cpu",
    precision: Annotated[
        str | None,
        typer.Option(
            "--precision",
            help="32, or mixed with 16 or bf16. Default: 32 for a supernet; for trials as for retrain.",
        ),
    ] = None,
    recompute: Annotated[
        bool,
        typer.Option(
            "--recompute",
            help="Compute cells of a supernet again in the backward pass: less memory, more time, the same result.",
        ),
    ] = False,
    threads: ThreadsOption = None,
    out: OutOption = None,
    dataset: DatasetOption = None,
    task: TaskOption = None,
    label: LabelOption = None,
    group: GroupOption = None,
    group_from: GroupFromOption = None,
    folds: FoldsOption = None,
    protocol: ProtocolOption = None,
    window: WindowOption = None,
    hop: HopOption = None,
    skip_bad: SkipBadOption = False,
    tracker: TrackerOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Search an architecture; leaves a run folder with genotype.json. Without DATA: on the shipped sample.

    \b
    Example: audionas search --space darts_cnn_small --strategy darts_small_data --epochs 2 --out runs/first
    """
    from audionas.experiment import search as steps
    from audionas.experiment.decision import decision_lines, decisions
    from audionas.experiment.prepare import PrepareOptions
    from audionas.experiment.search_engine import EngineRequest
    from audionas.search.limits import Limits

    with ConsoleTalk(quiet=quiet) as talk:
        try:
            where = EngineRequest(engine, workers, timeout, address)
            if resume is not None:
                refuse_beside_resume(context, "engine", "workers", "timeout", "address")
                run = steps.resume(resume, talk, where)
            else:
                preparation = PrepareOptions(
                    dataset, label, group, group_from, folds, window, hop, skip_bad, protocol, task
                )
                request = steps.SearchRequest(
                    data, space, strategy, features, seed, epochs, trials, batch_size, exclude_fold, nested, pick,
                    device, threads, out, preparation, tuple(sys.argv[1:]),
                    inner_folds=inner_folds, retest=retest, restarts=restarts,
                    limits=Limits(max_parameters, max_macs_per_second, max_latency_ms, max_memory_mb), engine=where,
                    trackers=tuple(tracker or ()), precision=precision, recomputes=recompute,
                )  # fmt: skip
                run = steps.search(request, talk)
        except KeyboardInterrupt as why:
            talk.warn(stopped("search", why))
            raise typer.Exit(130) from why
    genotypes = sorted(map(str, [*run.glob("genotype.json"), *run.glob("split_*/genotype.json")]))
    lines = [f"run: {run}", *(f"genotype: {path}" for path in genotypes), *decision_lines(run)]
    record = {"run": str(run), "genotypes": genotypes, "decided": decisions(run)}
    print_result([*lines, f"next: audionas retrain {run}"], record, as_json=as_json)
