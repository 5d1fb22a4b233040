"""An IEMOCAP release, rebuilt from other recordings: subsets, speakers, columns, what is missing, protocols."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from audionas import sample
from audionas.audio.folds import outer_splits
from audionas.audio.manifest import Manifest
from audionas.datasets import DATASETS, Columns
from audionas.datasets.iemocap import read, read_all, read_excited
from audionas.errors import ManifestError
from audionas.experiment.prepare import PrepareOptions, prepare
from tests.datasets.iemocap_fixture import (
    SHARED_EMODB4,
    Turn,
    emodb_turns,
    label_path,
    lay_out,
    noise,
    noise_turns,
    odd_turns,
    wav_path,
)

SPEAKERS = ["1F", "1M", "2F", "2M", "3F", "3M", "4F", "4M", "5F", "5M"]
PARTNER = {"F": "M", "M": "F"}


@pytest.fixture
def release(tmp_path: Path) -> Path:
    lay_out(tmp_path / "IEMOCAP_full_release", [*noise_turns(), *odd_turns()])
    return tmp_path / "IEMOCAP_full_release"


def test_the_three_subsets_take_what_they_say(release: Path) -> None:
    improvised, excited, everything = (reader(release, Columns()) for reader in (read, read_excited, read_all))
    assert (len(improvised), len(excited), len(everything)) == (80, 81, 83)
    codes = [dict(clip.extra)["emotion"] for clip in excited.clips if clip.label == "happiness"]
    assert Counter(codes) == {"hap": 20, "exc": 1}
    scripted = {dict(clip.extra)["dialog"] for clip in everything.clips} - {
        dict(clip.extra)["dialog"] for clip in excited.clips
    }
    assert scripted == {"Ses01F_script01_1", "Ses05M_script01_1b"}
    assert improvised.labels == ("anger", "happiness", "neutral", "sadness")
    assert [manifest.dataset for manifest in (improvised, excited, everything)] == [
        "iemocap", "iemocap_excited", "iemocap_all",
    ]  # fmt: skip
    assert [manifest.protocol for manifest in (improvised, excited, everything)] == [
        "speaker_pairs", "speaker_pairs", "folds_with_dev",
    ]  # fmt: skip


def test_a_speaker_is_not_the_letter_of_the_dialog(release: Path) -> None:
    manifest = read(release, Columns())
    for clip in manifest.clips:
        extra = dict(clip.extra)
        assert clip.group == clip.clip[4] + clip.clip[-4]
        assert (clip.fold, extra["session"], extra["gender"].upper()) == (clip.group[0], clip.group[0], clip.group[1])
        assert clip.path == f"Session{clip.fold}/sentences/wav/{extra['dialog']}/{clip.clip}.wav"
    assert Counter(clip.group for clip in manifest.clips) == dict.fromkeys(SPEAKERS, 8)
    differing = [clip for clip in manifest.clips if clip.clip[5] != clip.clip[-4]]
    assert len(differing) == 40, "in half of the utterances the two letters differ, as in the release"
    assert (manifest.group_source, manifest.fold_source) == ("IEMOCAP speaker", "IEMOCAP sessions")


def test_ratings_times_and_words_are_columns(release: Path) -> None:
    clip = read(release, Columns()).clips[0]
    assert clip.clip == "Ses01F_impro01_F000"
    assert dict(clip.extra) == {
        "activation": "3.0000", "dialog": "Ses01F_impro01", "dialog_end_s": "6.3901", "dialog_start_s": "6.2901",
        "dominance": "2.3333", "emotion": "ang", "gender": "f", "session": "1",
        "transcription": "Excuse me. [LAUGHTER]", "valence": "2.5000",
    }  # fmt: skip
    assert {clip.label for clip in read_all(release, Columns(label="emotion")).clips} == {
        "ang", "exc", "hap", "neu", "sad",
    }  # fmt: skip


def test_what_is_partial_lost_or_unlabelled_is_noted(release: Path, tmp_path: Path) -> None:
    assert read(release, Columns()).notes == (
        "80 of the release's 2,280 utterances of this subset: a partial copy; counts differ in sessions 1, 2, 3, 4, 5 "
        "(speakers 1F, 1M, 2F, 2M, 3F, 3M, 4F, 4M, 5F, 5M)",
        "1 labelled utterance(s) of this subset have no wav file: Ses04F_impro01_F004",
        "1 wav file(s) have no label and are left out: Ses05F_impro01_M004",
    )
    prepared = prepare(release, tmp_path / "out")
    assert prepared.manifest.notes == read(release, Columns()).notes


def test_up_to_fifty_lost_recordings_are_named(release: Path) -> None:
    kept = read(release, Columns()).clips
    for clip in kept[:49]:
        (release / clip.path).unlink()
    names = sorted([*(clip.clip for clip in kept[:49]), "Ses04F_impro01_F004"])
    lost = "labelled utterance(s) of this subset have no wav file"
    assert read(release, Columns()).notes[1] == f"50 {lost}: {', '.join(names)}"
    for clip in kept[49:51]:
        (release / clip.path).unlink()
    note = read(release, Columns()).notes[1]
    assert note.startswith(f"52 {lost}: ")
    assert note.endswith(" and 2 more")
    assert note.count("Ses0") == 50


def test_lines_that_are_not_understood_are_noted(release: Path) -> None:
    path = label_path(release, "Ses01F_impro01")
    path.write_text(path.read_text().replace("\tneu\t", "\tcalm\t", 1))
    assert (
        "1 line(s) in EmoEvaluation are not understood and left out: "
        "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt line 21"
    ) in read(release, Columns()).notes


def test_a_recording_is_as_long_as_its_label_says(tmp_path: Path) -> None:
    """Ses01F_impro01_F000 of the release: 6.2901 to 8.2357 s, 31,129 frames, 62,302 bytes."""
    first = Turn("Ses01F_impro01", "F", "neu", noise(0, 31_129))
    lay_out(tmp_path, [first, *noise_turns()])
    path = label_path(tmp_path, "Ses01F_impro01")
    assert "[6.2901 - 8.2357]\tSes01F_impro01_F000\tneu\t" in path.read_text()
    assert wav_path(tmp_path, "Ses01F_impro01_F000").stat().st_size == 62_302 == 44 + 2 * 31_129
    assert len(read(tmp_path, Columns()).notes) == 1
    path.write_text(path.read_text().replace("[6.2901 - 8.2357]", "[6.2901 - 8.2367]"))
    assert read(tmp_path, Columns()).notes[1:] == (
        "1 wav file(s) are not as long as their label's start and end say: Ses01F_impro01_F000",
    )


def test_a_damaged_recording_is_left_to_the_scan_which_names_it(release: Path) -> None:
    wav_path(release, "Ses01F_impro01_F000").write_bytes(b"RIFF")
    assert len(read(release, Columns())) == 80
    with pytest.raises(Exception, match=r"Ses01F_impro01_F000\.wav: cannot be decoded"):
        prepare(release)


def test_a_folder_that_is_no_release_or_has_no_recordings_is_refused(release: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(
        ManifestError, match=r"empty: no IEMOCAP release: no Session1/dialog/EmoEvaluation.*folder that holds Session1$"
    ):
        read(tmp_path / "empty", Columns())
    for session in "12345":
        shutil.rmtree(release / f"Session{session}" / "sentences")
    with pytest.raises(ManifestError, match="81 labelled utterances of iemocap, none has its recording in Session"):
        read(release, Columns())


@pytest.mark.parametrize("name", ["iemocap", "iemocap_all", "iemocap_excited"])
def test_the_release_is_the_same_corpus_at_every_depth(release: Path, tmp_path: Path, name: str) -> None:
    plain = DATASETS[name](release, Columns())
    for place in ("a/IEMOCAP", "b/IEMOCAP_full_release/IEMOCAP_full_release"):
        shutil.copytree(release, tmp_path / place)
        nested = DATASETS[name](tmp_path / place.split("/")[0], Columns())
        assert (nested.clips, nested.sha256) == (plain.clips, plain.sha256)
        assert nested.root == tmp_path / place


# Protocols -------------------------------------------------------------------------------------------


def speakers(manifest: Manifest, rows: tuple[int, ...]) -> list[str]:
    return sorted({manifest.clips[row].group for row in rows})


def table(manifest: Manifest) -> list[tuple[str, list[str], list[str], list[str]]]:
    """Name, and the speakers that test, that select and that train."""
    return [
        (split.name, speakers(manifest, split.test), speakers(manifest, split.dev),
         speakers(manifest, tuple(set(split.search) - set(split.dev))))
        for split in outer_splits(manifest)
    ]  # fmt: skip


PAIRS = [
    ("1F", ["1F"], ["1M"], ["2F", "2M", "3F", "3M", "4F", "4M", "5F", "5M"]),
    ("1M", ["1M"], ["1F"], ["2F", "2M", "3F", "3M", "4F", "4M", "5F", "5M"]),
    ("2F", ["2F"], ["2M"], ["1F", "1M", "3F", "3M", "4F", "4M", "5F", "5M"]),
    ("2M", ["2M"], ["2F"], ["1F", "1M", "3F", "3M", "4F", "4M", "5F", "5M"]),
    ("3F", ["3F"], ["3M"], ["1F", "1M", "2F", "2M", "4F", "4M", "5F", "5M"]),
    ("3M", ["3M"], ["3F"], ["1F", "1M", "2F", "2M", "4F", "4M", "5F", "5M"]),
    ("4F", ["4F"], ["4M"], ["1F", "1M", "2F", "2M", "3F", "3M", "5F", "5M"]),
    ("4M", ["4M"], ["4F"], ["1F", "1M", "2F", "2M", "3F", "3M", "5F", "5M"]),
    ("5F", ["5F"], ["5M"], ["1F", "1M", "2F", "2M", "3F", "3M", "4F", "4M"]),
    ("5M", ["5M"], ["5F"], ["1F", "1M", "2F", "2M", "3F", "3M", "4F", "4M"]),
]


def test_emotionnas_tests_each_speaker_once_and_selects_on_the_other_of_the_session(release: Path) -> None:
    manifest = prepare(release).manifest
    assert manifest.protocol == "speaker_pairs"
    assert table(manifest) == PAIRS
    for split in outer_splits(manifest):
        assert sorted(split.test + split.search) == list(range(len(manifest)))
        assert set(split.dev) < set(split.search)


@pytest.mark.parametrize("sex", ["F", "M"])
def test_one_sex_alone_may_test(release: Path, sex: str) -> None:
    manifest = prepare(release, None, PrepareOptions(protocol=f"speaker_pairs:{sex}")).manifest
    assert table(manifest) == [line for line in PAIRS if line[0].endswith(sex)]
    assert [line[0] for line in table(manifest)] == [f"{session}{sex}" for session in "12345"]


def test_ten_folds_leave_one_speaker_out(release: Path) -> None:
    manifest = prepare(release, None, PrepareOptions(protocol="leave_one_group_out")).manifest
    assert table(manifest) == [
        (speaker, [speaker], [], [other for other in SPEAKERS if other != speaker]) for speaker in SPEAKERS
    ]


def test_all_utterances_are_selected_on_the_next_session(release: Path) -> None:
    manifest = prepare(release, None, PrepareOptions(dataset="iemocap_all")).manifest
    assert table(manifest) == [
        ("1", ["1F", "1M"], ["2F", "2M"], ["3F", "3M", "4F", "4M", "5F", "5M"]),
        ("2", ["2F", "2M"], ["3F", "3M"], ["1F", "1M", "4F", "4M", "5F", "5M"]),
        ("3", ["3F", "3M"], ["4F", "4M"], ["1F", "1M", "2F", "2M", "5F", "5M"]),
        ("4", ["4F", "4M"], ["5F", "5M"], ["1F", "1M", "2F", "2M", "3F", "3M"]),
        ("5", ["5F", "5M"], ["1F", "1M"], ["2F", "2M", "3F", "3M", "4F", "4M"]),
    ]


def test_a_session_of_which_one_speaker_is_missing_says_what_to_do(release: Path) -> None:
    for path in (release / "Session2" / "sentences" / "wav").rglob("Ses02*_M*.wav"):
        path.unlink()
    with pytest.raises(ManifestError, match=r"needs exactly two groups .*fold '2' has 1 \(2F\); use --protocol folds"):
        prepare(release)
    assert len(outer_splits(prepare(release, None, PrepareOptions(protocol="leave_one_group_out")).manifest)) == 9


# Planted leaks ---------------------------------------------------------------------------------------


def test_a_clip_of_a_test_speaker_laid_into_another_session_is_refused(release: Path) -> None:
    source, target = (label_path(release, dialog) for dialog in ("Ses03F_impro01", "Ses02F_impro01"))
    block = source.read_text(errors="replace").split("\n\n")[1]
    assert "Ses03F_impro01_F000" in block
    target.write_text(target.read_text() + block + "\n")
    with pytest.raises(ManifestError, match="Ses03F_impro01_F000 is of session 3, in the folder of session 2"):
        prepare(release)


@pytest.mark.parametrize("protocol", [None, "folds", "speaker_pairs:F", "leave_one_group_out", "folds_with_dev"])
def test_the_audio_of_a_test_speaker_under_another_s_name_is_refused(release: Path, protocol: str | None) -> None:
    shutil.copyfile(wav_path(release, "Ses03F_impro01_F000"), wav_path(release, "Ses02F_impro01_M001"))
    words = r"Ses02F_impro01_M001\.wav and .*Ses03F_impro01_F000\.wav are the same audio in two groups \('2M', '3F'\)"
    with pytest.raises(ManifestError, match=words):
        prepare(release, None, PrepareOptions(protocol=protocol))


# Real speech -----------------------------------------------------------------------------------------


def check_speech(folder: Path, root: Path) -> Manifest:
    """Lay EMO-DB out as a release, prepare it, and compare with what was laid out."""
    named = lay_out(root, [*emodb_turns(folder), *odd_turns()])
    manifest = prepare(root).manifest
    expected = {
        name: turn for name, turn in named.items()
        if turn.is_labelled and turn.samples is not None and turn.code not in ("xxx", "exc") and "impro" in name
    }  # fmt: skip
    assert {clip.clip: dict(clip.extra)["emotion"] for clip in manifest.clips} == {
        name: turn.code for name, turn in expected.items()
    }
    for clip in manifest.clips:
        samples = expected[clip.clip].samples
        assert samples is not None
        assert clip.duration_s == pytest.approx(len(samples) / 16_000, abs=1e-6)
    assert table(manifest) == PAIRS
    assert not any("not as long" in note for note in manifest.notes)
    return manifest


def test_real_speech_laid_out_as_a_release_is_read_back(tmp_path: Path) -> None:
    assert len(check_speech(sample.folder(), tmp_path / "IEMOCAP")) == 119


@pytest.mark.slow
@pytest.mark.skipif(not SHARED_EMODB4.is_dir(), reason="needs EMO-DB's four emotions beside the repository")
def test_all_of_emodb_laid_out_as_a_release_is_read_back(tmp_path: Path) -> None:
    manifest = check_speech(SHARED_EMODB4, tmp_path / "IEMOCAP_full_release")
    assert Counter(clip.label for clip in manifest.clips) == {
        "anger": 127, "neutral": 79, "happiness": 71, "sadness": 62,
    }  # fmt: skip
    assert all(np.isfinite(clip.duration_s) for clip in manifest.clips)
