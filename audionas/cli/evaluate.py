"""`audionas evaluate`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from audionas.cli.console import ConsoleTalk, print_result, stopped
from audionas.cli.parameters import (
    DatasetOption,
    DeviceOption,
    FoldsOption,
    GroupFromOption,
    GroupOption,
    HopOption,
    JsonOption,
    LabelOption,
    OutOption,
    QuietOption,
    SkipBadOption,
    TaskOption,
    ThreadsOption,
    WindowOption,
    refuse_beside_resume,
)  # fmt: skip

if TYPE_CHECKING:
    from audionas.training.measures import Measure


def evaluate(
    context: typer.Context,
    run: Annotated[Path | None, typer.Argument(help="A retrained run, or the search that it lies in.")] = None,
    on: Annotated[
        Path | None, typer.Option("--on", help="The other corpus: audio folder, CSV, prepared folder.")
    ] = None,
    label_pairs: Annotated[
        str | None,
        typer.Option("--map", help="Label of the data=label of the networks, as joy=happiness,rage=anger."),
    ] = None,
    label_map: Annotated[
        Path | None, typer.Option("--label-map", help="The same as a YAML file of lines joy: happiness.")
    ] = None,
    distinct_speakers: Annotated[
        bool, typer.Option("--distinct-speakers", help="Groups of equal names in the two corpora are other people.")
    ] = False,
    resume: Annotated[Path | None, typer.Option("--resume", help="Go on with the evaluation in this folder.")] = None,
    device: DeviceOption = "cpu",
    threads: ThreadsOption = None,
    out: OutOption = None,
    dataset: DatasetOption = None,
    label: LabelOption = None,
    group: GroupOption = None,
    group_from: GroupFromOption = None,
    folds: FoldsOption = None,
    window: WindowOption = None,
    hop: HopOption = None,
    skip_bad: SkipBadOption = False,
    task: TaskOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Score the networks of a retraining on another corpus, without training; leaves metrics.json.

    Labels of equal names mean the same unless a map is given; what a map does not name is left out. Groups whose
    audio a network was trained on are left out and counted.

    \b
    Example: audionas evaluate runs/first --on recordings --map joy=happiness,grief=sadness
    """
    from audionas.errors import SettingsError
    from audionas.experiment import evaluate as steps
    from audionas.experiment.label_map import read_label_map
    from audionas.experiment.prepare import PrepareOptions
    from audionas.records import read_json

    with ConsoleTalk(quiet=quiet) as talk:
        try:
            if resume is not None:
                refuse_beside_resume(context)
                done = steps.resume_evaluation(resume, talk)
            else:
                if run is None or on is None:
                    raise SettingsError("nothing to evaluate: audionas evaluate RUN --on DATA")
                preparation = PrepareOptions(
                    dataset, label, group, group_from, folds, window, hop, skip_bad, None, task
                )
                request = steps.EvaluateRequest(
                    run, on, read_label_map(label_pairs, label_map), distinct_speakers, device, threads, out,
                    preparation, tuple(sys.argv[1:]),
                )  # fmt: skip
                done = steps.evaluate(request, talk)
        except KeyboardInterrupt as why:
            talk.warn(stopped("evaluate", why))
            raise typer.Exit(130) from why
    metrics = read_json(done / "metrics.json", "metrics file")
    print_result(_table(done, metrics), {"run": str(done), "metrics": metrics}, as_json=as_json)


def _table(run: Path, metrics: dict[str, Any]) -> list[str]:
    from audionas.experiment.group_scores import worst_group_line
    from audionas.quantities import count_text
    from audionas.training.measures import measures_of

    found, chance = metrics["headline"], metrics["chance"]
    main, second = measures_of(metrics)
    worst = worst_group_line(metrics)
    left_out = found["n_clips_left_out"]
    return [
        f"run: {run}",
        f"{main.name} {_pm(found, main.key)}, {second.name} {_pm(found, second.key)}, "
        f"{count_text(found['n_networks'], 'network')}, "
        f"{count_text(found['n_clips'], 'clip')}",
        f"  = {found['what']}",
        *_evidence(found, main.key),
        *(
            [f"left out because a network has read their groups: up to {count_text(left_out, 'clip')}"]
            if left_out
            else []
        ),
        *([worst] if worst else ["speaker independence not checked"]),
        f"beside it: chance: {main.name} {chance[main.key]:.3f}; {_beside(chance, second)}",
        f"next: audionas report {run}",
    ]


def _evidence(found: dict[str, Any], key: str) -> list[str]:
    """Interval over groups and p against chance, where all networks have the same clips."""
    from audionas.quantities import p_text

    if "verdict" not in found:
        return ["  the networks have other clips to score: no interval, no p"]
    bounds = found[f"{key}_interval"]
    between = f" [{bounds[0]:.3f}, {bounds[1]:.3f}]" if bounds else ""
    claim = f"; {found['claim']}" if found["claim"] else ""
    return [f"  {found['verdict']} (p {p_text(found['chance']['p'])}), {found['interval']}{between}{claim}"]


def _beside(chance: dict[str, Any], second: Measure) -> str:
    if "majority_wa" in chance:
        return f"majority class: WA {chance['majority_wa']:.3f}"
    return f"{second.name} {chance[second.key]:.3f}"


def _pm(found: dict[str, Any], name: str) -> str:
    spread = found[f"{name}_sd"]
    return f"{found[name]:.3f}" + (f" +- {spread:.3f}" if spread is not None else "")
