"""`audionas export`: one function a format; the table says which options a format knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from audionas.errors import SettingsError, unknown
from audionas.experiment.attention_maps import export_maps
from audionas.experiment.chosen_networks import Choice
from audionas.experiment.export_genotype import TEXT_FORMATS, exported_text
from audionas.experiment.export_onnx import export_onnx
from audionas.experiment.export_picture import PICTURES, export_picture
from audionas.experiment.talk import Silent, Talk


@dataclass(frozen=True)
class ExportRequest:
    """What the user asked for; None and defaults as `audionas export --help` says."""

    source: Path
    to: str | None = None
    out: Path | None = None
    clip: Path | None = None
    space: str | None = None
    choice: Choice = field(default_factory=Choice)
    width_mm: float | None = None
    dpi: float | None = None

    def options(self) -> dict[str, object]:
        """Option -> what was given, of those that are for some formats only."""
        given = {
            "--clip": self.clip, "--space": self.space, "--ensemble": self.choice.ensemble or None,
            "--fold": self.choice.fold, "--seed": self.choice.seed, "--width-mm": self.width_mm, "--dpi": self.dpi,
        }  # fmt: skip
        return {option: value for option, value in given.items() if value is not None}


@dataclass(frozen=True)
class Exported:
    """What is printed, and the same for a script."""

    lines: list[str]
    record: dict[str, Any]


@dataclass(frozen=True)
class Format:
    """How a format is made, and which options it knows."""

    make: Callable[[ExportRequest, Talk], Exported]
    options: tuple[str, ...] = ()


def export(request: ExportRequest, talk: Talk | None = None) -> Exported:
    """Write or convert what `request.source` holds.

    Raises:
        SettingsError: the format is unknown, or an option is not for it.
        AudionasError: of its kinds, for a source that the format cannot be made of.
    """
    name = request.to or "text"
    if request.to is not None and request.to not in FORMATS:
        raise SettingsError(unknown("export format", request.to, FORMATS))
    known = _TEXT.options if request.to is None else FORMATS[name].options
    for option in request.options():
        if option not in known:
            owners = [each for each, found in FORMATS.items() if option in found.options]
            raise SettingsError(f"{option}: is for --to {', '.join(owners)}")
    return (_TEXT if request.to is None else FORMATS[name]).make(request, talk or Silent())


def _text(request: ExportRequest, _: Talk) -> Exported:
    text = exported_text(request.source, request.to, request.out, request.space)
    out = str(request.out) if request.out else None
    return Exported([out or text], {"out": out, "text": text})


def _maps(request: ExportRequest, _: Talk) -> Exported:
    picture = str(export_maps(request.source, request.clip, request.out))
    return Exported([picture], {"out": picture, "text": None})


def _onnx(request: ExportRequest, talk: Talk) -> Exported:
    found = export_onnx(request.source, request.choice, request.out, talk)
    record = {"out": str(found.path), "text": None, "model": found.description.model_dump(mode="json")}
    return Exported(found.lines(), record)


def _picture(request: ExportRequest, _: Talk) -> Exported:
    picture = export_picture(
        request.source, str(request.to), request.out,
        fold=request.choice.fold, dpi=request.dpi, width_mm=request.width_mm,
    )  # fmt: skip
    return Exported([str(picture)], {"out": str(picture), "text": None})


_TEXT = Format(_text, ("--space",))
FORMATS: Mapping[str, Format] = {
    **dict.fromkeys(TEXT_FORMATS, _TEXT),
    **dict.fromkeys(PICTURES, Format(_picture, ("--fold", "--width-mm", "--dpi"))),
    "maps": Format(_maps, ("--clip",)),
    "onnx": Format(_onnx, ("--ensemble", "--fold", "--seed")),
}
