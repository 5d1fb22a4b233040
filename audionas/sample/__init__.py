"""The shipped sample: a real subset of EMO-DB, so that a first search needs no data. See README.md there."""

from __future__ import annotations

from pathlib import Path


def folder() -> Path:
    """The folder that holds `manifest.csv` and `audio/`."""
    return Path(__file__).parent
