"""`audionas fuse`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

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

    Example: audionas fuse runs/spectrogram runs/frames
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
    print_result([f"run: {run}", *_table(metrics)], {"run": str(run), "metrics": metrics}, as_json=as_json)


def _table(document: dict[str, Any]) -> list[str]:
    """The table of a fusion's `metrics.json`, over the headline's folds or, where there are none, over all."""
    from audionas.quantities import count_text
    from audionas.training.measures import measures_of

    found = document["headline"] or document["all_splits"]
    lines = [
        f"{found['what']}: {count_text(found['n_clips'], 'clip')}, {count_text(found['n_groups'], 'group')}, "
        f"{count_text(len(found['seeds']), 'seed')}; {found['interval']}"
    ]
    width = max(len(row["name"]) for row in found["rows"])
    measures = measures_of(document)
    lines += [
        f"{row['name']:<{width}}  "
        + "".join(f"{each.name} {_score(row, each.key)}  " for each in measures)
        + _parameters(row["parameters"])
        for row in found["rows"]
    ]
    return [*lines, found["conclusion"], found["test"]]


def _score(row: dict[str, Any], name: str) -> str:
    spread, bounds = row[f"{name}_sd"], row[f"{name}_interval"]
    text = f"{row[name]:.3f}" + (f" +- {spread:.3f}" if spread is not None else "")
    return text + (f" [{bounds[0]:.3f}, {bounds[1]:.3f}]" if bounds else "")


def _parameters(found: dict[str, Any]) -> str:
    if len(found["streams"]) == 1:
        return f"{found['total']:,} parameters"
    return f"{' + '.join(f'{n:,}' for n in found['streams'])} + {found['fusion']:,} = {found['total']:,} parameters"
