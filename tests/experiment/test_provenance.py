"""A genotype tells whose audio found it, by content and not by name, within the size of its file."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from audionas.audio.manifest import Clip, Manifest
from audionas.errors import AudionasError
from audionas.experiment.provenance import groups_read, groups_seen, groups_shared
from audionas.spaces.darts_text import from_darts_text
from audionas.spaces.genotype_file import read_genotype_file, save_genotype
from tests.spaces.genotypes import DARTS_V2
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
    clips = tuple(
        replace(clip, group=f"g{i % n_groups}", sha256=hashlib.sha256(b"%d" % i).hexdigest()) for i in range(n_clips)
    )
    return replace(MANIFEST, clips=clips, labels=(clip.label,))


@pytest.mark.parametrize(
    "n_groups,n_clips", [(10, 2_000), (1_000, 60_000), (5_000, 10_000), (20_000, 20_000), (100_000, 100_000)]
)
def test_the_file_of_a_genotype_can_be_read_however_large_the_corpus(
    tmp_path: Path, n_groups: int, n_clips: int
) -> None:
    manifest = large(n_groups, n_clips)
    half = range(0, n_clips, 2) if n_groups == n_clips else [r for r in range(n_clips) if r % n_groups < n_groups // 2]
    save_genotype(from_darts_text(DARTS_V2), tmp_path / "g.json", {"groups_read": groups_read(manifest, half)})
    provenance = read_genotype_file(tmp_path / "g.json").provenance
    read = {manifest.clips[row].group for row in half}
    assert len(read) == n_groups // 2
    seen = set(groups_seen(manifest, range(n_clips), provenance))
    assert read <= seen
    assert len(seen - read) <= 0.001 * n_groups  # short digests may blame a few too many, never too few


@pytest.mark.parametrize("wrong", [5, [1], [{"audio": ["x"]}], [{"group": "a", "audio": ["ab"], "digits": 0}]])
def test_a_damaged_record_of_groups_is_one_line_that_names_the_file(wrong: object, tmp_path: Path) -> None:
    save_genotype(from_darts_text(DARTS_V2), tmp_path / "g.json")
    document = json.loads((tmp_path / "g.json").read_text()) | {"provenance": {"groups_read": wrong}}
    (tmp_path / "g.json").write_text(json.dumps(document))
    with pytest.raises(AudionasError, match=r"g\.json: .*provenance") as caught:
        read_genotype_file(tmp_path / "g.json")
    assert "\n" not in str(caught.value)


def test_another_recording_of_a_speaker_that_was_read_is_seen_by_name() -> None:
    """The search read one half of each speaker's clips; the other half is no clean test."""
    read = {"groups_read": groups_read(MANIFEST, [0, 2, 4, 6]), "speaker_independence_checked": True}
    other = MANIFEST.with_clips(replace(clip, sha256=f"{i:064x}") for i, clip in enumerate(MANIFEST.clips))
    assert groups_seen(other, [1, 3], read) == ["s0", "s1"]
    unknown = replace(other, group_source="each file")
    assert groups_seen(unknown, [1, 3], read) == [], "file names of two corpora may be alike"


def test_silent_files_are_alike_without_being_the_same_recording() -> None:
    clips = [replace(clip, sha256="0" * 64) if i in (0, 6) else clip for i, clip in enumerate(MANIFEST.clips)]
    manifest = MANIFEST.with_clips(clips)
    read = {"groups_read": groups_read(manifest, [0, 1, 2], frozenset({"0" * 64}))}
    assert groups_seen(manifest, [6, 7], read) == []


def test_two_speakers_of_one_file_are_told_apart_by_their_cuts() -> None:
    clips = [
        replace(clip, sha256="f" * 64, start_s=float(i)) if i in (0, 6) else clip
        for i, clip in enumerate(MANIFEST.clips)
    ]
    manifest = MANIFEST.with_clips(clips)
    read = {"groups_read": groups_read(manifest, [0, 1])}
    assert groups_seen(manifest, [6, 7], read) == []
    assert groups_seen(manifest, [0], read) == ["s0"]


def test_groups_are_shared_by_files_and_where_both_know_speakers_by_names() -> None:
    def manifest(source: str, *clips: tuple[str, str]) -> Manifest:
        rows = tuple(Clip(f"{k}.wav", "", group, sha256=sha256) for k, (group, sha256) in enumerate(clips))
        return Manifest(Path("x"), rows, (), group_source=source, task="multilabel")

    tested = manifest("column 'speaker'", ("s1", "a"), ("s2", "b"), ("s3", "silence"))
    data = manifest("column 'speaker'", ("s1", "x"), ("t", "b"), ("u", "silence"), ("v", "y"), ("t", "z"))
    assert groups_shared(data, tested, [0, 1, 2], frozenset({"silence"})) == ["s1", "t"]
    assert groups_shared(data, tested, [2], frozenset()) == ["u"]
    unknown = manifest("each file", ("s1", "x"), ("t", "b"))
    assert groups_shared(unknown, tested, [0, 1, 2], frozenset()) == ["t"]
    assert groups_shared(data, manifest("each file", ("s1", "q")), [0], frozenset()) == []
