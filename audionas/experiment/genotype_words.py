"""`audionas check GENOTYPE --describe`: what the network of a genotype is, in plain words."""

from __future__ import annotations

from pathlib import Path

from audionas.experiment.any_genotype import read_genotypes
from audionas.features import extractor_from_settings
from audionas.models.meter import Place
from audionas.report.network_words import describe


def words_of(path: Path) -> dict[str, str]:
    """A paragraph for each genotype of a file or a run folder, by the split that it left out where there are several.

    Without features and labels in the file there are no milliseconds, hertz and costs in it.

    Raises:
        RunError: the run is not finished, or is no search.
        GenotypeError: a file is no genotype.
        SettingsError: a hand-made system does not fit its features.
    """
    found = {}
    sources = read_genotypes(path)
    for source in sources:
        known = source.provenance
        place = None
        if known.get("features") and known.get("labels"):
            extractor = extractor_from_settings(dict(known["features"]), f"{source.path}: provenance.features")
            place = Place(extractor, len(known["labels"])) if extractor.is_resolved else None
        found[f"split {source.left_out}:" if len(sources) > 1 else ""] = describe(source.genotype, place).paragraph
    return found
