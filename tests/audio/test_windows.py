"""Windows: the whole recording is covered, and every window knows whose it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from audionas.audio.manifest import Clip, Manifest
from audionas.audio.windows import cut_windows, window_starts
from audionas.errors import SettingsError


@pytest.mark.parametrize(("duration_s", "window_s", "hop_s", "starts"), [
    (4.0, 2.0, 2.0, [0.0, 2.0]),
    (5.0, 2.0, 1.0, [0.0, 1.0, 2.0, 3.0]),
    (5.3, 2.0, 2.0, [0.0, 2.0, 3.3]),  # the rest of 1.3 s, moved back to end at 5.3 s
    (2.0, 2.0, 1.0, [0.0]),
    (1.2, 2.0, 1.0, [0.0]),  # shorter than a window: one window
    (0.3, 0.1, 0.1, [0.0, 0.1, 0.2]),  # 0.3 / 0.1 is 2.9999... in binary
    (6.0, 2.0, 3.0, [0.0, 3.0, 4.0]),  # gaps between windows, but the end is kept
])  # fmt: skip
def test_windows_start_where_arithmetic_says(
    duration_s: float, window_s: float, hop_s: float, starts: list[float]
) -> None:
    clip = Clip("a.wav", "x", duration_s=duration_s)
    assert window_starts(clip, window_s, hop_s) == pytest.approx(starts, abs=1e-6)


def test_windows_inherit_clip_label_group_fold_and_split() -> None:
    clip = Clip("a.wav", "x", group="g", fold="2", split="dev", start_s=10.0, duration_s=3.5, clip="a",
                sha256="0", extra=(("mood", "good"),))  # fmt: skip
    cut = cut_windows(Manifest(Path(), (clip,), ("x",)), 2.0, 1.0).clips
    assert [(row.start_s, row.duration_s) for row in cut] == [(10.0, 2.0), (11.0, 2.0), (11.5, 2.0)]
    for row in cut:
        same = (row.path, row.label, row.group, row.fold, row.split, row.clip, row.sha256, row.extra)
        assert same == ("a.wav", "x", "g", "2", "dev", "a", "0", (("mood", "good"),))


def test_without_a_hop_windows_lie_side_by_side() -> None:
    manifest = Manifest(Path(), (Clip("a.wav", "x", duration_s=6.0), Clip("b.wav", "x", duration_s=1.0)), ("x",))
    cut = cut_windows(manifest, 2.0)
    assert [(row.path, row.start_s, row.duration_s) for row in cut.clips] == [
        ("a.wav", 0.0, 2.0), ("a.wav", 2.0, 2.0), ("a.wav", 4.0, 2.0), ("b.wav", 0.0, 1.0),
    ]  # fmt: skip


@pytest.mark.parametrize(("window_s", "hop_s"), [(0.0, 1.0), (1.0, 0.0), (-1.0, 1.0), (float("nan"), 1.0)])
def test_windows_of_no_length_are_refused(window_s: float, hop_s: float) -> None:
    with pytest.raises(SettingsError, match="both must be above 0"):
        cut_windows(Manifest(Path(), (), ()), window_s, hop_s)
