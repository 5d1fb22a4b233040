"""Counts of a copy against those of the release, and the published totals themselves."""

from __future__ import annotations

import pytest

from audionas.audio.manifest import Clip
from audionas.datasets import crema_d, ravdess, speech_commands, urbansound8k
from audionas.datasets.releases import Release, release_notes

SMALL = Release("Small", {"a": 2, "b": 1}, 2, "speakers")


def clips(*labels_and_groups: str) -> list[Clip]:
    return [Clip(f"{number}.wav", text[0], text[1]) for number, text in enumerate(labels_and_groups)]


@pytest.mark.parametrize(("release", "n_clips", "n_labels", "n_groups"), [
    (ravdess.SPEECH, 1440, 8, 24),  # Livingstone & Russo 2018
    (ravdess.SONG, 1012, 6, 23),
    (ravdess.ALL, 2452, 8, 24),
    (crema_d.RELEASE, 7442, 6, 91),  # the repository's README
    (speech_commands.V1, 51088 + 6798 + 6835, 30, 1881),  # train, validation, test; without six of noise
    (speech_commands.V2, 105829, 35, 2618),  # Warden 2018
    (urbansound8k.RELEASE, 8732, 10, 1297),
])  # fmt: skip
def test_the_counts_by_label_add_up_to_the_published_total(
    release: Release, n_clips: int, n_labels: int, n_groups: int
) -> None:
    assert (release.n_clips, len(release.labels), release.n_groups) == (n_clips, n_labels, n_groups)


def test_nothing_is_said_of_a_whole_copy() -> None:
    assert release_notes(clips("a1", "a2", "b1"), SMALL) == []


def test_a_partial_copy_is_told_with_what_it_lacks() -> None:
    assert release_notes(clips("a1", "b1"), SMALL) == [
        "2 of the 3 clips of Small: a partial copy; counts differ in a (1 of 2); 1 of 2 speakers"
    ]
    assert release_notes([], SMALL) == [
        "0 of the 3 clips of Small: a partial copy; counts differ in a (0 of 2), b (0 of 1); 0 of 2 speakers"
    ]


def test_as_many_clips_of_other_labels_or_groups_are_told_too() -> None:
    assert release_notes(clips("a1", "b2", "b1"), SMALL) == [
        "3 clips, Small has 3: not the release as published; counts differ in a (1 of 2), b (2 of 1)"
    ]
    assert release_notes(clips("a1", "a1", "b1"), SMALL) == [
        "3 clips, Small has 3: not the release as published; 1 of 2 speakers"
    ]
    assert release_notes(clips("a1", "a2", "b1", "c1"), SMALL) == [
        "4 clips, Small has 3: not the release as published; counts differ in c (1 of 0)"
    ]
