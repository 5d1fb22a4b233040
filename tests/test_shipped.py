"""Shipped YAML files are found by name, any file by path; everything else is one clear line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from audionas import shipped
from audionas.errors import SettingsError


@pytest.mark.parametrize(
    "shelf,names",
    [
        ("search_spaces", {"darts_cnn", "darts_cnn_small"}),
        ("strategies", {"darts", "darts_small_data", "random"}),
    ],
)
def test_what_is_shipped_is_found_by_name(shelf: shipped.Shelf, names: set[str]) -> None:
    assert names <= set(shipped.names(shelf))
    for name in shipped.names(shelf):
        assert shipped.find(shelf, name).read_text(encoding="utf-8").startswith("#")


def test_a_path_is_taken_as_a_path(tmp_path: Path) -> None:
    file = tmp_path / "mine.yml"
    file.touch()
    assert shipped.find("strategies", file) == file


def test_a_missing_path_is_named() -> None:
    with pytest.raises(SettingsError, match=r"^no/such\.yaml: no such search space file$"):
        shipped.find("search_spaces", "no/such.yaml")


def test_an_unknown_name_suggests_the_nearest_and_tells_of_paths() -> None:
    with pytest.raises(SettingsError, match=r"unknown strategy 'dart' \(did you mean 'darts'\?\).*\.yaml$"):
        shipped.find("strategies", "dart")


def test_names_do_not_depend_on_the_working_directory(tmp_path: Path) -> None:
    here = Path.cwd()
    try:
        os.chdir(tmp_path)
        assert shipped.find("search_spaces", "darts_cnn").is_file()
    finally:
        os.chdir(here)


def test_a_package_without_its_files_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped, "__file__", str(tmp_path / "audionas" / "shipped.py"))
    with pytest.raises(SettingsError, match=r"no search_spaces found.*install audionas again"):
        shipped.folder("search_spaces")
