"""Which genotype each outer split is retrained with, and whether the search that found it saw the split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from audionas.audio.folds import OuterSplit, split_folder
from audionas.audio.manifest import Manifest
from audionas.errors import GenotypeError, RunError, SettingsError
from audionas.experiment.encoder_groups import with_encoder_groups
from audionas.experiment.front_ends import check_front_end, with_front_end
from audionas.experiment.prepare import common_rate
from audionas.experiment.provenance import groups_seen, is_known
from audionas.experiment.run_folder import RUN_FILE, RunFolder
from audionas.features import extractor_from_settings, load_features
from audionas.models import with_macro
from audionas.models.baselines import baseline_of, baseline_settings
from audionas.run_places import run_of_genotype
from audionas.spaces import BaselineGenotype, CnnGenotype, Genotype, RecurrentGenotype, load_search_space
from audionas.spaces.genotype_file import read_genotype_file

# Macro keys that the command line sets, with their options.
MACRO_OPTIONS = {
    "CNN": {"n_cells": "--cells", "channels": "--channels"},
    "recurrent": {"n_layers": "--layers", "hidden": "--hidden"},
}


@dataclass(frozen=True)
class Source:
    """A genotype file; `left_out` is the split that its search did not read, if it was one.

    `is_named`: a hand-made system given by its name; `path` is that name, and no file.
    """

    path: Path
    genotype: Genotype
    provenance: Mapping[str, Any]
    is_named: bool = False

    @property
    def left_out(self) -> str | None:
        """Name of the split that the search left out."""
        name = self.provenance.get("split_left_out")
        return str(name) if name is not None else None


def find_sources(paths: Sequence[Path]) -> list[Source]:
    """The genotypes of run folders and genotype files; a nested search gives one a split.

    Raises:
        RunError: a run is not finished, or is no search.
        GenotypeError: a file is not a genotype.
    """
    return [_checked_source(file) for path in paths for file in _files(path)]


def baseline_source(genotype: BaselineGenotype) -> Source:
    """A hand-made system as a source; it has read no clip, and has no features until `with_features`."""
    return Source(Path(genotype.name), genotype, {"groups_read": []}, is_named=True)


def usual_features(sources: Sequence[Source]) -> str | None:
    """The features of a hand-made system whose source names none; None where sources have their own.

    Raises:
        SettingsError: the system is unknown.
    """
    for source in sources:
        if isinstance(source.genotype, BaselineGenotype) and "features" not in source.provenance:
            return baseline_of(source.genotype).features
    return None


def by_split(sources: Sequence[Source], splits: Sequence[OuterSplit]) -> dict[str, Source]:
    """The source of each split: the only one, or the one that left this split out.

    Raises:
        RunError: several sources, and a split is left out by none or by two.
    """
    if len(sources) == 1:
        return {split.name: sources[0] for split in splits}
    table: dict[str, Source] = {}
    for split in splits:
        fitting = [source for source in sources if source.left_out == split.name]
        if len(fitting) != 1:
            found = ", ".join(f"{source.path} left out {source.left_out}" for source in sources)
            raise RunError(f"split {split.name} is left out by {len(fitting)} of the given runs, must be 1 ({found})")
        table[split.name] = fitting[0]
    return table


def seen_groups(manifest: Manifest, split: OuterSplit, source: Source) -> list[str]:
    """Test groups of a split that the search behind a genotype has read."""
    return groups_seen(manifest, split.test, source.provenance)


def source_features(source: Source) -> dict[str, Any]:
    """The feature settings that a genotype was searched with.

    Raises:
        GenotypeError: the file does not say, or its settings give another input shape than it says.
    """
    settings, shape = source.provenance.get("features"), source.provenance.get("input_shape")
    if not isinstance(settings, dict) or not isinstance(shape, list):
        raise GenotypeError(f"{source.path}: says nothing of its features; name them with --features")
    extractor = extractor_from_settings(settings, str(source.path))
    if not extractor.is_resolved:
        raise GenotypeError(f"{source.path}: its features still say 'auto'; retrain from a run of audionas search")
    found = extractor.input_shape
    if list(found) != shape:
        raise GenotypeError(f"{source.path}: its features give {found}, it was searched on {tuple(shape)}")
    check_front_end(source.genotype, settings, str(source.path))
    return settings


def with_features(source: Source, name: str, manifest: Manifest, split: OuterSplit) -> Source:
    """The source with other features (a name or a YAML file), their length fitted without the split's clips.

    What a genotype's own front-end says is kept.
    """
    durations = [manifest.clips[row].duration_s for row in split.search]
    asked = load_features(name).of_split(split.name)
    if isinstance(source.genotype, CnnGenotype) and source.genotype.front_end is not None:
        asked = with_front_end(asked, source.genotype.front_end, str(source.path))
    extractor = asked.resolve(common_rate(manifest), durations)
    changes = {"features": extractor.settings(), "input_shape": list(extractor.input_shape)}
    if is_known(source.provenance):
        changes["groups_read"] = with_encoder_groups(source.provenance["groups_read"], extractor.settings())
    return replace(source, provenance={**source.provenance, **changes})


def with_padding(source: Source, is_masked: bool) -> Source:
    """The source with padding masked or counted; its features are else as they were."""
    features = {**source_features(source), "mask_padding": is_masked}
    return replace(source, provenance={**source.provenance, "features": features})


def with_macro_values(source: Source, macro: Mapping[str, Any]) -> Source:
    """The source with other macro values, e.g. more channels for the retrained network.

    Raises:
        SettingsError: a value is of the other kind of genotype or out of range; named by its option.
    """
    genotype = source.genotype
    if isinstance(genotype, BaselineGenotype):
        _refuse_macro(source, macro)
        return source
    _refuse_other_kind(source, genotype, macro)
    try:
        if isinstance(genotype, RecurrentGenotype):
            return replace(source, genotype=replace(genotype, macro=with_macro(genotype.macro, macro)))
        return replace(source, genotype=replace(genotype, macro=with_macro(genotype.macro, macro)))
    except SettingsError as why:
        faults = [_by_option(problem) for problem in why.problems]
        raise SettingsError("; ".join(faults), faults) from why


def _refuse_macro(source: Source, macro: Mapping[str, Any]) -> None:
    options = {**MACRO_OPTIONS["CNN"], **MACRO_OPTIONS["recurrent"]}
    if macro:
        given = ", ".join(options.get(key, key) for key in macro)
        raise SettingsError(f"{given}: for found genotypes; {source.path} is a hand-made system: --set key=value")


def _refuse_other_kind(source: Source, genotype: CnnGenotype | RecurrentGenotype, macro: Mapping[str, Any]) -> None:
    own, other = ("recurrent", "CNN") if isinstance(genotype, RecurrentGenotype) else ("CNN", "recurrent")
    known = type(genotype.macro).model_fields
    given = [option for key, option in MACRO_OPTIONS[other].items() if key in macro and key not in known]
    if own == "recurrent" and isinstance(macro.get("channels"), int):  # a recurrent macro's `channels` is no number
        given.append(MACRO_OPTIONS["CNN"]["channels"])
    if given:
        verb = "is" if len(given) == 1 else "are"
        raise SettingsError(
            f"{', '.join(given)} {verb} for {other} genotypes; this one is {own}: "
            f"{', '.join(MACRO_OPTIONS[own].values())} ({source.path})"
        )


def _by_option(problem: str) -> str:
    key, colon, rest = problem.partition(":")
    options = {**MACRO_OPTIONS["CNN"], **MACRO_OPTIONS["recurrent"]}
    return f"{options.get(key, key)}{colon}{rest}"


def _checked_source(file: Path) -> Source:
    """The source, refused if it is not of the space that lies beside it in its run folder."""
    source = read_source(file)
    if isinstance(source.genotype, BaselineGenotype):
        _check_settings(source.genotype, file)
        return source
    run = run_of_genotype(file)
    beside = run / "space.yaml"
    if beside.is_file() and (run / RUN_FILE).is_file():
        try:
            load_search_space(beside).check(source.genotype)
        except GenotypeError as why:
            raise GenotypeError(f"{file}: {why}; it was not found by the search in this folder") from why
    return source


def _check_settings(genotype: BaselineGenotype, file: Path) -> None:
    try:
        baseline_settings(genotype)
    except SettingsError as why:
        raise SettingsError(f"{file}: {why}", why.problems) from why


def _files(path: Path) -> list[Path]:
    if path.is_file() or not path.exists():
        return [path]
    if not (path / RUN_FILE).exists() and (path / "genotype.json").exists():
        return [path / "genotype.json"]
    run = RunFolder.open(path, "search", "nested_search", "pretrain")
    if run.record["status"] != "done":
        command = "pretrain" if run.record["kind"] == "pretrain" else "search"
        what = f"this {'pre-training' if command == 'pretrain' else 'search'} is not finished"
        raise RunError(f"{path}: {what} ({run.record['status']}); audionas {command} --resume {path}")
    if run.record["kind"] == "nested_search" or run.record.get("splits"):
        return [path / split_folder(name) / "genotype.json" for name in run.record["splits"]]
    return [path / "genotype.json"]


def read_source(file: Path) -> Source:
    """The genotype of one file, with its provenance."""
    found = read_genotype_file(file)
    return Source(file, found.genotype, found.provenance)
