"""The network in words on the page, and the table of how its receptive field grows."""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from audionas.errors import GenotypeError
from audionas.features import extractor_from_settings
from audionas.report.run_files import read_run
from audionas.report.words_section import genotype_of, words_section
from audionas.spaces import CnnGenotype, CnnMacro
from audionas.spaces.genotype_file import genotype_document, save_genotype
from audionas.spaces.reference_recipes import reference_recipe

FEATURES = {"extractor": "log_mel", "sample_rate_hz": 8000, "length_s": 1.0, "n_mels": 32, "hop_ms": 20.0}
CELL = (("conv_1x5", 0), ("skip_connect", 1))


def genotype(channels: int) -> CnnGenotype:
    return CnnGenotype(CELL, (2,), CELL, (2,), 2, CnnMacro(n_cells=2, channels=channels, reduction_at=("1/2",)))


def provenance() -> dict[str, object]:
    settings = extractor_from_settings(FEATURES, "test").resolve(8000, [1.0]).settings()
    return {"features": settings, "input_shape": [1, 32, 51], "labels": ["a", "b", "c", "d"]}


def test_the_paragraph_and_the_growth_of_the_field_stand_on_the_page(
    search_run: Path, page_of: Callable[[Path], str]
) -> None:
    save_genotype(genotype(4), search_run / "genotype.json", provenance())
    section = words_section(read_run(search_run))
    assert section is not None
    paragraph, table = section.blocks
    assert "2 cells with 4 channels a node" in paragraph.text
    # Frames: 3 of the stem; 5 wide, + 4; the reduction's convolution reads the stem, its skip one frame beside the 7.
    assert [row[:3] for row in table.rows] == [
        ("the stem", "32 x 51", "3"),
        ("the 1st cell (normal)", "32 x 51", "7"),
        ("the 2nd cell (reduction)", "16 x 26", "8"),
    ]
    assert [row[3] for row in table.rows] == ["65 ms", "145 ms", "165 ms"]
    assert table.head[4:] == ("reads mel bands", "band")
    assert paragraph.text in html.unescape(page_of(search_run))


def test_each_split_whose_network_differs_has_a_paragraph_of_its_own(runs: SimpleNamespace, tmp_path: Path) -> None:
    folder = runs.nested(tmp_path / "nested")
    for split, channels in (("1", 4), ("2", 8), ("3", 4)):
        save_genotype(genotype(channels), folder / f"split_{split}" / "genotype.json", provenance())
    section = words_section(read_run(folder))
    assert section is not None
    of, first, _, fold = section.blocks
    assert of.text == "Of the splits 1, 3:"
    assert "4 channels a node" in first.text
    assert fold.title == "Of split 2"
    assert "8 channels a node" in fold.blocks[0].text


def test_the_network_is_told_as_it_was_retrained(search_run: Path, runs: SimpleNamespace) -> None:
    save_genotype(genotype(4), search_run / "genotype.json", provenance())
    retrained = search_run / "retrained"
    runs.retraining(retrained, genotypes={"1": str(search_run / "genotype.json")})
    save_genotype(genotype(16), retrained / "split_1" / "genotype.json", provenance())
    section = words_section(read_run(search_run))
    assert section is not None
    assert section.intro == "As it was retrained."
    assert "16 channels a node" in section.blocks[0].text


def test_networks_that_differ_in_fitted_features_alone_are_told_once(runs: SimpleNamespace, tmp_path: Path) -> None:
    retrained = runs.retraining(tmp_path / "r", splits=("1", "2"), genotypes={"1": "a", "2": "b"})
    for split, seconds in (("1", 1.0), ("2", 1.5)):
        found = provenance() | {"features": provenance()["features"] | {"length_s": seconds}}  # type: ignore[operator]
        save_genotype(genotype(4), retrained / f"split_{split}" / "genotype.json", found)
    section = words_section(read_run(retrained))
    assert section is not None
    assert len(section.blocks) == 2
    assert section.intro == "Features are fitted split by split; figures are those of the first split."


def test_a_recurrent_network_has_no_table(search_run: Path) -> None:
    save_genotype(reference_recipe("lstm"), search_run / "genotype.json", provenance())
    section = words_section(read_run(search_run))
    assert section is not None
    (paragraph,) = section.blocks
    assert "It is the LSTM." in paragraph.text


def test_a_damaged_genotype_is_left_out(search_run: Path) -> None:
    document = genotype_document(genotype(4))
    del document["cells"]["normal_concat"]
    (search_run / "genotype.json").write_text(json.dumps(document))
    assert words_section(read_run(search_run)) is None
    with pytest.raises(GenotypeError, match=r"genotype.json: its cells are damaged \(KeyError\('normal_concat'\)\)"):
        genotype_of(document)


def test_a_document_gives_its_genotype_back() -> None:
    for one in (genotype(4), reference_recipe("gru")):
        assert genotype_of(genotype_document(one)).hash == one.hash
