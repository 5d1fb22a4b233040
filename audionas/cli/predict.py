"""`audionas predict`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from audionas.cli.console import ConsoleTalk, print_result
from audionas.cli.parameters import (
    DeviceOption,
    EnsembleOption,
    FoldOption,
    JsonOption,
    NetworkSeedOption,
    QuietOption,
    SkipBadOption,
)


def predict(
    model: Annotated[
        Path, typer.Argument(help="A retrained run, the search that it lies in, or a file of export --to onnx.")
    ],
    files: Annotated[list[Path], typer.Argument(help="Audio files: wav, flac, mp3, ogg, ...; any rate and channels.")],
    ensemble: EnsembleOption = False,
    fold: FoldOption = None,
    seed: NetworkSeedOption = None,
    segments: Annotated[
        bool | None,
        typer.Option(
            "--segments/--whole",
            help="Cut files into segments, or take each as one clip. Default: segments of those that are longer than "
            "any clip of the run's corpus.",
        ),
    ] = None,
    window: Annotated[
        float | None, typer.Option("--window", help="Seconds of a segment. Default: what the network's input holds.")
    ] = None,
    hop: Annotated[
        float | None,
        typer.Option("--hop", help="Seconds from one segment to the next. Default: the window; of --stream 1."),
    ] = None,
    stream: Annotated[
        bool,
        typer.Option("--stream", help="One file as if it were live: the scores of all audio so far after each --hop."),
    ] = False,
    csv: Annotated[
        Path | None, typer.Option("--csv", help="Write file, start, end, label, probability, and that of every label.")
    ] = None,
    skip_bad: SkipBadOption = False,
    device: DeviceOption = "cpu",
    threads: Annotated[int, typer.Option("--threads", min=1, help="CPU threads.")] = 1,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Tell label and probability of audio files; of long ones segment by segment, as CSV.

    The final model (retrain --final) is taken, or with --ensemble or --fold others. Nothing is printed on standard
    output unless all files can be used. --stream is for recurrent networks of one direction.

    \b
    Example: audionas predict runs/first recordings/joy/anna_1.wav recordings/grief/ben_1.wav --fold 1
    """
    from audionas.experiment import predict as steps
    from audionas.experiment.chosen_networks import Choice
    from audionas.experiment.cuts import Segmenting
    from audionas.experiment.predict_stream import predict_stream
    from audionas.records import write_text

    choice, segmenting = Choice(ensemble, fold, seed), Segmenting(segments, window, hop)
    with ConsoleTalk(quiet=quiet) as talk:
        request = steps.PredictRequest(model, tuple(files), choice, segmenting, skip_bad, device, threads)
        found = predict_stream(request, talk) if stream else steps.predict(request, talk)
    if csv is not None:
        write_text(csv, found.csv_text())
    print_result(found.lines() if csv is None else [str(csv)], found.record(), as_json=as_json)
