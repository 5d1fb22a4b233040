"""`audionas export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from audionas.cli.console import print_result
from audionas.cli.parameters import JsonOption


def export(
    source: Annotated[
        Path, typer.Argument(help="Run folder, genotype file, or a .txt file of DARTS text; of maps a retraining.")
    ],
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            help="genotype (our JSON), darts (namedtuple text) or nas-bench-nlp (a recurrent recipe). Default: darts "
            "for CNN cells, nas-bench-nlp for recurrent ones. svg, png, pdf: the cells drawn, for a paper. maps: a "
            "picture of the attention maps of --clip.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="File to write. Default: standard output; of pictures the run folder.")
    ] = None,
    fold: Annotated[
        str | None, typer.Option("--fold", help="Of pictures: of a nested search, the fold that was left out.")
    ] = None,
    width_mm: Annotated[
        float | None, typer.Option("--width-mm", help="Of pictures: the width. Default: at most two columns, 178.")
    ] = None,
    dpi: Annotated[float | None, typer.Option("--dpi", help="Of --to png: dots an inch. Default: 300.")] = None,
    clip: Annotated[
        Path | None, typer.Option("--clip", help="Of --to maps: the audio file whose attention maps are drawn.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Convert a genotype between our JSON, DARTS text and NAS-Bench-NLP recipes; nothing that is read is evaluated.

    Example: audionas export runs/first --to darts
    """
    from audionas.errors import SettingsError
    from audionas.experiment.export import export_genotype
    from audionas.experiment.export_picture import PICTURES, export_picture

    if to == "maps":
        from audionas.experiment.attention_maps import export_maps

        picture = str(export_maps(source, clip, out))
        print_result([picture], {"out": picture, "text": None}, as_json=as_json)
        return
    if clip is not None:
        raise SettingsError("--clip: is for --to maps")
    if to in PICTURES:
        picture = str(export_picture(source, to, out, fold=fold, dpi=dpi, width_mm=width_mm))
        print_result([picture], {"out": picture, "text": None}, as_json=as_json)
        return
    for option, given in (("--fold", fold), ("--width-mm", width_mm), ("--dpi", dpi)):
        if given is not None:
            raise SettingsError(f"{option}: is for --to {', '.join(PICTURES)}")
    text = export_genotype(source, to, out)
    print_result([str(out) if out else text], {"out": str(out) if out else None, "text": text}, as_json=as_json)
