"""`audionas rank`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from audionas.cli.console import ConsoleTalk, print_result, stopped
from audionas.cli.parameters import (
    DeviceOption,
    JsonOption,
    OutOption,
    QuietOption,
    ThreadsOption,
    refuse_beside_resume,
)


def rank(
    context: typer.Context,
    run: Annotated[Path | None, typer.Argument(help="Run folder of a finished one-shot search.")] = None,
    genotypes: Annotated[int, typer.Option("--genotypes", help="How many random genotypes; 30 for a claim.")] = 30,
    epochs: Annotated[int | None, typer.Option("--epochs", help="Of each training. Default: the search's.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Fixes the genotypes and both trainings of each.")] = 0,
    resume: Annotated[Path | None, typer.Option("--resume", help="Go on with the ranking in this folder.")] = None,
    device: DeviceOption = "cpu",
    threads: ThreadsOption = None,
    out: OutOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Measure how well a search's supernet ranks genotypes, against training each from scratch twice.

    \b
    Example: audionas rank runs/first --genotypes 3 --epochs 1
    """
    from audionas.errors import SettingsError
    from audionas.experiment import rank as steps
    from audionas.experiment.ranking_words import ranking_lines
    from audionas.records import read_json

    with ConsoleTalk(quiet=quiet) as talk:
        try:
            if resume is not None:
                refuse_beside_resume(context)
                found = steps.resume_ranking(resume, talk)
            elif run is None:
                raise SettingsError("nothing to rank: name the run folder of a one-shot search")
            else:
                request = steps.RankRequest(run, genotypes, epochs, seed, device, threads, out, tuple(sys.argv[1:]))
                found = steps.rank(request, talk)
        except KeyboardInterrupt as why:
            talk.warn(stopped("rank", why))
            raise typer.Exit(130) from why
    result = read_json(found / steps.RESULT_FILE, "ranking")
    lines = [f"ranking: {found}", *ranking_lines(result), f"next: audionas report {run or found.parent}"]
    print_result(lines, {"ranking": str(found), **result}, as_json=as_json)
