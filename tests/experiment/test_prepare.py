"""From a folder of audio to a manifest with groups and folds; and one line for everything that stops it."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audionas import sample
from audionas.audio import scan as scan_module
from audionas.audio.folds import outer_splits
from audionas.audio.manifest import Manifest
from audionas.audio.waveform import sha256_of
from audionas.errors import AudionasError, RunError
from audionas.experiment.prepare import PrepareOptions, common_rate, is_prepared, prepare
from audionas.features import load_features
from audionas.features.cache import ensure_features
from tests.datasets.iemocap_fixture import lay_out, noise_turns

SPEAKERS = ("s1", "s2", "s3", "s4", "s5")


@pytest.fixture
def folder(tmp_path: Path, write_tone) -> Path:
    """A folder per label: 2 labels, 5 speakers, one clip each."""
    for label in ("joy", "grief"):
        for speaker in SPEAKERS:
            write_tone(tmp_path / "corpus" / label / f"{speaker}_a.wav")
    return tmp_path / "corpus"


@pytest.fixture
def table(folder: Path) -> Path:
    """The same with a manifest.csv."""
    rows = [f"{p.relative_to(folder)},{p.parent.name},{p.name[:2]}" for p in sorted(folder.rglob("*.wav"))]
    write_rows(folder, "path,label,speaker", rows)
    return folder


def write_rows(folder: Path, header: str, rows: list[str]) -> None:
    (folder / "manifest.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")


def refused(words: str, data: Path, out: Path | None = None, **options: object) -> str:
    """The error, one line, and nothing that looks like a prepared folder left behind."""
    with pytest.raises(AudionasError, match=words) as error:
        prepare(data, out, PrepareOptions(**options))  # type: ignore[arg-type]
    assert "\n" not in str(error.value)
    assert out is None or not is_prepared(out)
    return str(error.value)


def test_the_sample_is_prepared_without_data() -> None:
    prepared = prepare()
    manifest = prepared.manifest
    assert len(manifest) == 119
    assert manifest.labels == ("anger", "happiness", "neutral", "sadness")
    assert Counter((clip.group, clip.label) for clip in manifest.clips) == {
        (speaker, label): 2 if (speaker, label) == ("12", "happiness") else 3
        for speaker in ("03", "08", "09", "10", "11", "12", "13", "14", "15", "16")
        for label in manifest.labels
    }
    assert [split.name for split in outer_splits(manifest)] == ["1", "2", "3", "4", "5"]
    assert common_rate(manifest) == 16_000
    assert manifest.notes == ()
    assert prepared.features_folder == prepared.folder / "features"


def test_every_clip_gets_hash_duration_rate_and_a_name(folder: Path, tmp_path: Path) -> None:
    prepared = prepare(folder, tmp_path / "out")
    clip = prepared.manifest.clips[0]
    assert (clip.path, clip.clip, clip.duration_s) == ("grief/s1_a.wav", "grief/s1_a", 0.25)
    assert clip.sha256 == sha256_of(folder / clip.path)
    assert dict(clip.extra) == {"sample_rate": "8000"}
    assert Manifest.read(tmp_path / "out") == prepared.manifest


def test_names_stay_unique_where_paths_without_endings_are_not(table: Path, tmp_path: Path, write_tone) -> None:
    write_tone(table / "joy" / "x.wav", seconds=1.0)
    write_tone(table / "joy" / "x.flac")
    rows = [
        "joy/x.wav,joy,s1,0,0.5",
        "joy/x.wav,grief,s1,0.5,0.5",
        "joy/x.flac,joy,s2,0,",
        "joy/s3_a.wav,joy,s3,,",
    ]
    write_rows(table, "path,label,speaker,start_s,duration_s", rows)
    manifest = prepare(table, tmp_path / "out", PrepareOptions(dataset="csv", folds="speaker")).manifest
    assert [clip.clip for clip in manifest.clips] == [
        "joy/x.wav@0.000000+0.500000",
        "joy/x.wav@0.500000+0.500000",
        "joy/x.flac@0.000000+0.250000",
        "joy/s3_a",
    ]


def test_by_default_each_file_is_its_own_group_in_five_stratified_folds(folder: Path) -> None:
    manifest = prepare(folder).manifest
    assert not manifest.speaker_independence_checked
    assert manifest.fold_source == "5 grouped stratified folds, seed 0"
    assert Counter((clip.fold, clip.label) for clip in manifest.clips) == {
        (str(fold), label): 1 for fold in range(1, 6) for label in ("joy", "grief")
    }


def test_group_from_keeps_a_speaker_in_one_fold(folder: Path) -> None:
    manifest = prepare(folder, None, PrepareOptions(group_from=r"^(s\d)")).manifest
    assert manifest.group_source == "--group-from '^(s\\\\d)'"
    folds = {speaker: {clip.fold for clip in manifest.clips if clip.group == speaker} for speaker in SPEAKERS}
    assert all(len(fold) == 1 for fold in folds.values())


def test_folds_can_be_a_number_a_column_or_the_split(table: Path) -> None:
    assert {clip.fold for clip in prepare(table, None, PrepareOptions(folds="2")).manifest.clips} == {
        "1",
        "2",
    }
    by_column = prepare(table, None, PrepareOptions(folds="speaker")).manifest
    assert {clip.fold for clip in by_column.clips} == set(SPEAKERS)
    split = {"s1": "train", "s2": "train", "s3": "dev", "s4": "test", "s5": "test"}
    rows = [f"{c.path},{c.label},{c.group},{c.group[1]},{split[c.group]}" for c in by_column.clips]
    write_rows(table, "path,label,speaker,fold,split", rows)
    assert len(outer_splits(prepare(table).manifest)) == 5
    forced = outer_splits(prepare(table, None, PrepareOptions(folds="split")).manifest)
    assert [(part.name, len(part.test), len(part.search), len(part.dev)) for part in forced] == [("test", 4, 6, 2)]


def pair_table(table: Path) -> None:
    """Four speakers in two folds, a woman and a man each."""
    rows = []
    for path in sorted(table.rglob("s[1-4]_a.wav")):
        speaker = int(path.name[1])
        rows.append(f"{path.relative_to(table)},{path.parent.name},s{speaker},{(speaker + 1) // 2},{'fm'[speaker % 2]}")
    write_rows(table, "path,label,speaker,fold,gender", rows)


def test_a_prepared_folder_keeps_its_protocol(table: Path, tmp_path: Path) -> None:
    pair_table(table)
    manifest = prepare(table, tmp_path / "out", PrepareOptions(protocol="speaker_pairs")).manifest
    assert [split.name for split in outer_splits(manifest)] == ["1F", "1M", "2F", "2M"]
    assert prepare(tmp_path / "out").manifest.protocol == "speaker_pairs"
    assert prepare(table).manifest.protocol == "folds"
    assert prepare(table).manifest.sha256 != manifest.sha256
    with pytest.raises(AudionasError, match="is prepared already, its labels, groups and folds are fixed"):
        prepare(tmp_path / "out", None, PrepareOptions(protocol="folds"))
    with pytest.raises(AudionasError, match="prepared from other data or with other options"):
        prepare(table, tmp_path / "out")


def test_a_protocol_that_is_none_or_does_not_fit_is_refused(table: Path, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    refused(
        r"--protocol: unknown protocol 'speaker_pair' \(did you mean 'speaker_pairs'\?\)", table, out,
        protocol="speaker_pair",
    )  # fmt: skip
    assert not out.exists()
    refused("needs exactly two groups", table, out, protocol="speaker_pairs", folds="2", dataset="csv")
    (table / "manifest.csv").unlink()
    refused("each file is its own group here; name them with", folder, out, protocol="leave_one_group_out")


def test_leaving_one_speaker_out_needs_no_folds(folder: Path) -> None:
    (folder / "joy" / "s5_a.wav").unlink()  # too few speakers of joy for the five folds of the default
    options = PrepareOptions(group_from=r"^(s\d)", protocol="leave_one_group_out")
    manifest = prepare(folder, None, options).manifest
    assert [split.name for split in outer_splits(manifest)] == list(SPEAKERS)
    assert {clip.fold for clip in manifest.clips} == {""}


def test_the_corpus_s_protocol_holds_for_its_own_folds_and_groups_only(tmp_path: Path) -> None:
    lay_out(tmp_path / "c", noise_turns(per_class=1))
    assert prepare(tmp_path / "c").manifest.protocol == "speaker_pairs"
    for options in (
        PrepareOptions(folds="2"),
        PrepareOptions(folds="gender"),
        PrepareOptions(group="gender", folds="gender"),
        PrepareOptions(group_from="^(Ses0.F_impro0._.)"),
    ):
        assert prepare(tmp_path / "c", None, options).manifest.protocol == "folds"


def test_options_without_a_protocol_are_recorded_as_before_there_were_any() -> None:
    assert PrepareOptions().record() == {
        "dataset": None, "label": None, "group": None, "group_from": None, "folds": None, "window_s": None,
        "hop_s": None, "skip_bad": False,
    }  # fmt: skip
    assert PrepareOptions(protocol="folds").record()["protocol"] == "folds"


def test_split_folders_are_the_protocol(tmp_path: Path, write_tone) -> None:
    for split in ("train", "val", "test"):
        for label in ("a", "b"):
            write_tone(tmp_path / "c" / split / label / "1.wav")
    (part,) = outer_splits(prepare(tmp_path / "c").manifest)
    assert (len(part.test), len(part.search), len(part.dev)) == (2, 4, 2)


def test_windows_are_cut_after_the_scan(folder: Path, write_tone) -> None:
    write_tone(folder / "joy" / "s1_a.wav", seconds=1.1)
    manifest = prepare(folder, None, PrepareOptions(window_s=0.5, hop_s=0.25)).manifest
    windows = [clip for clip in manifest.clips if clip.clip == "joy/s1_a"]
    assert [(clip.start_s, clip.duration_s) for clip in windows] == [
        (0.0, 0.5), (0.25, 0.5), (0.5, 0.5), (0.6, 0.5),
    ]  # fmt: skip
    assert len({clip.fold for clip in windows}) == 1


def test_rounded_durations_in_a_table_become_exact(table: Path, tmp_path: Path) -> None:
    soundfile.write(table / "joy" / "s1_a.wav", np.random.default_rng(0).normal(scale=0.1, size=2003), 8000)
    rows = [f"{p.relative_to(table)},{p.parent.name},0.25" for p in sorted(table.rglob("*.wav"))]
    write_rows(table, "path,label,duration_s", rows)
    manifest = prepare(table, tmp_path / "out").manifest
    assert {clip.duration_s for clip in manifest.clips} == {0.25, 0.250375}


def test_byte_identical_files_share_a_group_and_are_noted(folder: Path) -> None:
    twin = folder / "joy" / "z.wav"
    twin.write_bytes((folder / "joy" / "s1_a.wav").read_bytes())
    manifest = prepare(folder).manifest
    groups = {clip.path: clip.group for clip in manifest.clips}
    assert groups["joy/z.wav"] == groups["joy/s1_a.wav"]
    assert manifest.notes == ("1 byte-identical file(s) share the group of their twin",)


def test_identical_audio_in_two_given_groups_is_refused(table: Path) -> None:
    (table / "joy" / "s2_a.wav").write_bytes((table / "joy" / "s1_a.wav").read_bytes())
    refused(r"joy/s1_a\.wav and joy/s2_a\.wav are the same audio in two groups \('s1', 's2'\)", table)


def test_identical_audio_with_two_labels_is_noted(folder: Path) -> None:
    (folder / "joy" / "s2_a.wav").write_bytes((folder / "grief" / "s2_a.wav").read_bytes())
    notes = prepare(folder, None, PrepareOptions(group_from="^s.")).manifest.notes
    assert "1 piece(s) of identical audio carry two labels" in notes


def test_clips_shorter_than_one_analysis_window_are_noted(table: Path) -> None:
    soundfile.write(table / "joy" / "s1_a.wav", 0.1 * np.ones(199), 8000)  # 24.9 ms
    soundfile.write(table / "joy" / "s2_a.wav", 0.2 * np.ones(200), 8000)  # 25 ms
    note = "1 clip(s) shorter than one analysis window of 25 ms, first ['joy/s1_a.wav']"
    assert prepare(table).manifest.notes == (note,)


def test_all_zero_clips_are_noted_and_are_nobody_s_twins(table: Path) -> None:
    for name in ("s1_a.wav", "s2_a.wav"):
        soundfile.write(table / "joy" / name, np.zeros(2000), 8000)
    assert prepare(table).manifest.notes == ("2 all-zero clip(s), for example joy/s1_a.wav",)


def test_two_speakers_of_one_recording_may_be_two_groups(table: Path, write_tone) -> None:
    write_tone(table / "joy" / "dialogue.wav", seconds=1.0)
    rows = [f"joy/dialogue.wav,{label},{speaker},{start_s},0.5"
            for label, speaker, start_s in [("joy", "s1", 0.0), ("grief", "s2", 0.5)]]  # fmt: skip
    write_rows(table, "path,label,speaker,start_s,duration_s", rows)
    assert len(outer_splits(prepare(table, None, PrepareOptions(folds="speaker")).manifest)) == 2


def test_the_most_common_rate_counts_files(folder: Path, write_tone) -> None:
    for speaker in SPEAKERS[:2]:
        write_tone(folder / "joy" / f"{speaker}_a.wav", rate=44_100)
    assert common_rate(prepare(folder).manifest) == 8000


@pytest.mark.parametrize("label", ["a, b", 'say "no"', "with space", "Ärger", "悲しみ", "NA", "007"])
def test_labels_survive_preparation(folder: Path, tmp_path: Path, label: str) -> None:
    (folder / "joy").rename(folder / label)
    prepare(folder, tmp_path / "out")
    again = prepare(tmp_path / "out").manifest
    assert again.labels == tuple(sorted(["grief", label]))
    assert {clip.label for clip in again.clips} == {"grief", label}


def test_preparing_again_notices_what_changed_and_reads_nothing_else(
    folder: Path, monkeypatch: pytest.MonkeyPatch, write_tone
) -> None:
    first = prepare(folder)
    read: list[str] = []
    real = scan_module.scan_file
    monkeypatch.setattr(scan_module, "scan_file", lambda root, path: (read.append(path), real(root, path))[1])
    assert prepare(folder) == first
    assert read == []
    write_tone(folder / "joy" / "s1_a.wav", seconds=0.5)
    write_tone(folder / "joy" / "s6_a.wav")
    second = prepare(folder)
    assert sorted(read) == ["joy/s1_a.wav", "joy/s6_a.wav"]
    assert second.folder == first.folder
    assert len(second.manifest) == 11
    assert prepare(folder, None, PrepareOptions(folds="2")).folder != first.folder


def test_features_of_a_prepared_corpus_lie_beside_its_manifest(folder: Path) -> None:
    prepared = prepare(folder)
    extractor = load_features("log_mel_small").resolve(common_rate(prepared.manifest), [0.25])
    features = ensure_features(prepared.manifest, extractor, prepared.features_folder)
    assert features.shapes == ((1, 32, 64),) * 10


def test_a_prepared_folder_is_opened_as_it_is(folder: Path, tmp_path: Path) -> None:
    prepared = prepare(folder, tmp_path / "out")
    assert prepare(tmp_path / "out") == prepared
    assert prepare(tmp_path / "out", tmp_path / "out") == prepared
    with pytest.raises(AudionasError, match="is prepared already, its labels, groups and folds are fixed"):
        prepare(tmp_path / "out", None, PrepareOptions(folds="2"))
    with pytest.raises(AudionasError, match="is a prepared folder already; use it as it is"):
        prepare(tmp_path / "out", tmp_path / "other")


def test_a_prepared_folder_whose_audio_is_gone_or_changed_says_so(folder: Path, tmp_path: Path, write_tone) -> None:
    prepare(folder, tmp_path / "out")
    write_tone(folder / "joy" / "s1_a.wav", seconds=0.5)
    with pytest.raises(AudionasError, match=r"joy/s1_a\.wav: changed since .*out was prepared"):
        prepare(tmp_path / "out")
    folder.rename(tmp_path / "moved")
    with pytest.raises(AudionasError, match=r"no such audio file \(10 of 10 are missing\)"):
        prepare(tmp_path / "out")


def test_an_out_folder_of_something_else_is_refused(folder: Path, tmp_path: Path, write_tone) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").touch()
    refused("full: holds other files; choose another --out", folder, tmp_path / "full")
    refused(r"is a file; choose another --out", folder, tmp_path / "full" / "thesis.txt")
    prepare(folder, tmp_path / "out")
    with pytest.raises(AudionasError, match="prepared from other data or with other options"):
        prepare(folder, tmp_path / "out", PrepareOptions(folds="2"))
    write_tone(tmp_path / "other" / "a" / "1.wav")
    write_tone(tmp_path / "other" / "b" / "1.wav")
    with pytest.raises(AudionasError, match="was prepared from other data or with other options; choose another --out"):
        prepare(tmp_path / "other", tmp_path / "out", PrepareOptions(folds="2"))


def test_unusable_audio_stops_with_its_path_or_is_skipped_and_listed(folder: Path, tmp_path: Path) -> None:
    soundfile.write(folder / "joy" / "s1_a.wav", np.array([0.0, np.nan]), 8000, subtype="FLOAT")
    (folder / "joy" / "s2_a.wav").write_bytes(b"")
    assert "joy/s1_a.wav: 1 of 2 values are NaN" in refused("NaN", folder, tmp_path / "out")
    options = PrepareOptions(skip_bad=True, folds="3")
    manifest = prepare(folder, tmp_path / "out", options).manifest
    assert len(manifest) == 8
    assert manifest.notes[0] == "2 unreadable clip(s) skipped"
    assert [note.split(": ")[1].rsplit("/")[-1] for note in manifest.notes[1:]] == ["s1_a.wav", "s2_a.wav"]
    assert Manifest.read(tmp_path / "out").notes == manifest.notes


def test_what_an_error_left_behind_does_not_bar_the_folder(folder: Path, tmp_path: Path, write_tone) -> None:
    refused("fewer than 50 folds", folder, tmp_path / "out", folds="50")
    for label in ("a", "b"):
        write_tone(tmp_path / "other" / label / "1.wav")
        write_tone(tmp_path / "other" / label / "2.wav")
    assert len(prepare(tmp_path / "other", tmp_path / "out", PrepareOptions(folds="2")).manifest) == 4


@pytest.mark.parametrize(("content", "words"), [
    (b"", "0 bytes"),
    (b"fLaC" + b"\x00" * 40, "cannot be decoded"),
    (b"RIFF and nonsense", "cannot be decoded"),
])  # fmt: skip
def test_broken_files_are_named(folder: Path, tmp_path: Path, content: bytes, words: str) -> None:
    (folder / "joy" / "s3_a.flac").write_bytes(content)
    assert str(folder / "joy" / "s3_a.flac") in refused(words, folder, tmp_path / "out")


def test_a_truncated_flac_is_found_by_reading_it(folder: Path, tmp_path: Path) -> None:
    whole = (sample.folder() / "audio" / "03a01Fa.flac").read_bytes()
    (folder / "joy" / "s3_a.flac").write_bytes(whole[: len(whole) // 2])
    assert "s3_a.flac: " in refused("cannot be decoded|damaged", folder, tmp_path / "out")


def test_a_clip_of_no_length_is_refused(folder: Path, tmp_path: Path) -> None:
    soundfile.write(folder / "joy" / "s1_a.wav", np.zeros((0, 1)), 8000)
    refused("holds no samples", folder, tmp_path / "out")


def test_what_is_not_there_is_refused(tmp_path: Path, table: Path) -> None:
    out = tmp_path / "out"
    refused("nowhere: no such file or folder", tmp_path / "nowhere", out)
    refused("nowhere: no such", tmp_path / "nowhere", out, dataset="csv")
    (tmp_path / "void").mkdir()
    refused("no audio files in it", tmp_path / "void", out)
    (table / "joy" / "s1_a.wav").unlink()
    refused(r"joy/s1_a\.wav: no such audio file \(1 of 10 are missing\)", table, out)
    assert not out.exists()


def test_unknown_names_are_answered_with_the_nearest(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    refused(r"unknown data set 'emodbb' \(did you mean 'emodb'\?\)", table, out, dataset="emodbb")
    refused(r"unknown column 'lable' \(did you mean 'label'\?\)", table, out, label="lable")
    refused(r"unknown column 'speakr' \(did you mean 'speaker'\?\)", table, out, group="speakr")
    refused(r"unknown column 'speakr' \(did you mean 'speaker'\?\)", table, out, folds="speakr")
    assert not out.exists()


def test_options_that_contradict_each_other_are_refused(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    refused("--hop 1 needs --window", table, out, hop_s=1.0)
    refused("--group and --group-from exclude each other", table, out, group="speaker", group_from="s")
    refused("--folds split, and there is no split", table, out, folds="split")
    refused("got 1 folds, must be 2 or more", table, out, folds="1")
    refused("--window: got 0, must be 0.01 s or more", table, out, window_s=0.0)


def test_one_class_is_not_enough(tmp_path: Path, write_tone) -> None:
    write_tone(tmp_path / "c" / "joy" / "1.wav")
    refused(r"one class only \('joy'\); a classifier needs at least two labels", tmp_path / "c", tmp_path / "out")


def test_a_class_with_fewer_groups_than_folds_is_named_with_what_to_do(folder: Path, tmp_path: Path) -> None:
    (folder / "joy" / "s5_a.wav").unlink()
    refused(r"class 'joy' has 4 group\(s\), fewer than 5 folds; use --folds 4 or fewer", folder, tmp_path / "out")


def test_a_row_listed_twice_is_refused(table: Path, tmp_path: Path) -> None:
    with (table / "manifest.csv").open("a") as stream:
        stream.write("joy/s1_a.wav,joy,s1\n")
    refused(r"clip joy/s1_a\.wav \(from 0 s\) is listed 2 times; keep one row", table, tmp_path / "out")


def test_a_group_in_two_folds_or_splits_is_refused(table: Path, tmp_path: Path) -> None:
    paths = sorted(str(path.relative_to(table)) for path in table.rglob("*.wav"))
    rows = [f"{path},{path[:3]},s,{number % 2}" for number, path in enumerate(paths)]
    write_rows(table, "path,label,speaker,fold", rows)
    refused("group 's' is in fold '0' and in fold '1'", table, tmp_path / "a")
    rows = [f"{path},{path[:3]},s,{('train', 'test')[number % 2]}" for number, path in enumerate(paths)]
    write_rows(table, "path,label,speaker,split", rows)
    refused("group 's' is in split 'train' and in split 'test'", table, tmp_path / "b")


def test_a_cut_outside_its_file_is_refused_or_skipped(table: Path, tmp_path: Path) -> None:
    rows = [f"{path.relative_to(table)},{path.parent.name},0.1,0.1" for path in sorted(table.rglob("*.wav"))]
    write_rows(table, "path,label,start_s,duration_s", [rows[0].replace("0.1,0.1", "0.2,0.1"), *rows[1:]])
    refused("the cut from 0.2 s to 0.3 s is not inside the file's 0.25 s", table, tmp_path / "out")
    manifest = prepare(table, None, PrepareOptions(skip_bad=True, folds="2")).manifest
    assert manifest.notes[0] == "1 unreadable clip(s) skipped"


def test_a_different_hash_in_the_table_is_noted(table: Path) -> None:
    rows = [f"{p.relative_to(table)},{p.parent.name},{'0' * 64}" for p in sorted(table.rglob("*.wav"))]
    write_rows(table, "path,label,sha256", rows)
    (note,) = prepare(table).manifest.notes
    assert note.startswith("10 file(s) differ from the sha256 in the table")


def test_a_folder_that_cannot_be_written_is_one_line(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    refused("cannot write", folder, tmp_path / "file" / "out")
    refused("cannot write", folder, Path("/proc/audionas"))

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError, match="No space left on device"):
        prepare(folder, tmp_path / "out")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_one_line(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o555)
    refused("cannot write .Permission denied", folder, tmp_path / "locked" / "out")


WORKER = """
import sys, time
from pathlib import Path
from audionas.audio import scan
from audionas.experiment.prepare import prepare
scan._LINES_PER_WRITE = 1
def slowly(what, done, total):
    print(done, flush=True)
    time.sleep(0.1)
prepare(Path(sys.argv[1]), Path(sys.argv[2]), on_progress=slowly)
"""


@pytest.mark.slow
def test_a_killed_preparation_goes_on_where_it_stopped(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(folder), str(tmp_path / "out")], stdout=subprocess.PIPE, text=True
    )
    assert worker.stdout is not None
    for _ in range(4):
        worker.stdout.readline()
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    assert not is_prepared(tmp_path / "out")
    read: list[str] = []
    real = scan_module.scan_file
    monkeypatch.setattr(scan_module, "scan_file", lambda root, path: (read.append(path), real(root, path))[1])
    assert len(prepare(folder, tmp_path / "out").manifest) == 10
    assert len(read) <= 6


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"folds": "--5"}, "folds|column"),
        ({"folds": "²"}, "column"),
        ({"window_s": float("nan")}, "--window: got nan, must be 0.01 s or more"),
        ({"window_s": 1.0, "hop_s": 1e-9}, "--hop: got 1e-09, must be 0.01 s or more"),
        ({"group_from": ""}, "group-from"),
    ],
)
def test_odd_numbers_and_empty_options_are_one_line(folder: Path, options: dict[str, object], words: str) -> None:
    refused(words, folder, None, **options)


def test_a_run_folder_is_no_data(folder: Path, tmp_path: Path) -> None:
    prepare(folder, tmp_path / "run")
    (tmp_path / "run" / "run.json").write_text("{}")
    with pytest.raises(AudionasError, match="is a run folder; name the audio folder"):
        prepare(tmp_path / "run")


def test_our_own_manifest_is_read_as_a_table_though_its_split_is_empty(folder: Path, tmp_path: Path) -> None:
    prepared = prepare(folder, tmp_path / "out")
    (folder / "manifest.csv").write_text((prepared.folder / "manifest.csv").read_text())
    again = prepare(folder / "manifest.csv", tmp_path / "again")
    assert [clip.label for clip in again.manifest.clips] == [clip.label for clip in prepared.manifest.clips]
