"""Each outer split gets the genotype whose search left it out; none or two is an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from audionas.audio.folds import OuterSplit
from audionas.errors import AudionasError, GenotypeError, RunError, SettingsError
from audionas.experiment.genotype_sources import Source, by_split, find_sources, with_macro_values
from audionas.experiment.run_folder import RunFolder
from audionas.spaces import Genotype
from audionas.spaces.darts_text import from_darts_text
from audionas.spaces.genotype_file import save_genotype
from audionas.spaces.reference_recipes import reference_recipe
from tests.spaces.genotypes import DARTS_V2

GENOTYPE = from_darts_text(DARTS_V2)
GRU = reference_recipe("gru")
SPLITS = [OuterSplit(name, (0,), (1,)) for name in ("1", "2")]


def source(left_out: str | None, name: str = "g") -> Source:
    return Source(Path(f"{name}.json"), GENOTYPE, {} if left_out is None else {"split_left_out": left_out})


def test_a_single_genotype_serves_every_split() -> None:
    one = source(None)
    assert by_split([one], SPLITS) == {"1": one, "2": one}


def test_of_several_each_split_gets_the_one_that_left_it_out() -> None:
    first, second = source("1"), source("2")
    assert by_split([second, first], SPLITS) == {"1": first, "2": second}


@pytest.mark.parametrize(
    "left_out,words", [(("1", "1"), "split 1 is left out by 2"), (("1", None), "split 2 is left out by 0")]
)
def test_a_split_left_out_by_none_or_two_is_an_error(left_out: tuple[str | None, ...], words: str) -> None:
    with pytest.raises(RunError, match=f"{words} of the given runs, must be 1 .*g.json left out 1"):
        by_split([source(name) for name in left_out], SPLITS)


def run_with(path: Path, kind: str, status: str, **fields: object) -> Path:
    run = RunFolder.create(path, kind, ["search"], **fields)
    run.save(status=status)
    return path


def test_a_nested_search_gives_a_genotype_a_split(tmp_path: Path) -> None:
    run = run_with(tmp_path / "run", "nested_search", "done", splits=["1", "2"])
    for name in ("1", "2"):
        save_genotype(GENOTYPE, run / f"split_{name}" / "genotype.json", {"split_left_out": name})
    assert [found.left_out for found in find_sources([run])] == ["1", "2"]


def test_a_folder_with_a_genotype_alone_is_taken(tmp_path: Path) -> None:
    save_genotype(GENOTYPE, tmp_path / "genotype.json")
    assert find_sources([tmp_path, tmp_path / "genotype.json"]) == [source_at(tmp_path)] * 2


def source_at(folder: Path) -> Source:
    return Source(folder / "genotype.json", GENOTYPE, {})


@pytest.mark.parametrize("status", ["running", "interrupted", "failed"])
def test_an_unfinished_search_says_how_to_finish_it(tmp_path: Path, status: str) -> None:
    run = run_with(tmp_path / "run", "search", status)
    with pytest.raises(RunError, match=rf"not finished \({status}\); audionas search --resume"):
        find_sources([run])


def test_a_retraining_and_a_missing_file_are_no_source(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is a retrain run, expected search or nested_search"):
        find_sources([run_with(tmp_path / "run", "retrain", "done")])
    with pytest.raises(GenotypeError, match="no such genotype file"):
        find_sources([tmp_path / "none"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(AudionasError, match=r"empty: no run here \(run.json is missing\)$"):
        find_sources([tmp_path / "empty"])


def test_a_run_of_another_kind_names_the_searches_inside_it(tmp_path: Path) -> None:
    run = run_with(tmp_path / "whole", "reproduce", "done")
    run_with(run / "frames" / "search", "nested_search", "done")
    run_with(run / "frames" / "masked", "retrain", "done")
    with pytest.raises(RunError, match=r"is a reproduce run, expected .*; runs inside it: frames/search$"):
        find_sources([run])
    with pytest.raises(RunError, match=r"frames: no run here .*; runs inside it: search$"):
        find_sources([run / "frames"])


@pytest.mark.parametrize(
    ("genotype", "macro", "words"),
    [
        (
            GENOTYPE,
            {"n_layers": 2, "hidden": 3},
            "--layers, --hidden are for recurrent genotypes; this one is CNN: --ce",
        ),
        (GRU, {"n_cells": 2}, "--cells is for CNN genotypes; this one is recurrent: --layers, --hidden"),
        (GRU, {"channels": 8}, "--channels is for CNN genotypes; this one is recurrent: --layers, --hidden"),
        (
            GRU,
            {"hidden": 0, "n_layers": 0},
            "^--layers: got 0, must be at least 1.*; --hidden: got 0, must be at least 1",
        ),
        (GENOTYPE, {"n_cells": 0}, "^--cells: got 0, must be at least 1"),
    ],
)
def test_a_macro_value_that_does_not_fit_is_named_by_its_option(
    genotype: Genotype, macro: dict[str, int], words: str
) -> None:
    with pytest.raises(SettingsError, match=words):
        with_macro_values(Source(Path("g.json"), genotype, {}), macro)
