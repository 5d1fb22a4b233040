"""Conversion of genotypes between `genotype.json`, DARTS text and bare NAS-Bench-NLP recipes."""

from __future__ import annotations

from pathlib import Path

from audionas.errors import AudionasError, GenotypeError, SettingsError, unknown
from audionas.experiment.any_genotype import read_genotypes
from audionas.experiment.export_picture import PICTURES
from audionas.records import to_json, write_text
from audionas.spaces import BaselineGenotype, Genotype, RecurrentGenotype
from audionas.spaces.darts_text import to_darts_text
from audionas.spaces.genotype_file import genotype_document

FORMATS = ("genotype", "darts", "nas-bench-nlp")


def export_genotype(source: Path, to: str | None = None, out: Path | None = None) -> str:
    """The genotype of a run, a JSON file or a text file, in another format; written to `out` if given.

    Without `to`: DARTS text of CNN cells, a bare recipe of a recurrent genotype.

    Raises:
        SettingsError: the format is unknown.
        GenotypeError: the source holds no genotype, or several, or one that the format cannot hold.
    """
    if to is not None and to not in FORMATS:
        raise SettingsError(unknown("export format", to, (*FORMATS, *PICTURES, "maps")))
    genotype, provenance = _read(source)
    text = _text(genotype, provenance, to or _usual(genotype), str(source))
    if out is not None:
        if out.is_dir():
            raise AudionasError(f"{out}: is a folder; name a file")
        write_text(out, text + "\n")
    return text


def _usual(genotype: Genotype) -> str:
    if isinstance(genotype, BaselineGenotype):
        return "genotype"
    return "nas-bench-nlp" if isinstance(genotype, RecurrentGenotype) else "darts"


def _text(genotype: Genotype, provenance: dict[str, object], to: str, where: str) -> str:
    if to == "genotype":
        return to_json(genotype_document(genotype, provenance), indent=2)
    if isinstance(genotype, BaselineGenotype):
        raise GenotypeError(
            f"{where}: holds the hand-made system {genotype.name!r}, which format {to!r} cannot hold; use --to genotype"
        )
    if isinstance(genotype, RecurrentGenotype) != (to == "nas-bench-nlp"):
        kind = "a recurrent recipe" if isinstance(genotype, RecurrentGenotype) else "CNN cells"
        raise GenotypeError(f"{where}: holds {kind}, which format {to!r} cannot hold; use --to {_usual(genotype)}")
    if isinstance(genotype, RecurrentGenotype):
        return to_json(genotype.to_recipe(), indent=2)
    return to_darts_text(genotype)


def _read(source: Path) -> tuple[Genotype, dict[str, object]]:
    sources = read_genotypes(source)
    if len(sources) > 1:
        raise GenotypeError(f"{source}: a nested search has {len(sources)} genotypes; name one: {sources[0].path}")
    return sources[0].genotype, dict(sources[0].provenance)
