"""Validation of a file of any kind that a user may write: what it is, and all its errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audionas.augmentations import WaveformAugmentation
from audionas.errors import AudionasError, SettingsError
from audionas.experiment.front_ends import candidate_extractors
from audionas.experiment.prepare import PrepareOptions, prepare
from audionas.experiment.run_folder import RunFolder
from audionas.features import extractor_from_settings, load_features
from audionas.models.algorithmic_delay import check_causal_features
from audionas.models.baselines import baseline_settings
from audionas.models.baselines.space_check import check_baseline_space
from audionas.records import parse_yaml, validate
from audionas.search.strategy import strategy_from_settings
from audionas.spaces import BaselineGenotype, SearchSpace, features_beside, load_search_space
from audionas.spaces.catalogue_file import (
    catalogue_facts,
    is_recipe_document,
    read_catalogue_document,
    read_json_strictly,
    read_recipe_file,
)
from audionas.spaces.darts_text import from_darts_text
from audionas.spaces.genotype_file import read_genotype_file


@dataclass(frozen=True)
class Checked:
    """What a file was taken for, and what is wrong with it; no errors means that it can be used.

    `notes` say what is worth knowing of a file that can be used: what a corpus lacks, what a catalogue holds.
    """

    kind: str
    errors: tuple[str, ...]
    notes: tuple[str, ...] = ()


def check_file(path: Path) -> Checked:
    """Check a YAML, a genotype, a recipe, a catalogue, DARTS text, a manifest CSV, a run folder or a data folder."""
    if not path.exists():
        return Checked("file", ("no such file",))
    if path.suffix in (".yaml", ".yml"):
        return _yaml(path)
    if path.suffix == ".json":
        return _json(path)
    if path.suffix == ".txt":
        return _checked("DARTS text", path, lambda: from_darts_text(path.read_text(encoding="utf-8"), str(path)))
    if (path / "run.json").is_file():
        return _checked("run folder", path, lambda: RunFolder.open(path))
    if path.suffix == ".csv" or path.is_dir():
        return _checked(
            "manifest" if path.is_file() else "data folder",
            path,
            lambda: prepare(path, None, PrepareOptions()).manifest.notes,
        )
    return Checked(
        "file",
        (f"cannot tell what {path.suffix or 'this'} is; accepted: .yaml, .json, .csv, .txt, a folder",),
    )


def _json(path: Path) -> Checked:
    """A genotype file, a bare recipe, or a catalogue of recipes."""
    try:
        value, _ = read_json_strictly(path, "JSON file")
    except AudionasError as why:
        return Checked("genotype or recipe", (_stripped(str(why), path),))
    if isinstance(value, dict) and is_recipe_document(value):
        return _checked("recurrent recipe", path, lambda: read_recipe_file(path))
    if isinstance(value, list) or (isinstance(value, dict) and not isinstance(value.get("kind"), str)):
        return _checked("catalogue of recipes", path, lambda: (catalogue_facts(read_catalogue_document(path)),))
    return _checked("genotype", path, lambda: _load_genotype(path))


def _load_genotype(path: Path) -> None:
    """Read a genotype; of a hand-made system its settings too, which only its network knows."""
    genotype = read_genotype_file(path).genotype
    if isinstance(genotype, BaselineGenotype):
        baseline_settings(genotype)


def _yaml(path: Path) -> Checked:
    try:
        settings = parse_yaml(path.read_text(encoding="utf-8"), str(path))
    except (AudionasError, UnicodeDecodeError, OSError) as why:
        return Checked("YAML file", (_stripped(str(why), path),))
    makers: dict[str, tuple[str, Callable[[dict[str, Any]], object]]] = {
        "kind": ("search space", lambda s: _load_space(path, s)),
        "algorithm": ("strategy", lambda s: strategy_from_settings(s, path.stem, str(path))),
        "extractor": ("feature setting", lambda s: extractor_from_settings(s, str(path))),
        "copies": ("augmentation", lambda s: validate(WaveformAugmentation, s, str(path))),
    }
    for key, (kind, make) in makers.items():
        if key in settings:
            return _checked(kind, path, lambda make=make: make(settings))  # type: ignore[misc]
    return Checked(
        "YAML file",
        (
            "has none of the keys kind (a space), algorithm (a strategy), extractor (features), copies "
            "(an augmentation)",
        ),
    )


def _load_space(path: Path, settings: dict[str, Any]) -> None:
    """Load a space and its features; the faults of both are reported together, else how they fit each other."""
    faults: list[str] = []
    space: SearchSpace | None = None
    try:
        space = load_search_space(path)
        features: object = space.features
    except SettingsError as why:
        faults += why.problems
        features = settings.get("features")
    try:
        if isinstance(features, str):
            extractor = load_features(features_beside(features, path.parent) if faults else features)
            if space is not None:
                check_causal_features(space.macro, extractor, str(path))
                check_baseline_space(space, str(path))
                candidate_extractors(space, extractor)
    except SettingsError as why:
        faults += why.problems
    if faults:
        raise SettingsError(f"{path}: {'; '.join(faults)}", faults)


def _checked(kind: str, path: Path, make: Callable[[], object]) -> Checked:
    """Make it; the lines in a tuple that `make` gives back are notes."""
    try:
        made = make()
    except SettingsError as why:
        return Checked(kind, tuple(_stripped(problem, path) for problem in why.problems))
    except (AudionasError, UnicodeDecodeError, OSError) as why:
        return Checked(kind, (_stripped(str(why), path),))
    return Checked(kind, (), made if isinstance(made, tuple) else ())


def _stripped(message: str, path: Path) -> str:
    return message.removeprefix(f"{path}: ").removeprefix(f"{path.resolve()}: ")
