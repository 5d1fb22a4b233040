"""Numbers in words: scores, times, counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

LAYOUTS = ("csv", "folder_per_label")


def score_text(value: float | None, sd: float | None = None, n_seeds: int = 1) -> str:
    """A score between 0 and 1 with its sd over seeds, where there is more than one.

    >>> score_text(0.6123, 0.02, 3), score_text(0.6123, 0.0, 1), score_text(None)
    ('0.612 ± 0.020', '0.612', 'none')
    """
    if value is None:
        return "none"
    spread = f" ± {sd:.3f}" if sd is not None and n_seeds > 1 else ""
    return f"{value:.3f}{spread}"


def interval_text(bounds: list[float] | None, *, signed: bool = False) -> str:
    """The bounds of an interval; a difference's carry their sign.

    >>> interval_text([0.8612, 0.902]), interval_text([-0.01, 0.02], signed=True), interval_text(None)
    ('0.861 to 0.902', '-0.010 to +0.020', 'none')
    """
    if not bounds:
        return "none"
    low, high = bounds
    return f"{low:+.3f} to {high:+.3f}" if signed else f"{low:.3f} to {high:.3f}"


def group_word(data: dict[str, Any]) -> str:
    """What a group is in this corpus: a speaker where the groups were taken from speakers.

    >>> group_word({"group_source": "column speaker"}), group_word({"group_source": "column recording"})
    ('speaker', 'group')
    """
    source = str(data.get("group_source", "")).lower()
    return "speaker" if "speaker" in source or "actor" in source else "group"


def data_name(data: dict[str, Any]) -> str:
    """What to call the data: the corpus, or the folder's name where only its layout is known.

    >>> data_name({"dataset": "emodb"}), data_name({"dataset": "csv", "root": "/data/my calls"})
    ('emodb', 'my calls')
    """
    dataset = str(data.get("dataset") or "")
    folder = Path(str(data.get("root") or "")).name
    return (folder if dataset in LAYOUTS and folder else dataset) or "unnamed data"


def plain(value: object) -> str:
    """A value of a JSON file as a reader expects it.

    >>> plain([1, 32, 64]), plain({"n_mels": 32, "log": True}), plain(None)
    ('1, 32, 64', 'n_mels 32, log yes', 'none')
    """
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return ", ".join(map(plain, value)) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{key} {plain(inner)}" for key, inner in value.items()) or "none"
    return str(value)
