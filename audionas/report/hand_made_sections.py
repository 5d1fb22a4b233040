"""A hand-made system on the page: which one, of which paper, with which settings."""

from __future__ import annotations

from audionas.errors import SettingsError
from audionas.models.baselines import BASELINES, baseline_settings
from audionas.report.blocks import Facts, Section
from audionas.report.quantities import plain
from audionas.report.run_files import JsonObject, RunFiles
from audionas.spaces import BaselineGenotype


def hand_made(files: RunFiles) -> BaselineGenotype | None:
    """The system that was trained, if it is none that a search found."""
    documents = list(files.retraining.genotypes.values()) if files.retraining else []
    return _genotype(documents[0]) if documents else None


def _genotype(document: JsonObject | None) -> BaselineGenotype | None:
    if not document or document.get("kind") != "baseline":
        return None
    return BaselineGenotype.of(str(document.get("name")), dict(document.get("settings") or {}))


def hand_made_section(files: RunFiles) -> Section | None:
    """Its name, its paper and its settings; those that are not the paper's are marked. Of a search, what it found."""
    genotype = hand_made(files)
    if genotype is not None and not files.searches:
        return Section("system", "The system", (Facts(tuple(_rows(genotype))),))
    found = [(_genotype(search.genotype), search.split) for search in files.searches]
    facts = tuple(
        Facts((*([("test fold left out", split)] if split else []), *_rows(each))) for each, split in found if each
    )
    return Section("system", "The settings found", facts) if facts else None


def _rows(genotype: BaselineGenotype) -> list[tuple[str, str]]:
    line = BASELINES.get(genotype.name)
    if line is None:
        return [("system", genotype.name), ("not known here", "this audionas has no system of this name")]
    rows = [("system", genotype.name), ("what it is", line.summary), ("paper", line.paper or "none, a plain system")]
    try:
        settings: JsonObject = baseline_settings(genotype).model_dump(mode="json")
    except SettingsError as why:
        return [*rows, ("settings", str(why))]
    own = set(dict(genotype.settings)) - {"second_labels"}  # those come from the corpus
    rows += [
        (key.replace("_", " "), plain(value) + (" (not the paper's)" if key in own and line.paper else ""))
        for key, value in settings.items()
    ]
    return rows
