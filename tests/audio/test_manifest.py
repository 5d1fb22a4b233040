"""The manifest: what it refuses, what survives writing and reading, which twins it finds."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from audionas.audio.clip_checks import check_clips, merge_identical_audio
from audionas.audio.manifest import Clip, Manifest, count_by, read_table
from audionas.errors import AudionasError, ManifestError


def manifest(*clips: Clip, **fields: str) -> Manifest:
    return replace(Manifest(Path("/corpus"), (), ()), **fields).with_clips(clips)  # type: ignore[arg-type]


A = Clip("a.wav", "x", group="g", fold="1", duration_s=1.0, clip="a", sha256="aa", extra=(("note", 'ü, "q"'),))
B = Clip("b.wav", "y", group="h", fold="2", start_s=0.123456, duration_s=2.0, clip="b", sha256="bb")
NOTED = replace(B, extra=(("note", ""),))


def test_writing_and_reading_gives_the_same_manifest(tmp_path: Path) -> None:
    before = manifest(A, replace(B, extra=(("note", ""),)), group_source="column 'speaker'")
    before = replace(before, notes=("one", "two"))
    before.write(tmp_path)
    after = Manifest.read(tmp_path)
    assert after == before
    assert (after.notes, after.sha256) == (before.notes, before.sha256)
    assert Manifest.read(tmp_path, root=Path("/moved")).path_of(A) == Path("/moved/a.wav")


def test_a_protocol_is_kept_and_is_part_of_the_hash_unless_it_is_that_of_folds(tmp_path: Path) -> None:
    plain = manifest(A, NOTED)
    paired = replace(plain, protocol="speaker_pairs")
    assert plain.protocol == "folds"
    assert len({plain.sha256, paired.sha256, replace(plain, protocol="speaker_pairs:F").sha256}) == 3
    paired.write(tmp_path)
    assert json.loads((tmp_path / "manifest.json").read_text())["protocol"] == "speaker_pairs"
    assert Manifest.read(tmp_path) == paired
    assert Manifest.read(tmp_path).sha256 == paired.sha256
    # Without a protocol the hash is that of the table's text alone, as it was before there were protocols.
    plain.write(tmp_path)
    assert plain.sha256 == hashlib.sha256((tmp_path / "manifest.csv").read_bytes()).hexdigest()


def test_a_header_without_a_protocol_is_one_of_folds_and_a_damaged_one_is_refused(tmp_path: Path) -> None:
    manifest(A, NOTED).write(tmp_path)
    path = tmp_path / "manifest.json"
    header = json.loads(path.read_text())
    path.write_text(json.dumps({key: value for key, value in header.items() if key != "protocol"}))
    assert Manifest.read(tmp_path) == manifest(A, NOTED)
    path.write_text(json.dumps(header | {"protocol": 5}))
    with pytest.raises(ManifestError, match=r"manifest\.json: damaged: protocol; prepare the data again"):
        Manifest.read(tmp_path)


def test_the_hash_sees_every_row_and_not_the_place() -> None:
    before = manifest(A, B)
    assert replace(before, root=Path("/elsewhere")).sha256 == before.sha256
    for changed in (
        manifest(A),
        manifest(B, A),
        manifest(A, replace(B, group="g2")),
        manifest(A, replace(B, fold="3")),
    ):
        assert changed.sha256 != before.sha256


def test_targets_are_indices_into_the_sorted_labels() -> None:
    both = manifest(B, A, B)
    assert both.labels == ("x", "y")
    assert both.targets.tolist() == [1, 0, 1]


def test_the_audio_key_sees_content_and_cut() -> None:
    keys = {A.audio_key, replace(A, sha256="ab").audio_key, replace(A, start_s=0.5).audio_key,
            replace(A, duration_s=0.5).audio_key}  # fmt: skip
    assert len(keys) == 4
    assert replace(A, path="z.wav", label="y", group="z").audio_key == A.audio_key


@pytest.mark.parametrize(("clips", "words"), [
    ([], "no clips found"),
    ([A], r"one class only \('x'\)"),
    ([A, A, B], r"clip a\.wav \(from 0 s\) is listed 2 times"),
    ([A, replace(B, path="../b.wav")], r"path '\.\./b\.wav' leaves the corpus folder"),
    ([A, replace(B, path="/b.wav")], "path '/b.wav' leaves the corpus folder"),
    ([A, replace(B, label="")], r"clip b\.wav has an empty label"),
])  # fmt: skip
def test_clips_that_no_step_could_use_are_refused(clips: list[Clip], words: str) -> None:
    with pytest.raises(ManifestError, match=words):
        check_clips(manifest(*clips))


def test_twins_share_a_group_unless_groups_were_given() -> None:
    twin = replace(B, sha256="aa")
    merged, n_merged = merge_identical_audio(manifest(A, twin, group_source="each file"))
    assert ([clip.group for clip in merged.clips], n_merged) == (["g", "g"], 1)
    with pytest.raises(ManifestError, match=r"a\.wav and b\.wav are the same audio in two groups \('g', 'h'\)"):
        merge_identical_audio(manifest(A, twin))


def test_silent_files_and_cuts_of_one_file_are_no_twins() -> None:
    silent = manifest(A, replace(B, sha256="aa"))
    assert merge_identical_audio(silent, frozenset({"aa"})) == (silent, 0)
    cuts = manifest(A, replace(B, path="a.wav", sha256="aa"))
    assert merge_identical_audio(cuts) == (cuts, 0)


@pytest.mark.parametrize(("header", "words"), [
    ({"schema_version": 99}, "not a manifest header of version 1"),
    ({"task": "clasification"}, r"unknown task 'clasification' \(did you mean 'classification'\?\)"),
])  # fmt: skip
def test_headers_of_another_kind_are_refused(tmp_path: Path, header: dict[str, object], words: str) -> None:
    manifest(A, B).write(tmp_path)
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | header))
    with pytest.raises(ManifestError, match=words):
        Manifest.read(tmp_path)


def test_missing_files_and_columns_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(AudionasError, match="no such manifest header"):
        Manifest.read(tmp_path)
    manifest(A, B).write(tmp_path)
    (tmp_path / "manifest.csv").write_text("path,label\na,b\n")
    with pytest.raises(ManifestError, match="missing columns clip, start_s"):
        Manifest.read(tmp_path)


def test_cells_are_text_and_short_rows_are_filled(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\nNA,007\n1\n")
    assert read_table(tmp_path / "t.csv").to_dict("records") == [{"a": "NA", "b": "007"}, {"a": "1", "b": ""}]


def test_values_are_counted_by_name() -> None:
    assert count_by(["b", "a", "b"]) == {"a": 1, "b": 2}


def test_labels_with_line_breaks_are_refused() -> None:
    clips = (Clip("a.wav", "calm\rvoice", "s1"), Clip("b.wav", "x", "s2"))
    with pytest.raises(ManifestError, match=r"of clip a\.wav holds a line break"):
        check_clips(Manifest(Path(), clips, ("calm\rvoice", "x")))


def test_rows_of_one_clip_agree_in_label_and_group() -> None:
    clips = (Clip("a.wav", "calm", "s1", clip="7"), Clip("b.wav", "angry", "s2", clip="7"))
    with pytest.raises(ManifestError, match=r"clip '7' has label 'calm' in a\.wav and 'angry' in b\.wav"):
        check_clips(Manifest(Path(), clips, ("angry", "calm")))
