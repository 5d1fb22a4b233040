"""The lines of a release's text files, as the published parsers quote them, and who speaks."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from audionas.datasets.iemocap_files import (
    LABEL_LINE,
    labelled_utterances,
    parse_label_line,
    release_root,
    transcriptions,
    wav_paths,
)
from audionas.errors import ManifestError
from tests.datasets.iemocap_fixture import label_path, lay_out, noise_turns, odd_turns, wav_path

# The first block of the release's first file.
QUOTED = "[6.2901 - 8.2357]\tSes01F_impro01_F000\tneu\t[2.5000, 2.5000, 2.5000]"
OTHER_LINES = [
    "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]",
    "",
    "C-E2:\tNeutral;\t()",
    "C-F1:\tNeutral;\t(curious)",
    "C-E3:\tAnger; Frustration;\t()",
    "A-E3:\tval 3; act 2; dom  2;\t()",
    "A-E4:\tval 2; act 3; dom  3;\t(mildly aggravated but staying polite, attitude)",
    "Ses01F_impro01_F000 :Neutral state; ()",
    "Ses01F_impro01_F000 :act 3; :val 3; :dom 3; ()",
    "Ses01F_impro01_F000 [006.2901-008.2357]: Excuse me.",
]
# A looser rule, from the description of the format.
RULE = re.compile(
    r"^\[(\d+\.\d+) - (\d+\.\d+)\]\t(Ses0[1-5][FM]_\S+_[FM]\d{3})\t([a-z]{3})\t\[([\d., ]+)\]"
)  # fmt: skip


def test_the_quoted_line_is_taken_apart() -> None:
    found = parse_label_line(QUOTED)
    assert found is not None
    assert (found.start_s, found.end_s, found.name, found.code) == (6.2901, 8.2357, "Ses01F_impro01_F000", "neu")
    assert (found.valence, found.activation, found.dominance) == ("2.5000", "2.5000", "2.5000")
    assert found.wav == "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav"


@pytest.mark.parametrize("line", OTHER_LINES)
def test_no_other_line_is_a_label(line: str) -> None:
    assert parse_label_line(line) is None
    assert RULE.match(line) is None


@pytest.mark.parametrize(
    "name",
    ["Ses01F_impro01_F000", "Ses03M_impro05a_M012", "Ses03M_impro08b_F001", "Ses05M_script01_1b_F020",
     "Ses02F_script03_2_M044"],
)  # fmt: skip
@pytest.mark.parametrize("code", ["neu", "ang", "hap", "exc", "sad", "fru", "sur", "fea", "oth", "dis", "xxx"])
def test_names_and_codes_of_the_release_fit_both_rules(name: str, code: str) -> None:
    line = f"[6.2901 - 8.2357]\t{name}\t{code}\t[2.5000, 2.5000, 2.5000]\r"
    ours, rule = LABEL_LINE.match(line), RULE.match(line)
    assert ours is not None
    assert rule is not None
    assert ours.groups() == rule.groups()
    assert parse_label_line(line) is not None


@pytest.mark.parametrize(
    "line",
    [
        QUOTED.replace("Ses01", "Ses06"),
        QUOTED.replace("F000", "X000"),
        QUOTED.replace("_impro01_", "_../../impro01_"),
        QUOTED.replace("neu", "joy"),
        QUOTED.replace("[2.5000, 2.5000, 2.5000]", "[2.5000, 2.5000]"),
        QUOTED.replace("[2.5000, 2.5000, 2.5000]", "[2.5000, , 2.5000]"),
        QUOTED.replace("\t", " "),
        "[6.2901 - ",
    ],
)
def test_a_damaged_line_is_no_label(line: str) -> None:
    assert parse_label_line(line) is None


@pytest.mark.parametrize(
    ("name", "dialog", "speaker", "is_improvised"),
    [
        ("Ses01F_impro01_F000", "Ses01F_impro01", "1F", True),
        ("Ses01F_impro01_M003", "Ses01F_impro01", "1M", True),
        ("Ses03M_impro05a_F012", "Ses03M_impro05a", "3F", True),
        ("Ses03M_impro05a_M012", "Ses03M_impro05a", "3M", True),
        ("Ses05M_script01_1b_F020", "Ses05M_script01_1b", "5F", False),
        ("Ses04F_script03_2_M044", "Ses04F_script03_2", "4M", False),
    ],
)
def test_the_speaker_is_the_letter_before_the_number_and_not_the_dialog_s(
    name: str, dialog: str, speaker: str, is_improvised: bool
) -> None:
    found = parse_label_line(QUOTED.replace("Ses01F_impro01_F000", name))
    assert found is not None
    assert (found.dialog, found.speaker, found.is_improvised) == (dialog, speaker, is_improvised)
    assert (found.session, found.sex) == (speaker[0], speaker[1])


@pytest.mark.parametrize("place", ["", "IEMOCAP_full_release", "IEMOCAP", "IEMOCAP_full_release/IEMOCAP_full_release"])
def test_the_release_is_found_under_both_names_and_nested(tmp_path: Path, place: str) -> None:
    lay_out(tmp_path / place, noise_turns(per_class=1))
    assert release_root(tmp_path) == tmp_path / place


def test_no_release_is_none(tmp_path: Path) -> None:
    assert release_root(tmp_path) is None
    twin = tmp_path / "Session1" / "dialog" / "EmoEvaluation" / "._Ses01F_impro01.txt"
    twin.parent.mkdir(parents=True)
    twin.write_text(QUOTED)
    (twin.parent / "Categorical").mkdir()
    (twin.parent / "Categorical" / "Ses01F_impro01_e1_cat.txt").write_text(QUOTED)
    assert release_root(tmp_path) is None


def test_every_label_is_read_once_and_neither_twins_nor_subfolders(tmp_path: Path) -> None:
    named = lay_out(tmp_path, [*noise_turns(), *odd_turns()])
    found, unread = labelled_utterances(tmp_path)
    labelled = {name: turn for name, turn in named.items() if turn.is_labelled}
    assert sorted(utterance.name for utterance in found) == sorted(labelled)
    assert {utterance.name: utterance.code for utterance in found} == {n: turn.code for n, turn in labelled.items()}
    assert unread == []


def test_line_ends_and_foreign_bytes_do_not_matter(tmp_path: Path) -> None:
    lay_out(tmp_path, noise_turns())
    assert b"\r\n" in label_path(tmp_path, "Ses02F_impro01").read_bytes()
    assert b"\x92" in label_path(tmp_path, "Ses03M_impro05a").read_bytes()
    before, _ = labelled_utterances(tmp_path)
    path = label_path(tmp_path, "Ses02F_impro01")
    path.write_bytes(path.read_bytes().replace(b"\r\n", b"\r"))
    assert labelled_utterances(tmp_path)[0] == before
    assert Counter(utterance.session for utterance in before) == dict.fromkeys("12345", 16)


def test_lines_that_are_not_understood_are_named(tmp_path: Path) -> None:
    lay_out(tmp_path, noise_turns())
    path = label_path(tmp_path, "Ses01F_impro01")
    path.write_text(path.read_text().replace("\tneu\t", "\tcalm\t", 1))
    found, unread = labelled_utterances(tmp_path)
    assert len(found) == 79
    assert unread == ["Session1/dialog/EmoEvaluation/Ses01F_impro01.txt line 21"]


def test_an_utterance_in_the_folder_of_another_session_is_refused(tmp_path: Path) -> None:
    lay_out(tmp_path, noise_turns())
    path = label_path(tmp_path, "Ses02F_impro01")
    path.write_text(path.read_text() + QUOTED.replace("Ses01F", "Ses03F") + "\n")
    with pytest.raises(
        ManifestError, match="Ses03F_impro01_F000 is of session 3, in the folder of session 2"
    ) as error:  # fmt: skip
        labelled_utterances(tmp_path)
    assert "\n" not in str(error.value)


def test_transcriptions_are_kept_by_utterance_and_turns_of_both_left_out(tmp_path: Path) -> None:
    named = lay_out(tmp_path, noise_turns())
    assert transcriptions(tmp_path) == dict.fromkeys(named, "Excuse me. [LAUGHTER]")


def test_recordings_are_those_of_sentences_without_twins_and_hidden_folders(tmp_path: Path) -> None:
    named = lay_out(tmp_path, noise_turns())
    (tmp_path / "Session1" / "sentences" / "wav" / "._x").mkdir()
    (tmp_path / "Session1" / "sentences" / "wav" / "._x" / "Ses01F_impro01_F000.wav").touch()
    assert wav_paths(tmp_path) == {wav_path(tmp_path, name).relative_to(tmp_path).as_posix() for name in named}
