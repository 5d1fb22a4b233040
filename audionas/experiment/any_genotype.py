"""Genotypes wherever they stand: in a run folder, a genotype file, or DARTS text."""

from __future__ import annotations

from pathlib import Path

from audionas.errors import GenotypeError
from audionas.experiment.genotype_sources import Source, find_sources
from audionas.spaces.darts_text import from_darts_text
from audionas.spaces.genotype_file import MAX_BYTES


def read_genotypes(source: Path) -> list[Source]:
    """The genotypes of a run, of a JSON file or of a text file in DARTS's form.

    Raises:
        RunError: a run is not finished, or is no search.
        GenotypeError: the source holds no genotype.
    """
    if source.is_file() and source.suffix != ".json":
        if source.stat().st_size > MAX_BYTES:
            raise GenotypeError(f"{source}: larger than {MAX_BYTES} bytes, no genotype")
        try:
            return [Source(source, from_darts_text(source.read_text(encoding="utf-8"), str(source)), {})]
        except UnicodeDecodeError as why:
            raise GenotypeError(f"{source}: not a text file") from why
    return find_sources([source])
