"""What a page is made of. The template knows these and nothing else; all texts are escaped there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from markupsafe import Markup
from matplotlib.figure import Figure

from audionas.report.explorer import Explorer
from audionas.report.svg import inline_svg

WIDE = 480.0  # points; a wider picture has a row of the page for itself


@dataclass(frozen=True)
class Picture:
    """An inline SVG with a title above and an explanation below."""

    kind: ClassVar[str] = "picture"
    title: str
    svg: Markup
    caption: str = ""
    lines: tuple[str, ...] = ()
    is_wide: bool = False


@dataclass(frozen=True)
class Gallery:
    """Pictures side by side where there is room."""

    kind: ClassVar[str] = "gallery"
    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class Table:
    """A table; the first column names the row. A folded one opens on a click."""

    kind: ClassVar[str] = "table"
    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    is_folded: bool = False


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    kind: ClassVar[str] = "text"
    text: str


@dataclass(frozen=True)
class Facts:
    """Names and values."""

    kind: ClassVar[str] = "facts"
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Notes:
    """Short texts in a list; an alarm stands out."""

    kind: ClassVar[str] = "notes"
    texts: tuple[str, ...]
    is_alarm: bool = False


@dataclass(frozen=True)
class Sound:
    """A recording to listen to, as a data: URI, with what it is and what was made of it; empty lines are left out."""

    uri: str
    title: str
    truth: str
    predicted: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Clips:
    """Recordings side by side where there is room."""

    kind: ClassVar[str] = "clips"
    title: str
    sounds: tuple[Sound, ...]


@dataclass(frozen=True)
class Commands:
    """Command lines to copy, each with what it does."""

    kind: ClassVar[str] = "commands"
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Fold:
    """Blocks behind a click."""

    kind: ClassVar[str] = "fold"
    title: str
    blocks: tuple[Block, ...]


Block = Picture | Gallery | Table | Text | Facts | Notes | Clips | Commands | Fold | Explorer


@dataclass(frozen=True)
class Section:
    """A headed part of the page."""

    anchor: str
    title: str
    blocks: tuple[Block, ...]
    intro: str = ""


@dataclass(frozen=True)
class Tile:
    """One number at the top, with what it is."""

    value: str
    label: str


@dataclass
class Pictures:
    """Makes pictures, each with ids that no other picture of the page has; `prefix` tells two makers apart."""

    prefix: str = "fig"
    n_made: int = field(default=0)

    def make(self, title: str, figure: Figure, caption: str = "", lines: tuple[str, ...] = ()) -> Picture:
        self.n_made += 1
        svg = Markup(inline_svg(figure, f"{self.prefix}{self.n_made}", title))  # safe: matplotlib escapes the texts
        return Picture(title, svg, caption, lines, is_wide=figure.get_figwidth() * 72 > WIDE)
