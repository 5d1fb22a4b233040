"""A genotype tells whose audio found it, by content and not by name, within the size of its file."""

from __future__ import annotations

import json
from dataclasses import replace

from audionas.audio.manifest import Manifest
from audionas.experiment.provenance import groups_read, groups_seen
from audionas.spaces.genotype_file import MAX_BYTES
from tests.training.toys import toy_manifest

MANIFEST = toy_manifest(8)  # two clips of each of s0 to s3
READ = {"groups_read": groups_read(MANIFEST, [0, 1, 2])}


def test_groups_of_which_one_file_was_read_are_seen() -> None:
    assert groups_seen(MANIFEST, [0, 1], READ) == ["s0"]
    assert groups_seen(MANIFEST, [2], READ) == ["s1"]
    assert groups_seen(MANIFEST, [4, 5, 6, 7], READ) == []


def test_a_speaker_is_recognised_under_another_name_and_in_another_folder() -> None:
    clips = [replace(clip, group=f"speaker {clip.group}", path=f"copy/{clip.path}") for clip in MANIFEST.clips]
    moved = replace(MANIFEST, clips=tuple(reversed(clips)))
    assert groups_seen(moved, range(8), READ) == ["speaker s0", "speaker s1"]


def test_names_of_speakers_are_not_written() -> None:
    named = replace(MANIFEST, clips=tuple(replace(clip, group="Erika Mustermann") for clip in MANIFEST.clips))
    assert "Erika" not in json.dumps(groups_read(named, range(8)))


def test_without_provenance_nothing_was_seen() -> None:
    assert groups_seen(MANIFEST, range(8), {}) == []


def large(n_groups: int, n_clips: int) -> Manifest:
    clip = MANIFEST.clips[0]
    clips = [
        replace(clip, group=f"g{i % n_groups}", path=f"{i}", sha256=f"{i * 7919:064x}"[::-1]) for i in range(n_clips)
    ]
    return replace(MANIFEST, clips=tuple(clips), labels=(clip.label,))


def test_a_large_corpus_still_fits_into_a_genotype_file() -> None:
    for n_groups, n_clips in ((10, 50_000), (5_000, 50_000)):
        manifest = large(n_groups, n_clips)
        record = groups_read(manifest, range(n_clips))
        assert len(record) == n_groups
        assert len(json.dumps(record, indent=2)) < 0.95 * MAX_BYTES
        assert len(groups_seen(manifest, range(n_clips), {"groups_read": record})) == n_groups
