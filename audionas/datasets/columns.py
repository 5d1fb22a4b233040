"""Which columns of a table the user named as label, group and folds."""

from __future__ import annotations

from dataclasses import dataclass, replace

from audionas.audio.manifest import Clip, Manifest
from audionas.errors import ManifestError, unknown


@dataclass(frozen=True)
class Columns:
    """Column names given by the user; None leaves the choice to the reader of the data set.

    `may_be_empty`: an empty label is no mistake, but says that the clip has none.
    """

    label: str | None = None
    group: str | None = None
    folds: str | None = None
    may_be_empty: bool = False


def apply_columns(manifest: Manifest, columns: Columns) -> Manifest:
    """The manifest with label, group or fold taken from other columns than the data set's own.

    Raises:
        ManifestError: there is no such column, or a clip has no value in it.
    """
    wanted = {"label": columns.label, "group": columns.group, "fold": columns.folds}
    renamed = {place: name for place, name in wanted.items() if name}
    if not renamed:
        return manifest
    free = {"label"} if columns.may_be_empty else set()
    clips = [_renamed(manifest, clip, renamed, free) for clip in manifest.clips]
    return replace(
        manifest.with_clips(clips),
        group_source=f"column {columns.group!r}" if columns.group else manifest.group_source,
        fold_source=f"column {columns.folds!r}" if columns.folds else manifest.fold_source,
    )


def _renamed(manifest: Manifest, clip: Clip, renamed: dict[str, str], free: set[str]) -> Clip:
    own = {"label": clip.label, "group": clip.group, "fold": clip.fold}
    own |= {place: _value(manifest, clip, place, name, free) for place, name in renamed.items()}
    return replace(clip, label=own["label"], group=own["group"], fold=own["fold"])


def _value(manifest: Manifest, clip: Clip, place: str, name: str, free: set[str]) -> str:
    own = {"label": clip.label, "group": clip.group, "fold": clip.fold, "split": clip.split}
    values = own | dict(clip.extra)
    if name not in values:
        raise ManifestError(f"{manifest.root}: {unknown('column', name, values)} (asked for as {place})")
    if not values[name] and place not in free:
        raise ManifestError(f"{manifest.root}: clip {clip.path} has no value in column {name!r}")
    return values[name]
