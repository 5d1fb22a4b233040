"""Genotypes wherever they stand: in a run folder of a search or a retraining, a genotype file, or DARTS text."""

from __future__ import annotations

from pathlib import Path

from audionas.errors import GenotypeError
from audionas.experiment.genotype_sources import Source, find_sources, read_source
from audionas.experiment.run_folder import RUN_FILE, RunFolder
from audionas.spaces.darts_text import from_darts_text
from audionas.spaces.genotype_file import MAX_BYTES


def read_genotypes(source: Path) -> list[Source]:
    """The genotypes of a run, of a JSON file or of a text file in DARTS's form; one that all splits share once.

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
    if _is_retraining(source):
        found = [read_source(file) for file in sorted(source.glob("split_*/genotype.json"))]
        return found[:1] if len({each.genotype.hash for each in found}) == 1 else found
    return find_sources([source])


def _is_retraining(source: Path) -> bool:
    return (source / RUN_FILE).is_file() and RunFolder.open(source).record.get("kind") == "retrain"
