"""`audionas check --describe`, of a file, a run and DARTS text."""

from __future__ import annotations

from pathlib import Path

import pytest

from audionas.errors import GenotypeError
from audionas.experiment.genotype_words import words_of
from audionas.spaces.genotype_file import save_genotype
from audionas.spaces.reference_recipes import reference_recipe
from tests.spaces.genotypes import DARTS_V2


def test_a_search_knows_its_features_and_so_milliseconds_hertz_and_costs(searched: Path) -> None:
    (split, text), *others = words_of(searched).items()
    assert split == ""
    assert not others
    assert "2 cells with 2 channels a node" in text
    assert "8 mel bands" in text
    assert "ms of audio" in text
    assert "parameters for 2 outputs" in text
    assert words_of(searched / "genotype.json") == words_of(searched)


def test_text_and_bare_genotypes_are_told_without_costs(tmp_path: Path) -> None:
    (tmp_path / "v2.txt").write_text(DARTS_V2)
    text = words_of(tmp_path / "v2.txt")[""]
    assert "five separable 3x3 convolutions, two skip connections and one dilated 3x3 convolution" in text
    assert "reads 17 frames by 17 features" in text
    assert "parameters" not in text
    save_genotype(reference_recipe("gru"), tmp_path / "gru.json")
    assert "It is the GRU." in words_of(tmp_path / "gru.json")[""]


def test_what_is_no_genotype_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text('{"kind": "poem"}')
    with pytest.raises(GenotypeError, match="not a genotype file: unknown kind 'poem'"):
        words_of(tmp_path / "other.json")


def test_of_a_retraining_what_all_its_splits_share_is_told_once(retrained_once: Path) -> None:
    assert list(words_of(retrained_once)) == [""]
    assert "2 cells with 2 channels a node" in words_of(retrained_once)[""]
