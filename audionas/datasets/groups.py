"""Groups: clips that must never be divided between training and test (one speaker, one recording)."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import PurePosixPath

from audionas.audio.manifest import Clip, Manifest
from audionas.errors import ManifestError, SettingsError


def group_by_pattern(manifest: Manifest, pattern: str) -> Manifest:
    """Groups read from file names: the first capture group of a regular expression, else its whole match.

    The expression is searched in the name of the file; in its path below the root if it holds a "/".

    Raises:
        SettingsError: the expression is not valid.
        ManifestError: it does not match a file, or matches nothing but the empty text.
    """
    try:
        expression = re.compile(pattern)
    except re.error as why:
        raise SettingsError(f"--group-from {pattern!r}: not a regular expression ({why})") from why
    clips = [replace(clip, group=_match(manifest, clip, expression)) for clip in manifest.clips]
    return replace(manifest, clips=tuple(clips), group_source=f"--group-from {pattern!r}")


def group_by_file(manifest: Manifest) -> Manifest:
    """Every file its own group; nothing is then known of speakers, and every report has to say so."""
    clips = tuple(replace(clip, group=clip.path) for clip in manifest.clips)
    return replace(manifest, clips=clips, group_source="each file")


def _match(manifest: Manifest, clip: Clip, expression: re.Pattern[str]) -> str:
    text = clip.path if "/" in expression.pattern else PurePosixPath(clip.path).name
    found = expression.search(text)
    group = (found[1] if expression.groups else found[0]) if found else ""
    if not group:
        raise ManifestError(
            f"{manifest.root}: --group-from {expression.pattern!r} finds no group in {text!r}; "
            "it must match every file name"
        )
    return group
