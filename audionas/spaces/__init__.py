"""What may be built: declarative search spaces, and genotypes, the small records that fix one network."""

from __future__ import annotations

from pathlib import Path

from audionas.errors import GenotypeError, SettingsError, unknown
from audionas.quantities import count_text
from audionas.records import refuse_name, validate
from audionas.shipped import read
from audionas.spaces.baseline_genotype import BaselineGenotype
from audionas.spaces.baseline_space import BaselineSpace
from audionas.spaces.catalogue_file import catalogue_size, read_json_strictly
from audionas.spaces.cnn_cell import CnnCellSpace
from audionas.spaces.cnn_genotype import CnnGenotype, CnnMacro
from audionas.spaces.cnn_macro import CnnMacroSpace
from audionas.spaces.darts_recurrent import DartsRecurrentSpace
from audionas.spaces.front_end import FrontEnd
from audionas.spaces.recurrent_catalogue import RecurrentCatalogueSpace, catalogue_faults
from audionas.spaces.recurrent_cell import RecurrentCellSpace
from audionas.spaces.recurrent_genotype import RecurrentGenotype, RecurrentMacro

SearchSpace = (
    CnnCellSpace | RecurrentCellSpace | RecurrentCatalogueSpace | DartsRecurrentSpace | CnnMacroSpace | BaselineSpace
)
SPACES: dict[str, type[SearchSpace]] = {
    "cnn_cell": CnnCellSpace,
    "recurrent_cell": RecurrentCellSpace,
    "recurrent_catalogue": RecurrentCatalogueSpace,
    "darts_recurrent": DartsRecurrentSpace,
    "cnn_macro": CnnMacroSpace,
    "baseline": BaselineSpace,
}
Genotype = CnnGenotype | RecurrentGenotype | BaselineGenotype


def load_search_space(name_or_path: str | Path) -> SearchSpace:
    """A search space from a shipped name or the path of a YAML file.

    Raises:
        SettingsError: no such file, a JSON file, or a key or value that is not accepted (all are listed).
    """
    if Path(name_or_path).suffix == ".json":
        _refuse_json(Path(name_or_path))
    path, settings = read("search_spaces", name_or_path)
    try:
        space = space_from_settings(settings, path.stem, str(path))
    except SettingsError as why:
        faults = [*why.problems, *catalogue_faults(settings, path.parent)]
        raise SettingsError(f"{path}: {'; '.join(faults)}", faults) from why
    if isinstance(space, RecurrentCatalogueSpace):
        space = space.relative_to(path.parent, str(path))
    return space.model_copy(update={"features": features_beside(space.features, path.parent)})


def features_beside(features: str, folder: Path) -> str:
    """The features that a space in a folder names; the path of a YAML is meant from that folder."""
    beside = folder / features
    return str(beside) if beside.suffix in (".yaml", ".yml") and beside.is_file() else features


def _refuse_json(path: Path) -> None:
    hint = "a genotype or a single recipe is trained by audionas retrain"
    if path.is_file():
        try:
            n_recipes = catalogue_size(read_json_strictly(path)[0])
        except GenotypeError as why:
            raise SettingsError(str(why)) from why
        if n_recipes:
            hint = (
                f"this is a catalogue of {count_text(n_recipes, 'recipe')}, to be searched with a YAML that says "
                f"kind: recurrent_catalogue and catalogue: {path.name}"
            )
    raise SettingsError(f"{path}: a search space is a YAML file; {hint}")


def space_from_settings(settings: dict[str, object], name: str, where: str) -> SearchSpace:
    """A search space from the mapping that its YAML holds.

    Raises:
        SettingsError: `kind` is missing or unknown, or any other key or value is not accepted.
    """
    kind = str(settings.get("kind", ""))
    if kind not in SPACES:
        missing = f"key 'kind' is missing; it must be one of: {', '.join(SPACES)}"
        fault = unknown("kind", kind, SPACES) if "kind" in settings else missing
        raise SettingsError(f"{where}: {fault}", [fault])
    faults: list[str] = []
    try:
        refuse_name(settings, where)
    except SettingsError as why:
        faults.append(str(why).removeprefix(f"{where}: "))
    try:
        space = validate(SPACES[kind], settings | {"name": name}, where)
    except SettingsError as why:
        faults += why.problems
    if faults:
        raise SettingsError(f"{where}: {'; '.join(faults)}", faults)
    return space


__all__ = [
    "SPACES", "BaselineGenotype", "BaselineSpace", "CnnCellSpace", "CnnGenotype", "CnnMacro", "CnnMacroSpace",
    "DartsRecurrentSpace", "FrontEnd", "Genotype", "RecurrentCatalogueSpace", "RecurrentCellSpace", "RecurrentGenotype",
    "RecurrentMacro", "SearchSpace", "features_beside", "load_search_space", "space_from_settings",
]  # fmt: skip
