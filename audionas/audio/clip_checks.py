"""What a manifest's clips must be for any later step, and groups that turn out to be one recording."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

from audionas.audio.manifest import Clip, Manifest
from audionas.errors import ManifestError


def check_clips(manifest: Manifest) -> None:
    """Refuse what no later step could use.

    Raises:
        ManifestError: no clips, one class only, a clip listed twice, a path that leaves the root, or the
            same audio in two groups.
    """
    where = manifest.root
    if not manifest.clips:
        raise ManifestError(f"{where}: no clips found")
    if manifest.task == "classification" and len(manifest.labels) < 2:
        raise ManifestError(f"{where}: one class only ({manifest.labels[0]!r}); a classifier needs at least two labels")
    cuts = Counter((clip.path, clip.start_s, clip.duration_s) for clip in manifest.clips)
    (path, start_s, _), count = cuts.most_common(1)[0]
    if count > 1:
        raise ManifestError(f"{where}: clip {path} (from {start_s:g} s) is listed {count} times; keep one row")
    first: dict[str, Clip] = {}
    for clip in manifest.clips:
        twin = first.setdefault(clip.clip, clip) if clip.clip else clip
        for name in ("label", "group", "fold", "split"):
            if getattr(twin, name) != getattr(clip, name):
                raise ManifestError(
                    f"{where}: clip {clip.clip!r} has {name} {getattr(twin, name)!r} in {twin.path} and "
                    f"{getattr(clip, name)!r} in {clip.path}; rows of one clip are windows of one recording: give the "
                    "others another name in column 'clip', or drop the column"
                )
    for clip in manifest.clips:
        if Path(clip.path).is_absolute() or ".." in Path(clip.path).parts:
            raise ManifestError(f"{where}: path {clip.path!r} leaves the corpus folder; use paths inside it")
        for name, text in (("label", clip.label), ("group", clip.group), ("fold", clip.fold)):
            if any(ord(character) < 32 for character in text):
                raise ManifestError(
                    f"{where}: {name} {text!r} of clip {clip.path} holds a line break or control character"
                )
        if not clip.label and manifest.task != "multilabel":
            raise ManifestError(f"{where}: clip {clip.path} has an empty label; fill it in or drop the row")


def merge_identical_audio(manifest: Manifest, silent: frozenset[str] = frozenset()) -> tuple[Manifest, int]:
    """One group for clips whose files are byte-identical, so that no fold separates them.

    Returns the manifest and the number of groups merged away. With groups that the user gave, identical
    audio under two names is an error instead, because one of the two names must be wrong. Files whose
    sha256 is in `silent` (all zeros) are alike without being the same recording and stay as they are.

    Raises:
        ManifestError: groups were given and the same audio stands in two of them.
    """
    first: dict[str, Clip] = {}
    renamed: dict[str, str] = {}
    for clip in manifest.clips:
        twin = first.setdefault(clip.sha256, clip)
        if twin.group == clip.group or not clip.sha256 or clip.sha256 in silent:
            continue
        if twin.path == clip.path:  # two cuts of one recording, say of its two speakers
            continue
        if manifest.speaker_independence_checked:
            raise ManifestError(
                f"{manifest.root}: {twin.path} and {clip.path} are the same audio in two groups "
                f"({twin.group!r}, {clip.group!r}); drop one or give both the same group"
            )
        renamed[clip.group] = twin.group
    clips = [replace(clip, group=renamed.get(clip.group, clip.group)) for clip in manifest.clips]
    return manifest.with_clips(clips), len(renamed)
