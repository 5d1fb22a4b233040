"""EMO-DB: names taken apart, against the shipped sample's own table."""

from __future__ import annotations

from pathlib import Path

import pytest

from audionas import sample
from audionas.datasets import Columns
from audionas.datasets.csv import read as read_table
from audionas.datasets.emodb import read
from audionas.errors import ManifestError


def test_names_say_what_the_sample_s_table_says() -> None:
    tabled = {clip.path: clip for clip in read_table(sample.folder(), Columns()).clips}
    named = {clip.path: clip for clip in read(sample.folder(), Columns()).clips}
    assert named.keys() == tabled.keys()
    for path, clip in named.items():
        other = tabled[path]
        assert (clip.label, clip.group, clip.fold) == (other.label, other.group, other.fold)
        assert dict(clip.extra) == {name: dict(other.extra)[name] for name in ("gender", "text")}


def test_every_fold_pairs_a_man_with_a_woman() -> None:
    pairs: dict[str, set[str]] = {}
    for clip in read(sample.folder(), Columns()).clips:
        pairs.setdefault(clip.fold, set()).add(dict(clip.extra)["gender"])
    assert pairs == {fold: {"m", "f"} for fold in "12345"}


@pytest.mark.parametrize("name", ["03a01Xa.wav", "99a01Fa.wav", "03a01F.wav", "03c01Fa.wav", "hello.wav"])
def test_another_name_is_refused(tmp_path: Path, write_tone, name: str) -> None:
    write_tone(tmp_path / "wav" / name)
    with pytest.raises(ManifestError, match=f"{name}: not an EMO-DB name such as 03a01Fa.wav"):
        read(tmp_path, Columns())
