"""Tables: which column means what, which cells are refused, and that every letter of a label survives."""

from __future__ import annotations

from pathlib import Path

import pytest

from audionas.audio.folds import outer_splits
from audionas.audio.manifest import Manifest
from audionas.datasets import Columns
from audionas.datasets.csv import read
from audionas.errors import ManifestError


def table(folder: Path, *lines: str, name: str = "manifest.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(("header", "source", "group"), [
    ("path,label,group,speaker,recording", "column 'group'", "1"),
    ("path,label,other,speaker,recording", "column 'speaker'", "2"),
    ("path,label,other,another,recording", "column 'recording'", "3"),
    ("path,label,other,another,third", "", ""),
])  # fmt: skip
def test_the_group_is_group_else_speaker_else_recording(tmp_path: Path, header: str, source: str, group: str) -> None:
    table(tmp_path, header, "a.wav,x,1,2,3")
    manifest = read(tmp_path, Columns())
    assert (manifest.group_source, manifest.clips[0].group) == (source, group)


@pytest.mark.parametrize(("header", "source", "fold", "split"), [
    ("path,label,fold,session_or_fold,split", "column 'fold'", "1", "dev"),
    ("path,label,x,session_or_fold,split", "column 'session_or_fold'", "2", "dev"),
    ("path,label,x,y,split", "column 'split'", "", "dev"),
    ("path,label,x,y,z", "", "", ""),
])  # fmt: skip
def test_a_fold_column_wins_over_the_split(tmp_path: Path, header: str, source: str, fold: str, split: str) -> None:
    table(tmp_path, header, "a.wav,x,1,2,VALID")
    manifest = read(tmp_path, Columns())
    clip = manifest.clips[0]
    assert (manifest.fold_source, clip.fold) == (source, fold)
    assert clip.split == split


def test_columns_can_be_named_and_the_rest_is_kept(tmp_path: Path) -> None:
    table(tmp_path, "path,label,emotion,actor,speaker,part,note", "a.wav,old,joy,A,s,p,n")
    manifest = read(tmp_path, Columns(label="emotion", group="actor", folds="part"))
    clip = manifest.clips[0]
    assert (clip.label, clip.group, clip.fold) == ("joy", "A", "p")
    assert dict(clip.extra) == {"source_label": "old", "speaker": "s", "note": "n"}
    manifest.write(tmp_path / "out")
    assert Manifest.read(tmp_path / "out").clips[0].label == "joy"


@pytest.mark.parametrize("label", ["a, b", 'say "no"', " spaces ", "Ärger", "悲しみ", "NA", "007", "nan", "x;y|z\ttab"])
def test_labels_keep_every_letter(tmp_path: Path, label: str) -> None:
    quoted = '"' + label.replace('"', '""') + '"'
    table(tmp_path, "path,label", f"a.wav,{quoted}", "b.wav,other")
    manifest = read(tmp_path, Columns())
    assert manifest.clips[0].label == label
    manifest.write(tmp_path / "out")
    again = Manifest.read(tmp_path / "out")
    assert again.clips == manifest.clips
    assert again.labels == manifest.labels == tuple(sorted([label, "other"]))


def test_a_table_may_have_a_byte_order_mark_any_name_and_cuts(tmp_path: Path) -> None:
    path = tmp_path / "my table.csv"
    path.write_bytes("﻿path,label,start_s,duration_s\nsub/a.wav,x,1.5,2\nsub/a.wav,y,,\n".encode())
    manifest = read(path, Columns())
    assert manifest.root == tmp_path
    assert [(clip.path, clip.start_s, clip.duration_s) for clip in manifest.clips] == [
        ("sub/a.wav", 1.5, 2.0), ("sub/a.wav", 0.0, 0.0),
    ]  # fmt: skip


def test_split_names_are_made_one(tmp_path: Path) -> None:
    rows = {
        "train": "train",
        "Training": "train",
        "dev": "dev",
        "val": "dev",
        "VALIDATION": "dev",
        "test": "test",
    }
    table(tmp_path, "path,label,split", *(f"{n}.wav,x,{name}" for n, name in enumerate(rows)))
    manifest = read(tmp_path, Columns(group="path"))
    assert [clip.split for clip in manifest.clips] == list(rows.values())
    assert [split.name for split in outer_splits(manifest)] == ["test"]


@pytest.mark.parametrize(("header", "words"), [
    ("file,label", r"unknown column 'path'; known: file, label|unknown column 'path' \(did"),
    ("paths,label", r"unknown column 'path' \(did you mean 'paths'\?\); known: label, paths"),
    ("path,lable", r"unknown column 'label' \(did you mean 'lable'\?\).*--label"),
    ("path;label", "known: path;label"),
])  # fmt: skip
def test_wrong_column_names_are_answered_with_those_found(tmp_path: Path, header: str, words: str) -> None:
    path = table(tmp_path, header)
    with pytest.raises(ManifestError, match=words) as error:
        read(tmp_path, Columns())
    assert str(error.value).startswith(str(path))


@pytest.mark.parametrize(("columns", "words"), [
    (Columns(label="emotoin"), "did you mean 'emotion'"),
    (Columns(group="speker"), "did you mean 'speaker'.*--group"),
    (Columns(folds="sesion"), "did you mean 'session'.*--folds"),
])  # fmt: skip
def test_a_column_asked_for_must_be_there(tmp_path: Path, columns: Columns, words: str) -> None:
    table(tmp_path, "path,label,emotion,speaker,session", "a,b,c,d,e")
    with pytest.raises(ManifestError, match=words):
        read(tmp_path, columns)


@pytest.mark.parametrize(("row", "words"), [
    ("a.wav,,s,train,0", "line 3: empty 'label'"),
    ("a.wav, ,s,train,0", "line 3: empty 'label'"),
    (",x,s,train,0", "line 3: empty 'path'"),
    ("a.wav,x,,train,0", "line 3: empty 'speaker'"),
    ("a.wav,x,s,,0", "line 3: empty 'split'"),
    ("a.wav,x,s,trian,0", r"line 3: unknown split 'trian' \(did you mean 'train'\?\)"),
    ("a.wav,x,s,train,soon", "line 3: start_s 'soon' is not a number"),
    ("a.wav,x,s,train,-1", "line 3: start_s '-1' must be 0 or more"),
    ("a.wav,x,s,train,nan", "line 3: start_s 'nan' must be 0 or more"),
    ("../a.wav,x,s,train,0", r"line 3: path '\.\./a\.wav' leads out"),
    ("/etc/a.wav,x,s,train,0", "line 3: path '/etc/a.wav' leads out"),
    ("a/../b.wav,x,s,train,0", r"line 3: path 'a/\.\./b\.wav' holds '\.\.'"),
    ("a.wav,x,s,train,0,more", "not a readable CSV table"),
])  # fmt: skip
def test_impossible_rows_are_named_by_line(tmp_path: Path, row: str, words: str) -> None:
    table(tmp_path, "path,label,speaker,split,start_s", "z.wav,x,s,train,0", row)
    with pytest.raises(ManifestError, match=words) as error:
        read(tmp_path, Columns())
    assert "\n" not in str(error.value)


def test_many_wrong_rows_are_reported_together_and_counted(tmp_path: Path) -> None:
    table(tmp_path, "path,label", *(f"{n}.wav," for n in range(8)))
    with pytest.raises(ManifestError, match=r"line 2: .*line 6: empty 'label'; and 3 more rows$"):
        read(tmp_path, Columns())


def test_an_absolute_path_inside_the_folder_becomes_relative(tmp_path: Path) -> None:
    table(tmp_path, "path,label", f"{tmp_path}/a/b.wav,x")
    assert read(tmp_path, Columns()).clips[0].path == "a/b.wav"


def test_a_missing_or_empty_table_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"no\.csv: no such file"):
        read(tmp_path / "no.csv", Columns())
    (tmp_path / "empty.csv").touch()
    with pytest.raises(ManifestError, match=r"empty\.csv: not a readable CSV table"):
        read(tmp_path / "empty.csv", Columns())
    (tmp_path / "latin.csv").write_bytes("path,label\na.wav,Ärger\n".encode("latin-1"))
    with pytest.raises(ManifestError, match=r"latin\.csv: not a readable CSV table"):
        read(tmp_path / "latin.csv", Columns())
