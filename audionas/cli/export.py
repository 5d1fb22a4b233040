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
            "for CNN cells, nas-bench-nlp for recurrent ones. maps: a picture of the attention maps of --clip.",
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="File to write. Default: standard output.")] = None,
    clip: Annotated[
        Path | None, typer.Option("--clip", help="Of --to maps: the audio file whose attention maps are drawn.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Convert a genotype between our JSON, DARTS text and NAS-Bench-NLP recipes; nothing that is read is evaluated.

    Example: audionas export runs/first --to darts
    """
    from audionas.experiment.export import export_genotype

    if to == "maps":
        from audionas.experiment.attention_maps import export_maps

        picture = str(export_maps(source, clip, out))
        print_result([picture], {"out": picture, "text": None}, as_json=as_json)
        return
    if clip is not None:
        from audionas.errors import SettingsError

        raise SettingsError("--clip: is for --to maps")
    text = export_genotype(source, to, out)
    print_result([str(out) if out else text], {"out": str(out) if out else None, "text": text}, as_json=as_json)
