"""Finds the YAML files of `search_spaces/`, `strategies/` and `augmentations/` by name, or any YAML file by path."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from audionas.errors import SettingsError, unknown
from audionas.records import parse_yaml

Shelf = Literal["search_spaces", "strategies", "augmentations"]
_SINGULAR = {"search_spaces": "search space", "strategies": "strategy", "augmentations": "augmentation"}


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


def read(shelf: Shelf, name_or_path: str | Path) -> tuple[Path, dict[str, Any]]:
    """The YAML file of a name or path, and the settings in it.

    Raises:
        SettingsError: there is no such file, or it is not a YAML mapping.
    """
    path = find(shelf, name_or_path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as why:
        raise SettingsError(f"{path}: cannot read this {_SINGULAR[shelf]} ({why})") from why
    return path, parse_yaml(text, str(path))
