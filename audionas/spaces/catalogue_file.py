"""Recipes in JSON files: one recipe, or a catalogue of them; strict, with every fault of a file named together.

A catalogue is the document that `benchmarks/make_catalogue.py` writes, a list of recipes, or an object
name -> recipe. In JSON the last of two equal keys silently wins; here two definitions of a node are an error.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from audionas.errors import AudionasError, GenotypeError, SettingsError
from audionas.quantities import count_text
from audionas.records import Record, read_json, validate
from audionas.spaces.recurrent_genotype import RecurrentGenotype

MAX_BYTES = 16 * 2**20
SHIPPED_FOLDER = Path(__file__).parent / "data"
_MAX_NAME = 100


class CatalogueRun(Record):
    """One training run on text; the loss is the best of its epochs, in nats, null if there is none."""

    id: int
    experiment: int
    best_val_loss: float | None
    status: Literal["OK", "loss is nan!"]


class _Entry(Record):
    id: int = Field(ge=0)
    ids: tuple[int, ...] = ()
    recipe: dict[str, Any]
    text_loss: float | None = None
    runs: tuple[CatalogueRun, ...] = ()


class CatalogueDocument(Record):
    """The document of a catalogue whose recipes have ids and losses on text."""

    schema_version: Literal[1]
    source: str = ""
    licence: str = ""
    attribution: str = ""
    text_task: str = ""
    recipes: tuple[_Entry, ...]


@dataclass(frozen=True)
class CatalogueRecipe:
    """One recipe of a catalogue; isomorphic ones are one, with the ids of all and the best of their losses."""

    name: str
    genotype: RecurrentGenotype
    ids: tuple[int, ...]
    text_loss: float | None


def read_recipe_file(path: Path) -> RecurrentGenotype:
    """The genotype of a file that holds one bare NAS-Bench-NLP recipe.

    Raises:
        GenotypeError: with all faults: those of `read_json_strictly` and of `RecurrentGenotype.from_recipe`.
    """
    return recipe_genotype(*read_json_strictly(path), path)


def recipe_genotype(recipe: Any, faults: Sequence[str], path: Path) -> RecurrentGenotype:
    """The genotype of a recipe read from a file, whose faults so far are given.

    Raises:
        GenotypeError: with these faults and those of `RecurrentGenotype.from_recipe`.
    """
    found = list(faults)
    try:
        genotype = RecurrentGenotype.from_recipe(recipe)
    except GenotypeError as why:
        found.append(str(why).removeprefix("recipe: "))
    if found:
        raise GenotypeError(f"{path}: {'; '.join(found)}")
    return genotype


def is_recipe_document(value: object) -> bool:
    """Whether a JSON value is a bare recipe, right or faulty, and not a genotype file or a catalogue."""
    if not isinstance(value, Mapping) or isinstance(value.get("kind"), str):
        return False
    nodes = [body for body in value.values() if isinstance(body, Mapping)]
    return any(isinstance(node.get("op"), str) or isinstance(node.get("input"), list) for node in nodes)


def catalogue_size(value: object) -> int:
    """How many recipes a JSON value holds if it looks like a catalogue, right or faulty; else 0."""
    if isinstance(value, Mapping) and isinstance(value.get("recipes"), list):
        return len(value["recipes"])
    recipes = value if isinstance(value, list) else list(value.values()) if isinstance(value, Mapping) else []
    return len(recipes) if any(is_recipe_document(recipe) for recipe in recipes) else 0


def catalogue_facts(document: object) -> str:
    """How many recipes a valid catalogue has, how many up to isomorphism, and of how many hidden states."""
    entries, _ = _entries(document)
    n_distinct = len({entry.genotype.recipe_hash for entry in entries})
    states = sorted({entry.genotype.n_states for entry in entries})
    return f"{count_text(len(entries), 'recipe')}, {n_distinct} distinct; hidden states: {', '.join(map(str, states))}"


def read_catalogue_document(path: Path) -> Any:
    """The document of a catalogue's JSON file, with every recipe in it checked.

    Raises:
        SettingsError: with the faults of all recipes in `problems`, or because the file cannot be read.
    """
    try:
        document, faults = read_json_strictly(path, "catalogue")
    except GenotypeError as why:
        raise SettingsError(str(why)) from why
    _, more = _entries(document)
    _refuse([*faults, *more], str(path))
    return document


def catalogue_recipes(document: object, where: str) -> tuple[CatalogueRecipe, ...]:
    """The recipes of a catalogue up to isomorphism, best on text first, then those without a loss, then by id.

    Raises:
        SettingsError: with the faults of all recipes in `problems`.
    """
    entries, faults = _entries(document)
    _refuse(faults, where)
    classes: dict[str, list[CatalogueRecipe]] = {}
    for entry in entries:
        classes.setdefault(entry.genotype.recipe_hash, []).append(entry)
    return tuple(sorted(map(_merged, classes.values()), key=_rank))


def shipped_catalogues() -> list[str]:
    """The names of the catalogues that ship, sorted."""
    return sorted(path.stem for path in SHIPPED_FOLDER.glob("*.json"))


@cache
def shipped_recipes(name: str) -> tuple[CatalogueRecipe, ...]:
    """The recipes of a shipped catalogue."""
    path = SHIPPED_FOLDER / f"{name}.json"
    return catalogue_recipes(read_json(path, "catalogue"), str(path))


class _Object(dict[str, Any]):
    """A JSON object that remembers which of its keys stood twice."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.repeated = [key for key, n in Counter(key for key, _ in pairs).items() if n > 1]


def read_json_strictly(path: Path, what: str = "recipe file", *, max_bytes: int = MAX_BYTES) -> tuple[Any, list[str]]:
    """The value of a JSON file, and a fault for each key that stands twice in an object.

    Raises:
        GenotypeError: no such file, more than `max_bytes`, not JSON, or nested too deeply.
    """
    if path.exists() and not path.is_file():
        raise GenotypeError(f"{path}: not a {what}: not a regular file")
    try:
        value = read_json(path, what, max_bytes=max_bytes)
        strict = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_Object)
    except RecursionError as why:
        raise GenotypeError(f"{path}: not a {what}: nested too deeply") from why
    except AudionasError as why:
        if isinstance(why.__cause__, RecursionError):
            raise GenotypeError(f"{path}: not a {what}: nested too deeply") from why
        raise GenotypeError(str(why)) from why
    return value, [f"two definitions of {place!r}; keep one" for place in _repeated(strict)]


def _repeated(value: Any) -> Iterator[str]:
    left: list[tuple[str, Any]] = [("", value)]
    while left:  # no recursion: a hostile file may be nested deeply
        place, inner = left.pop()
        if isinstance(inner, _Object):
            yield from (f"{place}{key}" for key in inner.repeated)
        parts = inner.items() if isinstance(inner, dict) else enumerate(inner) if isinstance(inner, list) else ()
        left.extend((f"{place}{key}.", part) for key, part in reversed(list(parts)))


def _entries(document: object) -> tuple[list[CatalogueRecipe], list[str]]:
    """The recipes of a catalogue, isomorphic ones apart, and the faults of all."""
    try:
        named = list(_named(document))
    except SettingsError as why:
        return [], [*why.problems, *_faults_of_recipes(document)]
    entries, faults = [], _name_faults([name for name, _ in named])
    for name, entry in named:
        try:
            genotype = RecurrentGenotype.from_recipe(entry.recipe, f"recipe {name!r}")
            entries.append(CatalogueRecipe(name, genotype, tuple(sorted({entry.id, *entry.ids})), entry.text_loss))
        except GenotypeError as why:
            faults.append(str(why))
    return entries, faults


def _faults_of_recipes(document: object) -> Iterator[str]:
    """The faults of the recipes in a document whose form is wrong somewhere."""
    recipes = document.get("recipes") if isinstance(document, Mapping) else None
    for i, entry in enumerate(recipes if isinstance(recipes, list | tuple) else ()):
        if isinstance(entry, Mapping) and isinstance(entry.get("recipe"), Mapping):
            try:
                RecurrentGenotype.from_recipe(entry["recipe"], f"recipes.{i}")
            except GenotypeError as why:
                yield str(why)


def _named(document: object) -> Iterator[tuple[str, _Entry]]:
    if is_recipe_document(document):
        raise SettingsError("a single recipe, where a catalogue of several is expected; write it as [recipe]")
    if isinstance(document, Mapping) and isinstance(document.get("recipes"), Sequence):
        for entry in validate(CatalogueDocument, document, "catalogue").recipes:
            yield f"r{min((entry.id, *entry.ids))}", entry
        return
    if isinstance(document, Mapping):
        items = [(str(name), recipe) for name, recipe in document.items()]
    elif isinstance(document, list | tuple):
        items = [(f"r{i}", recipe) for i, recipe in enumerate(document)]
    else:
        raise SettingsError(
            f"got {type(document).__name__}, expected a list of recipes, an object name -> recipe, "
            "or a document with 'recipes'"
        )
    for i, (name, recipe) in enumerate(items):
        yield name, _Entry.model_construct(id=i, ids=(), recipe=recipe, text_loss=None)


def _name_faults(names: list[str]) -> list[str]:
    if not names:
        return ["no recipe in it"]
    twice = [name for name, n in Counter(names).items() if n > 1]
    bad = [name for name in names if not name.isprintable() or not 0 < len(name) <= _MAX_NAME]
    return [
        *(f"recipe {name!r}: two recipes have this id" for name in twice),
        *(f"recipe {name[:_MAX_NAME]!r}: a name has 1 to {_MAX_NAME} printable characters" for name in bad),
    ]


def _refuse(faults: list[str], where: str) -> None:
    if faults:
        raise SettingsError(f"{where}: {'; '.join(faults)}", faults)


def _merged(twins: list[CatalogueRecipe]) -> CatalogueRecipe:
    first = min(twins, key=lambda twin: twin.ids)
    losses = [twin.text_loss for twin in twins if twin.text_loss is not None]
    ids = tuple(sorted(number for twin in twins for number in twin.ids))
    return CatalogueRecipe(first.name, first.genotype, ids, min(losses, default=None))


def _rank(recipe: CatalogueRecipe) -> tuple[bool, float, int]:
    return recipe.text_loss is None, recipe.text_loss or 0.0, recipe.ids[0]
