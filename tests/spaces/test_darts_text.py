"""DARTS's namedtuple text is parsed, never evaluated."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given

from audionas.errors import GenotypeError
from audionas.spaces import CnnGenotype, CnnMacro
from audionas.spaces.darts_text import from_darts_text, to_darts_text
from tests.spaces.genotypes import DARTS_V1, DARTS_V2, genotypes

CELL = "[('skip_connect', 0), ('skip_connect', 1)]"


def text(normal: str = CELL, normal_concat: str = "[2]", more: str = "") -> str:
    return f"Genotype(normal={normal}, normal_concat={normal_concat}, reduce={CELL}, reduce_concat=range(2, 3){more})"


def test_the_published_genotypes_are_read() -> None:
    v1, v2 = from_darts_text(DARTS_V1), from_darts_text(DARTS_V2)
    assert v1.normal[-1] == ("skip_connect", 2)
    assert v1.reduce[-1] == ("avg_pool_3x3", 0)
    assert v2.normal[-1] == ("dil_conv_3x3", 2)
    assert [len(cell) for cell in (v1.normal, v1.reduce, v2.normal, v2.reduce)] == [8, 8, 8, 8]
    assert v2.normal_concat == v2.reduce_concat == (2, 3, 4, 5)


@pytest.mark.parametrize("published", [DARTS_V1, DARTS_V2])
def test_the_published_text_is_written_as_it_was(published: str) -> None:
    assert to_darts_text(from_darts_text(published)) == published.split(" = ", 1)[1]


def test_a_range_is_read_as_the_release_prints_it() -> None:
    found = from_darts_text(DARTS_V2.replace("normal_concat=[2, 3, 4, 5]", "normal_concat=range(2, 6)"))
    assert found == from_darts_text(DARTS_V2)


@given(genotypes(edges_per_node=2))
def test_cells_come_back_from_their_text(genotype: CnnGenotype) -> None:
    assert from_darts_text(to_darts_text(genotype)) == replace(genotype, macro=CnnMacro(), space="")


@pytest.mark.parametrize(
    "hostile",
    [
        "__import__('os').mkdir('executed')",
        "Genotype(**__import__('os').mkdir('executed'))",
        text(normal="__import__('os').mkdir('executed')"),
        text(normal="[(__import__('os').mkdir('executed'), 0), ('skip_connect', 1)]"),
        text(normal_concat="range(__import__('os').mkdir('executed'), 3)"),
        text(normal="(lambda: __import__('os').mkdir('executed'))()"),
        text(normal="[x for x in __import__('os').mkdir('executed')]"),
        text(normal_concat="range(2, 10**9)"),
        text(normal_concat="range(2, 99999999999999999999)"),
        text(normal_concat="range(3, 2)"),
        text(normal_concat="range(6)"),
        text(normal_concat="range(2, 6, 1)"),
        text(normal_concat="list(range(2, 6))"),
        text(normal_concat="[True]"),
        text(normal_concat="['2']"),
        text(normal_concat="[2.0]"),
        text(normal_concat="[*(2, 3)]"),
        text(normal_concat="[0]"),
        text(normal_concat="[]"),
        text(normal="[]"),
        text(normal="{'skip_connect': 0}"),
        text(normal="[('skip_connect', 0), ('skip_connect',)]"),
        text(normal="[('skip_connect', -1), ('skip_connect', 1)]"),
        text(normal="[('skip_connect', 0), ('skip_connect', 2)]"),
        text(normal="[('skip_connect', 0), ('skip_connekt', 1)]"),
        text(normal="[('skip_connect', 0), (os.sep, 1)]"),
        text(normal="[('skip_connect', 0), (f'{1}', 1)]"),
        text(normal="[('skip_connect', 0), (b'skip_connect', 1)]"),
        text(more=", extra=1"),
        text(more=", normal=[]"),
        text(more=", **{}"),
        text() + "; import os",
        "import os",
        "Genotype.x(normal=1)",
        "os.Genotype(normal=1)",
        "x = y = 1",
        "Genotype",
        "",
        "\x00",
        "(" * 5000,
        "-" * 50_000 + "1",
        "Genotype(normal=" + "[" * 150,
        "9" * 5000,
        "Genotype(" + "a" * 1_000_000,
    ],
)
def test_anything_else_is_refused_in_one_line_and_never_run(
    hostile: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(GenotypeError, match=r"^here: ") as error:
        from_darts_text(hostile, "here")
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 400  # the list of operations is long
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_operation_suggests_the_nearest() -> None:
    with pytest.raises(GenotypeError, match=r"unknown operation 'skip_connekt' \(did you mean 'skip_connect'\?\)"):
        from_darts_text(text(normal="[('skip_connect', 0), ('skip_connekt', 1)]"))
