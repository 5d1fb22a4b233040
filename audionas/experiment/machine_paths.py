"""Paths of one machine, taken out of what is handed to others: what lies in the bundle gets its place there, of any
other absolute path the last name is left."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

# A path begins at the start of a text or behind a blank, quote, bracket, comma, = or a colon (`pretrained:/models/x`),
# never behind a letter (1/2, km/h) nor as `//` (https://...).
_ABSOLUTE = re.compile(r"""(?:(?<=^)|(?<=[\s'"=(\[{,:;<>|]))(?:/(?=[\w.~-])|[A-Za-z]:[\\/])[^\s'",;)\]}<>|]*""")


def without_machine_paths(value: Any, places: Mapping[str, str]) -> Any:
    """A JSON value in which no text holds an absolute path.

    Args:
        places: folders of this machine (absolute) and what stands for each.
    """
    if isinstance(value, str):
        return clean_text(value, places)
    if isinstance(value, list):
        return [without_machine_paths(item, places) for item in value]
    if isinstance(value, dict):
        return {clean_text(str(key), places): without_machine_paths(item, places) for key, item in value.items()}
    return value


def clean_text(text: str, places: Mapping[str, str]) -> str:
    """A text without absolute paths.

    >>> clean_text("audionas retrain /data/runs/a --data /data/emodb", {"/data/runs/a": "run"})
    'audionas retrain run --data emodb'
    >>> clean_text("/data/my runs/b", {}), clean_text("1/2 of it, see https://x.org/y", {})
    ('b', '1/2 of it, see https://x.org/y')
    """
    for folder in sorted(places, key=len, reverse=True):
        pieces = re.split(rf"(?<![\w.~/-]){re.escape(folder)}(?![\w.~-])", text)
        text = places[folder].join(pieces)
    whole = _name(text) if _is_one_path(text) else None
    return whole if whole is not None else _ABSOLUTE.sub(lambda found: _name(found.group()), text)


def absolute_paths(text: str) -> list[str]:
    """The absolute paths that stand in a text."""
    return _ABSOLUTE.findall(text)


def _is_one_path(text: str) -> bool:
    """Whether a whole text is one absolute path, blanks in it included."""
    return "\n" not in text and (bool(re.match(r"/[\w.~-]", text)) or bool(re.match(r"[A-Za-z]:[\\/]", text)))


def _name(path: str) -> str:
    kind = PurePosixPath if path.startswith("/") else PureWindowsPath
    return kind(path).name
