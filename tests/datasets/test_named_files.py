"""Names that cannot be read are one error, and files that lie twice count once."""

from __future__ import annotations

from pathlib import Path

import pytest

from audionas.datasets.named_files import all_read, one_of_each
from audionas.errors import ManifestError


def test_all_that_is_refused_is_told_at_once() -> None:
    items = ["1", "x1", "2", "x2", "x3", "x4", "x5", "x6", "x7"]
    with pytest.raises(ManifestError, match=r"^here: 7 names: .*'x1'.*'x5'; and 2 more; mend them$") as error:
        all_read(Path("here"), items, int, "names", "mend them")
    assert "'x6'" not in str(error.value)
    assert all_read(Path("here"), ["3", "1"], int, "names", "mend them") == [3, 1]


def test_of_two_copies_the_one_nearest_to_the_root_stays(tmp_path: Path) -> None:
    for path in ("deep/er/a.wav", "z/a.wav", "z/b.wav"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(b"1234")
    paths = ["deep/er/a.wav", "z/a.wav", "z/b.wav"]
    assert one_of_each(tmp_path, paths) == (
        ["z/a.wav", "z/b.wav"],
        ["1 file(s) lie twice and count once: deep/er/a.wav"],
    )
    assert one_of_each(tmp_path, paths, depth=2) == (sorted(paths), [])


def test_two_different_files_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"1234")
    (tmp_path / "a.flac").write_bytes(b"12")
    with pytest.raises(
        ManifestError, match=r"a\.flac and a\.wav have one name and are not the same file \(1 such pair"
    ):
        one_of_each(tmp_path, ["a.wav", "a.flac"])
