"""Zips are written the same each time, and a stranger's zip cannot write where it wants or fill the disk."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest

from audionas.errors import RunError
from audionas.experiment import bundle_zip
from audionas.experiment.bundle_zip import unpack, write_zip


def test_equal_files_give_equal_bytes_in_whatever_order_they_come(tmp_path: Path) -> None:
    write_zip(tmp_path / "a.zip", {"b.json": b"2", "a.json": b"1"})
    write_zip(tmp_path / "b.zip", {"a.json": b"1", "b.json": b"2"})
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.namelist() == ["a.json", "b.json"]
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_what_was_written_is_unpacked(tmp_path: Path) -> None:
    write_zip(tmp_path / "a.zip", {"run/a.json": b"1"})
    unpack(tmp_path / "a.zip", tmp_path / "out")
    assert (tmp_path / "out" / "run" / "a.json").read_bytes() == b"1"


@pytest.mark.parametrize("name", ["../a.json", "run/../../a.json", "/etc/a.json", "C:a.json", "..\\a.json"])
def test_a_name_that_leaves_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("run/good.json", "{}")
        info = zipfile.ZipInfo("x")
        info.filename = name
        archive.writestr(info, "{}")
    with pytest.raises(RunError, match="leaves the bundle; this is no bundle of audionas"):
        unpack(tmp_path / "a.zip", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_link_a_program_and_a_name_that_stands_twice_are_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("run/a.json")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(RunError, match=r"'run/a.json' is a link"):
        unpack(tmp_path / "link.zip", tmp_path / "out")
    with zipfile.ZipFile(tmp_path / "pickle.zip", "w") as archive:
        archive.writestr("run/weights.pkl", "")
    with pytest.raises(RunError, match=r"weights.pkl' is of a kind that no bundle holds \(.json"):
        unpack(tmp_path / "pickle.zip", tmp_path / "out")
    with zipfile.ZipFile(tmp_path / "twice.zip", "w") as archive:
        archive.writestr("run/a.json", "1")
        archive.writestr("RUN/a.json", "2")
    with pytest.raises(RunError, match=r"'RUN/a.json' stands twice"):
        unpack(tmp_path / "twice.zip", tmp_path / "out")


def test_too_many_bytes_and_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_zip(tmp_path / "a.zip", {"a.json": b"0" * 1000, "b.json": b"1"})
    monkeypatch.setattr(bundle_zip, "MAX_BYTES", 1000)
    with pytest.raises(RunError, match="1001 bytes unpacked, a bundle has at most 1000"):
        unpack(tmp_path / "a.zip", tmp_path / "out")
    monkeypatch.setattr(bundle_zip, "MAX_FILES", 1)
    with pytest.raises(RunError, match="2 files, a bundle has at most 1"):
        unpack(tmp_path / "a.zip", tmp_path / "out")


def test_what_is_no_zip_or_damaged_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_text("no zip")
    with pytest.raises(RunError, match="not a readable zip"):
        unpack(tmp_path / "a.zip", tmp_path / "out")
    with zipfile.ZipFile(tmp_path / "b.zip", "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("a.json", "abcdefgh")
    (tmp_path / "b.zip").write_bytes((tmp_path / "b.zip").read_bytes().replace(b"abcdefgh", b"abcdefgx", 1))
    with pytest.raises(RunError, match=r"not a readable zip .*CRC"):
        unpack(tmp_path / "b.zip", tmp_path / "out2")


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    write_zip(tmp_path / "a.zip", {"a.json": b"1"})
    data = bytearray((tmp_path / "a.zip").read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1  # the flag in the central directory
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(RunError, match=r"'a.json' is encrypted"):
        unpack(tmp_path / "a.zip", tmp_path / "out")
