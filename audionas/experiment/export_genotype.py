"""Conversion of genotypes between `genotype.json`, DARTS text, bare NAS-Bench-NLP recipes and samples of NNI."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from audionas.errors import AudionasError, GenotypeError, SettingsError
from audionas.experiment.any_genotype import read_genotypes
from audionas.experiment.run_folder import RUN_FILE
from audionas.records import read_json, to_json, write_text
from audionas.run_places import run_of_genotype
from audionas.spaces import BaselineGenotype, Genotype, RecurrentGenotype, SearchSpace, load_search_space
from audionas.spaces.darts_text import to_darts_text
from audionas.spaces.genotype_file import MAX_BYTES, genotype_document
from audionas.spaces.nni_sample import from_nni_sample, is_sample_document, to_nni_sample

TEXT_FORMATS = ("genotype", "darts", "nas-bench-nlp", "nni-sample")


def exported_text(source: Path, to: str | None = None, out: Path | None = None, space: str | None = None) -> str:
    """The genotype of a run, a JSON file or a text file, in another format; written to `out` if given.

    Without `to`: DARTS text of CNN cells, a bare recipe of a recurrent genotype.

    Args:
        to: one of `TEXT_FORMATS`.
        space: name or path of the space, for samples of NNI: of one that is read, and of one that is written where no
            `space.yaml` lies beside the genotype.

    Raises:
        GenotypeError: the source holds no genotype, or several, or one that the format cannot hold.
        SettingsError: there is no such space, or a sample is asked for and none is known.
    """
    genotype, provenance = _read(source, space)
    wanted = to or _usual(genotype)
    if wanted == "nni-sample":
        text = to_json(to_nni_sample(genotype, _space_of(source, genotype, space)), indent=2)
    else:
        text = _text(genotype, provenance, wanted, str(source))
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


def _space_of(source: Path, genotype: Genotype, space: str | None) -> SearchSpace:
    """The space given, else the one beside the genotype, else the shipped one that the genotype names."""
    if space is not None:
        return load_search_space(space)
    folder = source if source.is_dir() else run_of_genotype(source)
    beside = folder / "space.yaml"
    if beside.is_file() and (folder / RUN_FILE).is_file():
        return load_search_space(beside)
    name = getattr(genotype, "space", "")
    try:
        return load_search_space(name or "none")
    except SettingsError as why:
        raise SettingsError(
            f"{source}: of which space? --to nni-sample needs --space NAME or PATH.yaml where no run's space.yaml lies "
            "beside the genotype"
        ) from why


def _read(source: Path, space: str | None) -> tuple[Genotype, dict[str, object]]:
    if source.is_file() and source.suffix == ".json" and (sample := _sample(source)) is not None:
        if space is None:
            raise SettingsError(f"{source}: a sample of NNI; name its space: --space NAME or PATH.yaml")
        return from_nni_sample(sample, load_search_space(space), str(source)), {}
    sources = read_genotypes(source)
    if len(sources) > 1:
        raise GenotypeError(f"{source}: a nested search has {len(sources)} genotypes; name one: {sources[0].path}")
    return sources[0].genotype, dict(sources[0].provenance)


def _sample(source: Path) -> dict[str, Any] | None:
    """The sample in a JSON file, None where it holds something else or nothing that can be read."""
    try:
        value = read_json(source, "genotype file", max_bytes=MAX_BYTES)
    except AudionasError:
        return None  # read again as a genotype, which tells what is wrong with it
    return value if is_sample_document(value) else None
