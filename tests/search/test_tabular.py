"""Tables of trained cells: how an architecture is named in them, what is averaged, and what is refused."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from audionas.errors import SettingsError
from audionas.search.tabular import NotInTableError, Row, TabularEvaluator, genotypes_of, read_table
from audionas.search.tabular_space import TableSpace
from audionas.spaces import load_search_space
from audionas.spaces.genotype_file import genotype_document

SPACE = TableSpace({"layer_0": ("0", "1"), "layer_1": ("a", "b", "c")}, "toy")
CELLS = load_search_space("darts_cnn_small")


def of(first: str, second: str) -> str:
    return SPACE.genotype({"layer_0": first, "layer_1": second}).hash


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_a_column_for_each_choice_names_the_architecture_and_its_rows_are_averaged(tmp_path: Path) -> None:
    path = write(tmp_path / "cells.csv", "layer_0,layer_1,acc,size\n0,a,0.5,10\n1,b,0.25,20\n0,a,0.7,10\n1,c,,30\n")
    found = read_table(path, SPACE, score="acc", parameters="size")
    assert set(found.rows) == {of("0", "a"), of("1", "b"), of("1", "c")}
    assert found.rows[of("0", "a")] == Row(pytest.approx(0.6), 10)
    assert math.isnan(found.rows[of("1", "c")].score)
    assert found.best == pytest.approx(0.6)
    assert found.regret(0.25) == pytest.approx(0.35)


def test_proxies_are_columns_and_a_table_says_which_it_holds(tmp_path: Path) -> None:
    text = "layer_0,layer_1,acc,size,synflow\n0,a,0.5,10,3\n1,b,0.25,20,4\n0,a,0.7,10,5\n"
    found = read_table(write(tmp_path / "cells.csv", text), SPACE, score="acc", parameters="size", proxies=["synflow"])
    first = SPACE.genotype({"layer_0": "0", "layer_1": "a"})
    assert found.proxy(first, "synflow", seed=0) == 4  # type: ignore[arg-type]
    assert found.proxy(first, "parameters", seed=0) == 10  # type: ignore[arg-type]
    missing = SPACE.genotype({"layer_0": "1", "layer_1": "c"})
    assert found.proxy(missing, "synflow", seed=0) == -math.inf  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match=r"cells.csv: no proxy 'naswot'; it holds: parameters, synflow"):
        found.proxy(first, "naswot", seed=0)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="no column 'naswot'; there are: layer_0"):
        read_table(tmp_path / "cells.csv", SPACE, score="acc", proxies=["naswot"])


def test_of_a_loss_less_is_better_in_every_objective(tmp_path: Path) -> None:
    path = write(tmp_path / "cells.csv", "layer_0,layer_1,loss\n0,a,2.0\n1,b,0.5\n")
    found = read_table(path, SPACE, score="loss", lower_is_better=True)
    worse, better = (
        found.evaluate(SPACE.genotype({"layer_0": a, "layer_1": b}), epochs=1, seed=0)  # type: ignore[arg-type]
        for a, b in (("0", "a"), ("1", "b"))
    )
    for objective in ("ua", "loss", "balanced_loss"):
        assert better.objective(objective) > worse.objective(objective)
    assert (better.ua, better.loss) == (-0.5, 0.5)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_hash_or_the_text_of_a_genotype_file_names_a_cell(tmp_path: Path, suffix: str) -> None:
    genotypes = [CELLS.random(np.random.default_rng(seed)) for seed in range(3)]
    by_hash = pd.DataFrame({"hash": [g.hash for g in genotypes], "ua": [0.1, 0.2, 0.3]})
    texts = [json.dumps(genotype_document(g)) for g in genotypes]
    by_text = pd.DataFrame({"genotype": texts, "ua": [0.1, 0.2, 0.3]})
    for name, table in (("hash", by_hash), ("text", by_text)):
        path = tmp_path / f"{name}.{suffix}"
        table.to_csv(path, index=False) if suffix == "csv" else table.to_parquet(path)
        evaluator = read_table(path, CELLS, score="ua")
        assert [evaluator.evaluate(g, epochs=1, seed=0).ua for g in genotypes] == [0.1, 0.2, 0.3]
    assert [g.hash for g in genotypes_of(texts, "x")] == [g.hash for g in genotypes]


@pytest.mark.parametrize(
    "text,words",
    [
        ("layer_0,acc\n0,1\n", "no column 'layer_1'; the architecture is named by a column hash, or genotype, or by"),
        ("layer_0,layer_1,ua\n0,a,1\n", "no column 'acc'; there are: layer_0, layer_1, ua"),
        ("layer_0,layer_1,acc\n0,a,1\n0,x,1\n", "row 2: layer_1: got 'x'; accepted: a, b, c"),
        ("layer_0,layer_1,acc\n0,a,good\n", "row 1: acc: got 'good', must be a number"),
        ("layer_0,layer_1,acc\n0,a,\n", "no row has a score"),
        ("genotype,acc\n{},1\n", "row 1: not a genotype file: key 'kind' is missing"),
    ],
)
def test_a_table_that_cannot_be_read_says_where_and_why(tmp_path: Path, text: str, words: str) -> None:
    path = write(tmp_path / "cells.csv", text)
    with pytest.raises(SettingsError, match=f"cells.csv: {words}"):
        read_table(path, SPACE, score="acc")


def test_a_size_that_is_no_number_says_its_row(tmp_path: Path) -> None:
    path = write(tmp_path / "cells.csv", "layer_0,layer_1,acc,size\n0,a,1,10\n0,b,1,\n")
    with pytest.raises(SettingsError, match=r"cells.csv: row 2: size: got .*nan.*, must be a number"):
        read_table(path, SPACE, score="acc", parameters="size")
    with pytest.raises(SettingsError, match=r"cells.csv: row 2: size: got .*nan.*, must be a number"):
        read_table(path, SPACE, score="acc", proxies=["size"])


@pytest.mark.parametrize("name", ["cells.csv", "cells.parquet"])
def test_a_file_that_is_no_table_is_one_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match=rf"{name}: not a table that can be read .*; a table is a CSV or Parquet"):
        read_table(write(tmp_path / name, ""), SPACE, score="acc")


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"cells\.csv: no such file; a table is a CSV or Parquet file"):
        read_table(tmp_path / "cells.csv", SPACE, score="acc")


def test_without_a_reader_of_parquet_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(_: Path) -> pd.DataFrame:
        raise ImportError("Unable to find a usable engine")

    monkeypatch.setattr(pd, "read_parquet", missing)
    with pytest.raises(SettingsError, match="Parquet needs pyarrow: pip install pyarrow, or save the table as CSV"):
        read_table(write(tmp_path / "cells.parquet", ""), SPACE, score="acc")


def test_what_is_not_in_the_table_or_has_no_score_fails() -> None:
    evaluator = TabularEvaluator({of("0", "a"): Row(0.5), of("0", "b"): Row(math.nan)}, "mine")
    with pytest.raises(NotInTableError, match=r"mine: no row for .* among 2"):
        evaluator.evaluate(SPACE.genotype({"layer_0": "1", "layer_1": "a"}), epochs=1, seed=0)  # type: ignore[arg-type]
    with pytest.raises(NotInTableError, match=r"mine: the score of .* is nan"):
        evaluator.evaluate(SPACE.genotype({"layer_0": "0", "layer_1": "b"}), epochs=1, seed=0)  # type: ignore[arg-type]
