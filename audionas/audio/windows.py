"""Cuts long recordings into windows that keep the clip, label, group, fold and split of the whole.

The windows of a recording share its clip name, by which predictions are averaged before any metric.
"""

from __future__ import annotations

from dataclasses import replace

from audionas.audio.manifest import Clip, Manifest
from audionas.errors import SettingsError

# Starts and durations are stored with 6 decimals.
_EPSILON_S = 2e-6


def cut_windows(manifest: Manifest, window_s: float, hop_s: float | None = None) -> Manifest:
    """The same corpus with one row a window; every clip's `duration_s` has to be filled in.

    Raises:
        SettingsError: the window or the hop is not above 0.
    """
    hop_s = window_s if hop_s is None else hop_s
    if not (window_s > 0 and hop_s > 0):
        raise SettingsError(f"windows: got window {window_s:g} s and hop {hop_s:g} s, both must be above 0")
    return manifest.with_clips(
        replace(clip, start_s=start_s, duration_s=min(window_s, clip.duration_s))
        for clip in manifest.clips
        for start_s in window_starts(clip, window_s, hop_s)
    )


def window_starts(clip: Clip, window_s: float, hop_s: float) -> list[float]:
    """Where the windows of a clip start, in the file's time.

    A rest shorter than a window is not lost: the last window is moved back to end where the clip ends.
    A clip shorter than a window is one window.

    >>> window_starts(Clip("a.wav", "x", start_s=1.0, duration_s=5.0), 2.0, 2.0)
    [1.0, 3.0, 4.0]
    """
    room_s = clip.duration_s - window_s
    n_whole = int((room_s + _EPSILON_S) // hop_s) if room_s > 0 else 0
    offsets = [number * hop_s for number in range(n_whole + 1)]
    if room_s - offsets[-1] > _EPSILON_S:
        offsets.append(room_s)
    return [round(clip.start_s + offset, 6) for offset in offsets]
