"""Groups from file names, and what happens without any."""

from __future__ import annotations

from pathlib import Path

import pytest

from audionas.audio.manifest import Clip, Manifest
from audionas.datasets.groups import group_by_file, group_by_pattern
from audionas.errors import ManifestError, SettingsError


def manifest(*paths: str) -> Manifest:
    return Manifest(Path("root"), tuple(Clip(path, "x") for path in paths), ("x",))


@pytest.mark.parametrize(("pattern", "groups"), [
    (r"spk(\d+)", ["1", "2"]),
    (r"spk\d+", ["spk1", "spk2"]),
    (r"^(spk\d)_", ["spk1", "spk2"]),  # the name, without its folders
    (r"^[^/]+/([^_]+)", ["spk1", "spk2"]),  # with a "/": the path
])  # fmt: skip
def test_the_first_group_of_the_expression_counts_else_the_whole_match(pattern: str, groups: list[str]) -> None:
    grouped = group_by_pattern(manifest("joy/spk1_a.wav", "joy/spk2_b.wav"), pattern)
    assert [clip.group for clip in grouped.clips] == groups
    assert grouped.group_source == f"--group-from {pattern!r}"
    assert grouped.speaker_independence_checked


@pytest.mark.parametrize("pattern", [r"spk(\d)", r"x*", r"(x)?"])
def test_a_file_without_a_group_is_named(pattern: str) -> None:
    with pytest.raises(ManifestError, match=r"finds no group in 'b\.wav'|finds no group in 'spk1\.wav'"):
        group_by_pattern(manifest("spk1.wav", "b.wav"), pattern)


def test_a_broken_expression_is_one_line() -> None:
    with pytest.raises(SettingsError, match=r"--group-from 'spk\(': not a regular expression"):
        group_by_pattern(manifest("a.wav"), "spk(")


def test_otherwise_each_file_is_its_own_group_and_speakers_are_unchecked() -> None:
    grouped = group_by_file(manifest("a.wav", "b.wav"))
    assert [clip.group for clip in grouped.clips] == ["a.wav", "b.wav"]
    assert not grouped.speaker_independence_checked
