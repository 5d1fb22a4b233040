"""`audionas fuse`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from audionas.cli.console import ConsoleTalk, print_result
from audionas.cli.parameters import JsonOption, OutOption, QuietOption


def fuse(
    runs: Annotated[list[Path], typer.Argument(help="Two retrained runs or more, or the searches that they lie in.")],
    paper: Annotated[
        bool,
        typer.Option("--paper", help="Train on predictions of training clips, choose the epoch on validation clips."),
    ] = False,
    epochs: Annotated[
        str, typer.Option("--epochs", help="Epochs of the MLP, or 'chosen': on the inner folds, at most 100.")
    ] = "100",
    class_weighting: Annotated[
        str, typer.Option("--class-weighting", help="balanced or none: how the MLP weighs classes.")
    ] = "none",
    out: OutOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Fuse the class probabilities of retrained streams; leaves metrics.json.

    The runs need the same data, folds and seeds, and inner out-of-fold predictions (audionas retrain --inner-folds 3).

    \b
    Example: audionas fuse runs/first runs/second --out runs/fused
    """
    from audionas.errors import SettingsError
    from audionas.experiment import fuse as steps
    from audionas.records import read_json

    if epochs != "chosen" and not epochs.isdecimal():
        raise SettingsError(f"--epochs: got {epochs!r}, must be a whole number or 'chosen'")
    request = steps.FuseRequest(
        tuple(runs), paper, "chosen" if epochs == "chosen" else int(epochs), class_weighting, out,
        tuple(sys.argv[1:]),
    )  # fmt: skip
    with ConsoleTalk(quiet=quiet) as talk:
        try:
            run = steps.fuse(request, talk)
        except KeyboardInterrupt as why:
            talk.warn("stopped; give the same command again, a fusion takes seconds")
            raise typer.Exit(130) from why
    metrics = read_json(run / "metrics.json", "metrics file")
    print_result([f"run: {run}", *steps.summary(metrics)], {"run": str(run), "metrics": metrics}, as_json=as_json)
