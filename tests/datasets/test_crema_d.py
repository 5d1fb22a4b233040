"""CREMA-D: names, tables of actors and clips, and what the repository's copies are known to hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from audionas.datasets import Columns, recognise
from audionas.datasets.crema_d import read
from audionas.errors import ManifestError

ACTORS = (
    '"ActorID","Age","Sex","Race","Ethnicity"\n1001,51,"Male","Caucasian","Not Hispanic"\n'
    '1002,21,"Female","Caucasian","Not Hispanic"\n'
)
NAMES = (
    "1001_DFA_ANG_XX",
    "1001_IEO_DIS_LO",
    "1001_IEO_FEA_MD",
    "1001_IEO_HAP_HI",
    "1002_WSI_NEU_XX",
    "1002_ITH_SAD_X",
)


def lay_out(root: Path, names: tuple[str, ...] = NAMES, folder: str = "AudioWAV") -> None:
    for name in names:
        (root / folder).mkdir(parents=True, exist_ok=True)
        (root / folder / f"{name}.wav").write_bytes(b"RIFF" + name.encode())
    (root / "VideoDemographics.csv").write_text(ACTORS)


def test_every_part_of_a_name_and_the_actors_are_kept(tmp_path: Path) -> None:
    lay_out(tmp_path)
    clips = {clip.clip: clip for clip in read(tmp_path, Columns()).clips}
    assert {name: (clip.label, clip.group, dict(clip.extra)["level"]) for name, clip in clips.items()} == {
        "1001_DFA_ANG_XX": ("anger", "1001", "unspecified"),
        "1001_IEO_DIS_LO": ("disgust", "1001", "low"),
        "1001_IEO_FEA_MD": ("fear", "1001", "medium"),
        "1001_IEO_HAP_HI": ("happiness", "1001", "high"),
        "1002_WSI_NEU_XX": ("neutral", "1002", "unspecified"),
        "1002_ITH_SAD_XX": ("sadness", "1002", "unspecified"),  # the known file that lacks an X
    }
    assert dict(clips["1002_WSI_NEU_XX"].extra) == {
        "actor": "1002", "age": "21", "gender": "f", "level": "unspecified", "sentence": "WSI",
    }  # fmt: skip
    assert dict(clips["1001_DFA_ANG_XX"].extra)["gender"] == "m"


def test_the_repository_and_a_folder_of_its_files_are_recognised(tmp_path: Path) -> None:
    lay_out(tmp_path / "repository")
    lay_out(tmp_path / "flat", folder="")
    assert recognise(tmp_path / "repository") == recognise(tmp_path / "flat") == "crema_d"
    assert recognise(tmp_path / "repository" / "AudioWAV") == "crema_d"


def test_a_partial_copy_and_the_clips_that_it_lacks_are_told(tmp_path: Path) -> None:
    lay_out(tmp_path)
    listed = "\n".join(f'{n},"{name}"' for n, name in enumerate([*NAMES[:5], "1002_ITH_SAD_XX", "1091_WSI_SAD_XX"]))
    (tmp_path / "SentenceFilenames.csv").write_text(f'"Stimulus_Number","Filename"\n{listed}\n')
    assert read(tmp_path, Columns()).notes == (
        "6 of the 7,442 clips of CREMA-D: a partial copy; counts differ in anger (1 of 1,271), disgust (1 of 1,271), "
        "fear (1 of 1,271), happiness (1 of 1,271), neutral (1 of 1,087) and 1 more; 2 of 91 actors",
        "1 clip(s) of SentenceFilenames.csv have no audio: 1091_WSI_SAD_XX",
    )


def test_without_the_table_of_actors_their_sex_is_not_guessed(tmp_path: Path) -> None:
    lay_out(tmp_path)
    (tmp_path / "VideoDemographics.csv").unlink()
    manifest = read(tmp_path, Columns())
    assert manifest.notes[-1] == "no VideoDemographics.csv: gender and age of the actors are not known"
    assert "gender" not in dict(manifest.clips[0].extra)


def test_a_table_without_an_actor_or_a_column_is_refused(tmp_path: Path) -> None:
    lay_out(tmp_path, (*NAMES, "1003_DFA_ANG_XX"))
    with pytest.raises(ManifestError, match=r"VideoDemographics\.csv: no row for actor 1003 of AudioWAV/1003_DFA"):
        read(tmp_path, Columns())
    (tmp_path / "VideoDemographics.csv").write_text(ACTORS.replace("Sex", "Gender"))
    with pytest.raises(ManifestError, match=r"VideoDemographics\.csv: unknown column 'Sex'"):
        read(tmp_path, Columns())


def test_broken_names_are_told_at_once(tmp_path: Path) -> None:
    lay_out(tmp_path, (*NAMES, "1001_DFA_JOY_XX", "1001_XXX_ANG_XX", "1001_DFA_ANG_ZZ", "1092_DFA_ANG_XX", "readme"))
    assert recognise(tmp_path) == "crema_d"
    with pytest.raises(ManifestError, match=r"5 file name\(s\) not of CREMA-D: ") as error:
        read(tmp_path, Columns())
    for part in (
        "unknown emotion 'JOY'",
        "unknown sentence 'XXX'",
        "unknown level 'ZZ'",
        "actor '1092', there are 1001 to 1091",
        "AudioWAV/readme.wav (ACTOR_SENTENCE_EMOTION_LEVEL",
    ):
        assert part in str(error.value)


def test_a_clone_without_git_lfs_is_told(tmp_path: Path) -> None:
    lay_out(tmp_path)
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:c6f9\nsize 72862\n"
    (tmp_path / "AudioWAV" / "1001_DFA_ANG_XX.wav").write_text(pointer)
    with pytest.raises(ManifestError, match=r"1001_DFA_ANG_XX\.wav: a Git LFS pointer, not audio; run `git lfs pull`"):
        read(tmp_path, Columns())


def test_what_the_raters_heard_is_taken_only_with_a_warning(tmp_path: Path) -> None:
    lay_out(tmp_path)
    (tmp_path / "AudioMP3").mkdir()
    (tmp_path / "AudioMP3" / "1001_DFA_ANG_XX.mp3").write_bytes(b"ID3")
    assert not any("MP3" in note for note in read(tmp_path, Columns()).notes)
    notes = read(tmp_path / "AudioMP3", Columns()).notes
    assert any(note.startswith("1 MP3 file(s): the authors say that four of AudioMP3") for note in notes)
