"""The task that a user declares: what label cells then mean, and one line for each that cannot be meant so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from audionas.audio.manifest import Clip, Manifest
from audionas.datasets import iemocap
from audionas.datasets.columns import Columns
from audionas.datasets.csv import read
from audionas.datasets.declared_task import declare_task, find_task, label_columns, rare_labels
from audionas.errors import ManifestError, SettingsError
from tests.datasets.iemocap_fixture import RATINGS, lay_out, noise_turns


def corpus(*labels: str, **extra: str) -> Manifest:
    clips = [
        Clip(f"{i}.wav", label, f"s{i}", extra=tuple((name, f"{value}{i}") for name, value in extra.items()))
        for i, label in enumerate(labels)
    ]
    return Manifest(Path("/toy"), (), ()).with_clips(clips)


def test_labels_separated_by_semicolons_are_several_and_a_note_says_so() -> None:
    found = declare_task(corpus("rain; dog", "dog"), None, ())
    assert (found.task, found.labels) == ("multilabel", ("dog", "rain"))
    assert [clip.label for clip in found.clips] == ["dog;rain", "dog"]
    assert "labels hold ';': taken as several labels a clip" in found.notes[0]


def test_a_user_who_says_so_keeps_the_semicolon() -> None:
    found = declare_task(corpus("rain;dog", "dog"), "classification", ())
    assert (found.task, found.labels, found.notes) == ("classification", ("dog", "rain;dog"), ())


def test_commas_separate_where_no_cell_holds_a_semicolon() -> None:
    found = declare_task(corpus("rain,dog", "dog"), "multilabel", ())
    assert found.labels == ("dog", "rain")
    assert found.notes == ("no label holds ';': commas separate the labels",)
    assert declare_task(corpus("a, b;c", "c"), "multilabel", ()).labels == ("a, b", "c")
    assert declare_task(corpus("a, b", "c"), None, ()).labels == ("a, b", "c")


def test_an_empty_cell_is_a_clip_without_a_label_and_counted() -> None:
    found = declare_task(corpus("dog", "", ""), "multilabel", ())
    assert found.targets.tolist() == [[1], [0], [0]]
    assert found.notes == ("2 of 3 clips have an empty label: none of the labels holds for them",)


@pytest.mark.parametrize(
    ("labels", "match"),
    [
        (("", " ; "), "no clip has a label; name the column with --label$"),
        (("a;b", "b;a"), "every clip has the labels 'a;b'; there is nothing to predict$"),
    ],
)
def test_labels_that_teach_nothing_are_refused(labels: tuple[str, ...], match: str) -> None:
    with pytest.raises(ManifestError, match=rf"^/toy: {match}"):
        declare_task(corpus(*labels), "multilabel", ())


def test_several_columns_are_several_targets() -> None:
    found = declare_task(corpus("1.5", "2", arousal="4."), "regression", ("valence", "arousal"))
    assert (found.task, found.labels) == ("regression", ("valence", "arousal"))
    assert found.targets[:, 0].tolist() == [1.5, 2.0]
    assert found.targets[:, 1] == pytest.approx([4.0, 4.1])


def test_columns_are_named_with_commas_for_a_regression_only() -> None:
    assert label_columns("regression", "valence, arousal,") == ("valence", "arousal")
    assert label_columns("multilabel", "a,b") == ("a,b",)
    assert label_columns("regression", None) == ()


@pytest.mark.parametrize(
    ("labels", "match"),
    [
        (("1", "loud"), r"clip 1.wav: label 'loud' is not a finite number; --task regression needs numbers"),
        (("nan", "inf"), r"clip 0.wav: label 'nan' is not .*; clip 1.wav: label 'inf' is not a finite number; --task"),
        (("1", " "), r"clip 1.wav: no value of 'label'"),
        (("1;2", "3;4"), r"clip 0.wav: label '1;2' is not one number"),
        (("2", "2.0"), r"target 'label' is 2 for every clip; there is nothing to predict$"),
        (tuple("abcdefgh"), r"clip 4.wav: label 'e' is not a finite number; and 3 more; --task"),
    ],
)
def test_targets_that_are_no_numbers_are_refused_together(labels: tuple[str, ...], match: str) -> None:
    with pytest.raises(ManifestError, match=f"^/toy: .*{match}" if match.startswith("clip 4") else f"^/toy: {match}"):
        declare_task(corpus(*labels), "regression", ())


def test_a_target_without_a_column_is_refused() -> None:
    with pytest.raises(ManifestError, match=r"^/toy: unknown column 'dominance'; known: arousal \(asked for as target"):
        declare_task(corpus("1", "2", arousal="4."), "regression", ("valence", "dominance"))


def test_an_unknown_task_is_refused() -> None:
    assert find_task(None) is None
    assert find_task("regression") == "regression"
    with pytest.raises(SettingsError, match=r"^--task: unknown task 'multi_label' \(did you mean 'multilabel'\?\)"):
        find_task("multi_label")


def test_labels_of_one_group_are_named() -> None:
    clips = [Clip("a.wav", "dog;rain", "s1"), Clip("b.wav", "dog", "s2"), Clip("c.wav", "rain", "s1")]
    tagged = Manifest(Path("/toy"), (), (), task="multilabel").with_clips(clips)
    assert rare_labels(tagged) == ["1 label(s) in one group only, never trained and tested: rain"]
    assert rare_labels(corpus("a", "b")) == []


def test_a_table_may_leave_labels_empty_where_several_are_asked_for(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("path,label\na.wav,\nb.wav,dog\n")
    assert [clip.label for clip in read(tmp_path / "t.csv", Columns(may_be_empty=True)).clips] == ["", "dog"]
    with pytest.raises(ManifestError, match="line 2: empty 'label'"):
        read(tmp_path / "t.csv", Columns())


def test_the_dimensions_of_iemocap_are_targets(tmp_path: Path) -> None:
    lay_out(tmp_path, noise_turns())
    for number, path in enumerate(sorted(tmp_path.glob("Session*/dialog/EmoEvaluation/[!.]*.txt"))):
        ratings = f"[{1 + number % 4}.5000, {2 + number % 3}.0000, 3.0000]".encode()
        path.write_bytes(re.sub(re.escape(RATINGS.encode()), ratings, path.read_bytes()))
    columns = label_columns("regression", "valence,activation")
    found = declare_task(iemocap.read(tmp_path, Columns(columns[0])), "regression", columns)
    assert found.labels == ("valence", "activation")
    for clip, (valence, activation) in zip(found.clips, found.targets.tolist(), strict=True):
        extra = dict(clip.extra)
        assert (float(extra["valence"]), float(extra["activation"])) == (valence, activation)
    assert {valence for valence, _ in found.targets.tolist()} == {1.5, 2.5, 3.5, 4.5}
