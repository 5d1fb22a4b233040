"""`audionas export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from audionas.cli.console import ConsoleTalk, print_result
from audionas.cli.parameters import EnsembleOption, FoldOption, JsonOption, NetworkSeedOption


def export(
    source: Annotated[
        Path,
        typer.Argument(
            help="Run folder, genotype file, a .txt file of DARTS text, or a JSON sample of NNI; of maps and onnx a "
            "retraining."
        ),
    ],
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            help="genotype (our JSON), darts (namedtuple text), nas-bench-nlp (a recurrent recipe) or nni-sample (the "
            "options of a space). Default: darts for CNN cells, nas-bench-nlp for recurrent ones. onnx: trained "
            "networks, for onnxruntime and audionas predict. svg, png, pdf: the cells drawn, for a paper. maps: a "
            "picture of the attention maps of --clip.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="File to write. Default: standard output; of onnx and pictures the run folder."),
    ] = None,
    width_mm: Annotated[
        float | None, typer.Option("--width-mm", help="Of pictures: the width. Default: at most two columns, 178.")
    ] = None,
    dpi: Annotated[float | None, typer.Option("--dpi", help="Of --to png: dots an inch. Default: 300.")] = None,
    clip: Annotated[
        Path | None, typer.Option("--clip", help="Of --to maps: the audio file whose attention maps are drawn.")
    ] = None,
    space: Annotated[
        str | None, typer.Option("--space", help="Of NNI samples: the space's name or YAML. Default: that of the run.")
    ] = None,
    ensemble: EnsembleOption = False,
    fold: FoldOption = None,
    seed: NetworkSeedOption = None,
    as_json: JsonOption = False,
) -> None:
    """Convert a genotype between our JSON, DARTS text, NAS-Bench-NLP recipes and NNI samples, or export networks.

    Nothing that is read is evaluated. An ONNX file holds the final model, or with --ensemble or --fold others, and is
    compared with torch on clips of the run before it is written.

    \b
    Example: audionas export runs/first --to darts
    """
    from audionas.experiment.chosen_networks import Choice
    from audionas.experiment.export import ExportRequest
    from audionas.experiment.export import export as export_to

    with ConsoleTalk() as talk:
        found = export_to(
            ExportRequest(source, to, out, clip, space, Choice(ensemble, fold, seed), width_mm, dpi), talk
        )
    print_result(found.lines, found.record, as_json=as_json)
