"""The starting file of a space: a commented YAML of its kind, in `spaces/` beside this module."""

from __future__ import annotations

from pathlib import Path

from audionas.errors import SettingsError, unknown
from audionas.ops import CNN_OPS
from audionas.ops.recurrent import RNN_OPS
from audionas.spaces import SPACES

_FOLDER = Path(__file__).parent / "spaces"


def space_text(name: str, kind: str) -> str:
    """The text; in the template `NAME` stands for the name, `CNN_OPS` and `RNN_OPS` for all operations.

    Raises:
        SettingsError: there is no such kind.
    """
    if kind not in SPACES:
        raise SettingsError(f"--kind: {unknown('kind', kind, SPACES)}")
    text = (_FOLDER / f"{kind}.yaml").read_text(encoding="utf-8")
    known = {"CNN_OPS": _listed(CNN_OPS), "RNN_OPS": _listed(RNN_OPS), "NAME": name}
    for word, replacement in known.items():
        text = text.replace(word, replacement)
    return text


def _listed(names: object) -> str:
    """Names in lines of comments that are not too long."""
    lines = [""]
    for word in list(names):  # type: ignore[call-overload]
        if len(lines[-1]) + len(word) > 90:
            lines.append("")
        lines[-1] += f"{word}, "
    return "\n#   ".join(line.strip() for line in lines).rstrip(",")
