"""Fills in what the audio itself says of each clip, and notes what the user should know of the corpus."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import PurePosixPath

from audionas.audio.manifest import Clip, Manifest
from audionas.audio.scan import ScannedFile
from audionas.audio.waveform import END_TOLERANCE_S
from audionas.errors import AudioError

SAMPLE_RATE_COLUMN = "sample_rate"
ONE_WINDOW_S = 0.025  # the usual window of speech features, and the default of every extractor here


def describe_clip(manifest: Manifest, clip: Clip, file: ScannedFile) -> Clip:
    """The clip with what the scan found; a duration that is the file's, but rounded, becomes exact."""
    rest_s = file.duration_s - clip.start_s
    duration_s = clip.duration_s or rest_s
    if rest_s <= 0 or duration_s > rest_s + END_TOLERANCE_S:
        raise AudioError(
            f"{manifest.path_of(clip)}: the cut from {clip.start_s:g} s to {clip.start_s + duration_s:g} s "
            f"is not inside the file's {file.duration_s:g} s; mend start_s and duration_s"
        )
    if abs(duration_s - rest_s) <= END_TOLERANCE_S:
        duration_s = rest_s
    extra = dict(clip.extra) | {SAMPLE_RATE_COLUMN: str(file.sample_rate_hz)}
    return replace(clip, duration_s=round(duration_s, 6), sha256=file.sha256, extra=tuple(sorted(extra.items())))


def name_clips(manifest: Manifest) -> Manifest:
    """Every clip with a name: its own, else its path without the ending, longer where that is not unique."""
    stems = [clip.clip or str(PurePosixPath(clip.path).with_suffix("")) for clip in manifest.clips]
    counts = Counter(stems)
    return manifest.with_clips(
        clip if clip.clip else replace(clip, clip=stem if counts[stem] == 1 else _long_name(clip))
        for clip, stem in zip(manifest.clips, stems, strict=True)
    )


def _long_name(clip: Clip) -> str:
    return f"{clip.path}@{clip.start_s:.6f}+{clip.duration_s:.6f}"


def remarks(before: Manifest, after: Manifest, files: dict[str, ScannedFile], n_merged: int) -> list[str]:
    """What the user should know of the corpus, one line each."""
    n_silent = sum(files[clip.path].is_silent for clip in after.clips)
    differing = [c.path for c in before.clips if c.sha256 and c.path in files and files[c.path].sha256 != c.sha256]
    labels: dict[str, set[str]] = {}
    for clip in after.clips:
        labels.setdefault(clip.audio_key, set()).add(clip.label)
    n_contradictory = sum(len(names) > 1 for names in labels.values())
    short = [clip.path for clip in after.clips if clip.duration_s < ONE_WINDOW_S]
    lines = {
        f"{len(short)} clip(s) shorter than one analysis window of {1000 * ONE_WINDOW_S:g} ms, first {short[:1]}": len(
            short
        ),
        f"{n_silent} all-zero clip(s), for example {_first_silent(after, files)}": n_silent,
        f"{n_merged} byte-identical file(s) share the group of their twin": n_merged,
        f"{n_contradictory} piece(s) of identical audio carry two labels": n_contradictory,
        f"{len(differing)} file(s) differ from the sha256 in the table, first {differing[:1]}": len(differing),
    }
    return [line for line, count in lines.items() if count]


def _first_silent(manifest: Manifest, files: dict[str, ScannedFile]) -> str:
    return next((clip.path for clip in manifest.clips if files[clip.path].is_silent), "")
