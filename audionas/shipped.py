"""Finds the YAML files of `search_spaces/` and `strategies/` by name, or any YAML file by path."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from audionas.errors import SettingsError, unknown

Shelf = Literal["search_spaces", "strategies"]
_SINGULAR = {"search_spaces": "search space", "strategies": "strategy"}


def folder(shelf: Shelf) -> Path:
    """The folder of the shipped YAML files: inside the installed package, else beside it in a checkout.

    Raises:
        SettingsError: neither folder exists.
    """
    inside = Path(__file__).parent / shelf
    beside = Path(__file__).parent.parent / shelf
    for place in (inside, beside):
        if any(place.glob("*.yaml")):
            return place
    raise SettingsError(f"no {shelf} found, neither in {inside} nor in {beside}; install audionas again")


def names(shelf: Shelf) -> list[str]:
    """The names of the shipped YAML files, sorted."""
    return sorted(path.stem for path in folder(shelf).glob("*.yaml"))


def find(shelf: Shelf, name_or_path: str | Path) -> Path:
    """The YAML file of a shipped name, or the file at a path.

    Raises:
        SettingsError: it is neither.
    """
    text = str(name_or_path)
    if text in names(shelf):
        return folder(shelf) / f"{text}.yaml"
    path = Path(text)
    if path.suffix in (".yaml", ".yml") or "/" in text:
        if path.is_file():
            return path
        raise SettingsError(f"{text}: no such {_SINGULAR[shelf]} file")
    raise SettingsError(f"{unknown(_SINGULAR[shelf], text, names(shelf))}; or give a path that ends in .yaml")
