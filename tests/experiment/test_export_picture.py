"""`audionas export --to svg|png|pdf`: where pictures go, and what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from audionas.errors import AudionasError, GenotypeError, SettingsError
from audionas.experiment.export_picture import export_picture
from audionas.records import read_json, write_json
from audionas.spaces import BaselineGenotype
from audionas.spaces.genotype_file import save_genotype
from audionas.spaces.reference_recipes import reference_recipe

SIGNS = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}


@pytest.fixture
def nested(searched: Path, tmp_path: Path) -> Path:
    """A nested search of two splits, each the same search."""
    folder = tmp_path / "nested"
    for name in ("1", "2"):
        shutil.copytree(searched, folder / f"split_{name}")
        document = read_json(folder / f"split_{name}" / "genotype.json", "genotype")
        document["provenance"]["split_left_out"] = name
        write_json(folder / f"split_{name}" / "genotype.json", document)
    record = read_json(searched / "run.json", "run file")
    write_json(folder / "run.json", record | {"kind": "nested_search", "splits": ["1", "2"]})
    return folder


@pytest.mark.parametrize("form", SIGNS)
def test_a_picture_lies_in_the_run_folder_or_beside_the_file(searched: Path, tmp_path: Path, form: str) -> None:
    assert export_picture(searched, form) == searched / f"cells.{form}"
    assert (searched / f"cells.{form}").read_bytes().startswith(SIGNS[form])
    save_genotype(reference_recipe("gru"), tmp_path / "my_gru.json")
    assert export_picture(tmp_path / "my_gru.json", form) == tmp_path / f"my_gru.{form}"


def test_it_goes_where_it_is_asked_to(searched: Path, tmp_path: Path) -> None:
    target = tmp_path / "figures" / "found.pdf"
    assert export_picture(searched, "pdf", target, width_mm=120) == target
    assert target.is_file()


def test_of_a_nested_search_a_fold_is_named(nested: Path) -> None:
    assert export_picture(nested, "svg", fold="2") == nested / "cells_fold_2.svg"
    with pytest.raises(GenotypeError, match="a nested search has 2 genotypes; name one: --fold of 1, 2"):
        export_picture(nested, "svg")
    with pytest.raises(GenotypeError, match=r"unknown fold '3'.*--fold is for nested searches"):
        export_picture(nested, "svg", fold="3")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"to": "gif"}, "unknown picture format 'gif'"),
        ({"to": "pdf", "out": Path("-")}, "--out: got -; a picture of --to pdf is a file whose name ends in .pdf"),
        ({"to": "pdf", "out": Path("a.png")}, "--out: got a.png; a picture of --to pdf"),
        ({"to": "svg", "dpi": 300}, "--dpi: is for --to png; svg has no dots"),
        ({"to": "png", "dpi": 5000}, "--dpi: got 5000, must be 50 to 1200"),
        ({"to": "png", "width_mm": 5}, "--width-mm: got 5, must be 20 to 1000"),
    ],
)
def test_options_that_do_not_fit_are_refused(searched: Path, changes: dict, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        export_picture(searched, **changes)


def test_a_folder_is_no_file_to_write(searched: Path, tmp_path: Path) -> None:
    (tmp_path / "folder.svg").mkdir()
    with pytest.raises(AudionasError, match=r"folder\.svg: is a folder; name a file"):
        export_picture(searched, "svg", tmp_path / "folder.svg")


def test_a_hand_made_system_is_refused_by_its_file(tmp_path: Path) -> None:
    save_genotype(BaselineGenotype("lstm"), tmp_path / "g.json")
    with pytest.raises(GenotypeError, match=r"g\.json: the hand-made system 'lstm' has no cells to draw"):
        export_picture(tmp_path / "g.json", "svg")


def test_a_text_of_darts_can_be_drawn(tmp_path: Path) -> None:
    from tests.spaces.genotypes import DARTS_V2

    (tmp_path / "v2.txt").write_text(DARTS_V2)
    assert export_picture(tmp_path / "v2.txt", "svg") == tmp_path / "v2.svg"


def test_an_unfinished_search_has_no_picture(searched: Path) -> None:
    record = read_json(searched / "run.json", "run file")
    write_json(searched / "run.json", record | {"status": "interrupted"})
    with pytest.raises(AudionasError, match="this search is not finished"):
        export_picture(searched, "svg")
