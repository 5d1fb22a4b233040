"""What may be built: declarative search spaces, and genotypes, the small records that fix one network."""

from __future__ import annotations

from pathlib import Path

from audionas.errors import SettingsError, unknown
from audionas.records import refuse_name, validate
from audionas.shipped import read
from audionas.spaces.cnn_cell import CnnCellSpace
from audionas.spaces.cnn_genotype import CnnGenotype, CnnMacro
from audionas.spaces.recurrent_catalogue import RecurrentCatalogueSpace
from audionas.spaces.recurrent_cell import RecurrentCellSpace
from audionas.spaces.recurrent_genotype import RecurrentGenotype, RecurrentMacro

SearchSpace = CnnCellSpace | RecurrentCellSpace | RecurrentCatalogueSpace
SPACES: dict[str, type[SearchSpace]] = {
    "cnn_cell": CnnCellSpace,
    "recurrent_cell": RecurrentCellSpace,
    "recurrent_catalogue": RecurrentCatalogueSpace,
}
Genotype = CnnGenotype | RecurrentGenotype


def load_search_space(name_or_path: str | Path) -> SearchSpace:
    """A search space from a shipped name or the path of a YAML file.

    Raises:
        SettingsError: no such file, or a key or value that is not accepted (all are listed).
    """
    path, settings = read("search_spaces", name_or_path)
    space = space_from_settings(settings, path.stem, str(path))
    if isinstance(space, RecurrentCatalogueSpace):
        space = space.relative_to(path.parent)
    beside = path.parent / space.features
    if beside.suffix in (".yaml", ".yml") and beside.is_file():  # a path is meant from the space's own folder
        space = space.model_copy(update={"features": str(beside)})
    return space


def space_from_settings(settings: dict[str, object], name: str, where: str) -> SearchSpace:
    """A search space from the mapping that its YAML holds.

    Raises:
        SettingsError: `kind` is missing or unknown, or any other key or value is not accepted.
    """
    kind = str(settings.get("kind", ""))
    if "kind" not in settings:
        raise SettingsError(f"{where}: key 'kind' is missing; it must be one of: {', '.join(SPACES)}")
    if kind not in SPACES:
        raise SettingsError(f"{where}: {unknown('kind', kind, SPACES)}")
    refuse_name(settings, where)
    return validate(SPACES[kind], {"name": name, **settings}, where)


__all__ = [
    "SPACES", "CnnCellSpace", "CnnGenotype", "CnnMacro", "Genotype", "RecurrentCatalogueSpace", "RecurrentCellSpace",
    "RecurrentGenotype", "RecurrentMacro", "SearchSpace", "load_search_space", "space_from_settings",
]  # fmt: skip
