"""The part of the page that says in plain words what the network is, and how its receptive field grows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from audionas.errors import AudionasError, GenotypeError
from audionas.features import Extractor, extractor_from_settings
from audionas.features.physical_units import frames_ms
from audionas.models.meter import Place
from audionas.models.receptive_field import MapField
from audionas.quantities import ms_text
from audionas.records import validate
from audionas.report.blocks import Block, Fold, Section, Table, Text
from audionas.report.field_words import hz_text, row_noun
from audionas.report.network_words import Described, describe
from audionas.report.op_words import ordinal
from audionas.report.recipe_sections import recurrent_genotype
from audionas.report.run_files import JsonObject, RunFiles
from audionas.spaces import BaselineGenotype, CnnGenotype, CnnMacro, FrontEnd, Genotype
from audionas.spaces.genotype_file import check_cells

FIELD_NOTE = (
    "What a position in the middle of each map reads of the input, from its first to its last frame and row. Positions "
    "at the rim read less; the pooling after the last map reads all of it."
)

_CELLS = ("normal", "reduce")


@dataclass(frozen=True)
class _Network:
    """A genotype's document, the split it is for (empty: all), and the record of the run that used it."""

    document: JsonObject
    split: str
    run: JsonObject


def words_section(files: RunFiles) -> Section | None:
    """The networks that were retrained, else those that were found; equal ones once. None where nothing is known."""
    told: dict[str, tuple[list[str], Described, Extractor | None]] = {}  # by the genotype's hash
    fitted: set[str] = set()  # those whose features, fitted to each split's clips, differ a little
    for network in _networks(files):
        try:
            genotype = genotype_of(network.document)
            place = _place(network)
            described = describe(genotype, place)
        except AudionasError:  # damaged, or of another version: what that is about stands in its own part of the page
            continue
        key = genotype.hash
        splits, first, _ = told.setdefault(key, ([], described, place.extractor if place else None))
        splits += [network.split] if network.split else []
        if first.paragraph != described.paragraph:
            fitted.add(key)
    if not told:
        return None
    (splits_of_first, first, extractor), *others = told.values()
    blocks: list[Block] = [Text(first.paragraph), *_growth(first, extractor)]
    if others:
        names = ", ".join(splits_of_first)
        blocks.insert(0, Text(f"Of the splits {names}:" if "," in names else f"Of split {names}:"))
        blocks += [
            Fold(f"Of split {', '.join(splits)}", (Text(each.paragraph), *_growth(each, its)))
            for splits, each, its in others
        ]
    n_retrained = len(files.retraining.genotypes) if files.retraining else 0
    intro = "As it was retrained. " if n_retrained and files.searches else ""
    if fitted:
        intro += "Features are fitted split by split; figures are those of the first split."
    return Section("words", "The network in words", tuple(blocks), intro.strip())


def genotype_of(document: Mapping[str, Any]) -> Genotype:
    """The genotype of a genotype file's document, its hash not looked at.

    Raises:
        AudionasError: it is damaged.
    """
    if document.get("kind") == "baseline":
        return BaselineGenotype.of(str(document.get("name")), dict(document.get("settings") or {}))
    recurrent = recurrent_genotype(document)
    if recurrent is not None:
        return recurrent
    try:
        cells: dict[str, Any] = {
            **{name: tuple((str(op), int(source)) for op, source in document["cells"][name]) for name in _CELLS},
            **{f"{name}_concat": tuple(map(int, document["cells"][f"{name}_concat"])) for name in _CELLS},
        }
        per_node = int(document["cells"].get("edges_per_node", 2))
    except (KeyError, TypeError, ValueError) as why:
        raise GenotypeError(f"genotype.json: its cells are damaged ({why!r}); search again") from why
    front_end = document.get("front_end")
    genotype = CnnGenotype(
        **cells,
        edges_per_node=per_node,
        macro=validate(CnnMacro, document.get("macro") or {}, "genotype.json: macro"),
        front_end=None if front_end is None else validate(FrontEnd, front_end, "genotype.json: front_end"),
    )
    check_cells(genotype, "genotype.json")
    return genotype


def _networks(files: RunFiles) -> list[_Network]:
    retraining = files.retraining
    if retraining and retraining.genotypes:
        return [_Network(document, split, retraining.run) for split, document in retraining.genotypes.items()]
    return [_Network(search.genotype, search.split, search.run) for search in files.searches if search.genotype]


def _place(network: _Network) -> Place | None:
    """Its features and number of outputs, as far as its file or its run says them."""
    settings = (network.document.get("provenance") or {}).get("features") or network.run.get("features")
    labels = (network.run.get("data") or {}).get("labels") or []
    try:
        extractor = extractor_from_settings(dict(settings or {}), "features")
        return Place(extractor, len(labels)) if extractor.is_resolved and labels else None
    except AudionasError:
        return None


def _growth(described: Described, extractor: Extractor | None) -> list[Block]:
    """A row a map: its size, and what it reads."""
    if not described.fields or extractor is None:
        return []
    has_hz = bool(hz_text(extractor, described.fields[-1].features[1]))
    rows = []
    for field in described.fields:
        middle = field.features[1]
        ms = frames_ms(extractor, field.frames.first, field.frames.last)
        rows.append(
            (
                _map_name(field),
                f"{field.size[0]} x {field.size[1]}",
                str(field.frames.width),
                ms_text(ms) if ms is not None else "not in time",
                str(middle.width),
                *([hz_text(extractor, middle)] if has_hz else []),
            )
        )
    noun = row_noun(extractor).partition(",")[0]
    head = ("map after", "features x frames", "reads frames", "audio", f"reads {noun}", *(["band"] if has_hz else []))
    return [Table("Receptive field", head, tuple(rows), FIELD_NOTE)]


def _map_name(field: MapField) -> str:
    if field.cell is None:
        return "the stem"
    return f"the {ordinal(field.cell + 1)} cell ({'reduction' if field.kind == 'reduce' else 'normal'})"
