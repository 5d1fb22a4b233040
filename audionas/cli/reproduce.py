"""`audionas reproduce`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from audionas.cli import completing
from audionas.cli.console import ConsoleTalk, print_result, stopped
from audionas.cli.parameters import (
    DeviceOption,
    EngineOption,
    JsonOption,
    OutOption,
    ProtocolOption,
    QuietOption,
    ThreadsOption,
    TimeoutOption,
    TrialWorkersOption,
    refuse_beside_resume,
)

EMOTIONNAS = "emotionnas"
EMOTIONNAS_ONLY = {
    "space": "--space", "strategy": "--strategy", "frames": "--frames", "n_layers": "--layers", "hidden": "--hidden",
    "trials": "--trials", "spectrogram_epochs": "--spectrogram-epochs", "engine": "--engine",
    "trial_workers": "--trial-workers", "timeout": "--timeout", "workers": "--workers",
}  # fmt: skip


def reproduce(
    context: typer.Context,
    paper: Annotated[
        str,
        typer.Argument(autocompletion=completing.papers, help="Which paper: emotionnas, or one of hand-made systems."),
    ],
    data: Annotated[Path | None, typer.Option("--data", help="The corpus. Default with --smoke: the sample.")] = None,
    corpus: Annotated[
        str, typer.Option("--corpus", help="iemocap, or emodb for its four IEMOCAP classes.")
    ] = "iemocap",
    smoke: Annotated[
        bool, typer.Option("--smoke", help="All of it in miniature, in minutes; its scores say nothing.")
    ] = False,
    space: Annotated[
        str | None,
        typer.Option(
            "--space",
            autocompletion=completing.spaces,
            help="CNN search space. Default: darts_cnn; emodb: darts_cnn_small.",
        ),
    ] = None,
    strategy: Annotated[
        str | None,
        typer.Option(
            "--strategy",
            autocompletion=completing.strategies,
            help="Its strategy. Default: darts_emotionnas; emodb: darts_small_data.",
        ),
    ] = None,
    frames: Annotated[
        list[str] | None,
        typer.Option(
            "--frames",
            autocompletion=completing.features,
            help="Features of the frame stream; given several times, each split takes those whose best recipe has the "
            "lowest validation loss. Default: log_mel_frames; the paper's: emotionnas_wav2vec:CHECKPOINT.",
        ),
    ] = None,
    n_layers: Annotated[
        int | None, typer.Option("--layers", help="Recurrent layers, the paper's L. Default: 2; emodb: 1.")
    ] = None,
    hidden: Annotated[
        int | None, typer.Option("--hidden", help="Width of a hidden state, the paper's h. Default: 256; emodb: 128.")
    ] = None,
    trials: Annotated[int | None, typer.Option("--trials", help="Recipes tried per split. Default: 20.")] = None,
    spectrogram_epochs: Annotated[
        int | None,
        typer.Option("--spectrogram-epochs", help="Epochs of each retraining of the CNN. Default: 50; emodb: 60."),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option("--epochs", help="Of hand-made systems: epochs of every training. Default: the paper's."),
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", help="Trainings per split, seeds 0 to N-1.")] = 3,
    workers: Annotated[
        int, typer.Option("--workers", help="2 runs the streams side by side, each in its own process.")
    ] = 1,
    engine: EngineOption = None,
    trial_workers: TrialWorkersOption = None,
    timeout: TimeoutOption = None,
    resume: Annotated[Path | None, typer.Option("--resume", help="Go on with the reproduction in this folder.")] = None,
    protocol: ProtocolOption = None,
    device: DeviceOption = "cpu",
    threads: ThreadsOption = None,
    out: OutOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Run a whole paper by its own protocol; writes its tables, ours beside the paper's.

    EmotionNAS: both streams searched and retrained per split, fused. Hand-made systems: each variant retrained.

    \b
    Example: audionas reproduce emotionnas --smoke --out runs/smoke
    """
    from audionas.errors import SettingsError, unknown
    from audionas.experiment.search_engine import EngineRequest
    from audionas.records import read_json
    from audionas.reproductions import emotionnas, hand_made
    from audionas.reproductions.emotionnas_plan import ReproduceRequest
    from audionas.reproductions.hand_made_papers import PAPERS
    from audionas.reproductions.hand_made_plan import HandMadeRequest

    if paper != EMOTIONNAS and paper not in PAPERS:
        raise SettingsError(unknown("paper", paper, (EMOTIONNAS, *PAPERS)))
    with ConsoleTalk(quiet=quiet) as talk:
        try:
            if resume is not None:
                refuse_beside_resume(context, "paper")
                if paper == EMOTIONNAS:
                    run = emotionnas.resume_reproduction(resume, talk)
                else:
                    run = hand_made.resume_reproduction(paper, resume, talk)
            elif paper == EMOTIONNAS:
                _refuse_others(context, paper, {"epochs": "--epochs"})
                request = ReproduceRequest(
                    data=data, corpus=corpus, smoke=smoke, space=space, strategy=strategy, protocol=protocol,
                    frames=tuple(frames or ()), n_layers=n_layers, hidden=hidden, trials=trials,
                    spectrogram_epochs=spectrogram_epochs, seeds=seeds, workers=workers,
                    engine=EngineRequest(engine, trial_workers, timeout), device=device, threads=threads,
                    out=out, argv=tuple(sys.argv[1:]),
                )  # fmt: skip
                run = emotionnas.reproduce(request, talk)
            else:
                _refuse_others(context, paper, EMOTIONNAS_ONLY)
                run = hand_made.reproduce(
                    HandMadeRequest(
                        paper, data, corpus, smoke, protocol, epochs, seeds, device, threads, out, tuple(sys.argv[1:])
                    ),
                    talk,
                )
        except KeyboardInterrupt as why:
            talk.warn(stopped(f"reproduce {paper}", why))
            raise typer.Exit(130) from why
    lines = [f"run: {run}", "", (run / "tables.md").read_text(encoding="utf-8")]
    print_result(lines, {"run": str(run), **read_json(run / "tables.json", "tables")}, as_json=as_json)


def _refuse_others(context: typer.Context, paper: str, options: Mapping[str, str]) -> None:
    """Refuse options of another kind of paper."""
    from audionas.errors import SettingsError

    sources = {flag: context.get_parameter_source(name) for name, flag in options.items()}
    given = [flag for flag, source in sources.items() if source is not None and source.name == "COMMANDLINE"]
    if given:
        raise SettingsError(f"{', '.join(given)}: not of reproduce {paper}; leave it out")
