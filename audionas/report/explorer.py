"""A part of the page that its script takes over: the data in JSON, and what stands there without scripts."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from markupsafe import Markup

from audionas.records import to_json

if TYPE_CHECKING:
    from audionas.report.blocks import Block

_UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


@dataclass(frozen=True)
class Explorer:
    """`data` is what `page.js` reads, with its `kind`; `still` is shown where scripts are off, and hidden else."""

    kind: ClassVar[str] = "explorer"
    data: Mapping[str, Any]
    still: tuple[Block, ...] = ()

    @property
    def json(self) -> Markup:
        """The data as JSON that cannot end its element, whatever texts are in it.

        >>> Explorer({"label": "</script><b>"}).json
        Markup('{"label": "\\\\u003c/script\\\\u003e\\\\u003cb\\\\u003e"}')
        """
        text = to_json(dict(self.data))
        for sign, code in _UNSAFE.items():
            text = text.replace(sign, code)
        return Markup(text)  # safe: neither "<" nor "&" is left


@cache
def script() -> Markup:
    """The page's script."""
    return Markup((Path(__file__).parent / "page.js").read_text(encoding="utf-8"))


def script_policy() -> str:
    """What the Content-Security-Policy allows of scripts: this one, by its hash."""
    digest = hashlib.sha256(script().encode("utf-8")).digest()
    return f"script-src 'sha256-{base64.b64encode(digest).decode()}'"


def has_explorer(blocks: Iterable[Block]) -> bool:
    """Whether the script has work among these blocks, also inside folded ones."""
    return any(block.kind == "explorer" or has_explorer(getattr(block, "blocks", ())) for block in blocks)
