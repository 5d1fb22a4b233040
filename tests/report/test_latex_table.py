"""The LaTeX of a results table: escaped, one cell a column, a dash for what is not on record."""

from __future__ import annotations

import csv
from io import StringIO

import pytest

from audionas.report.csv_table import columns, csv_text
from audionas.report.latex_table import escaped, latex_text
from audionas.report.result_rows import BASELINE, SYSTEM, Cost, ResultRow, ResultTable
from audionas.training.measures import MEASURES

FULL = ResultRow(
    "darts_cnn & 100 %", SYSTEM, 0.7334, 0.0171, (0.6512, 0.8049), 0.0021, 0.74, 0.01, 3, 1304, 1_234_567.0,
    Cost("search, retraining", 7200.0, 3600.0, 120_000, 60_000), 10, 339, "runs/a",
)  # fmt: skip
BARE = ResultRow("majority class", BASELINE, 0.25)


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("a_b & 5 % #1 $x", r"a\_b \& 5 \% \#1 \$x"),
        ("{a} \\input ~ ^", r"\{a\} \textbackslash{}input \textasciitilde{} \textasciicircum{}"),
        ("[a]\nb", "{[}a{]} b"),
        ("0.7 +- 0.1", r"0.7 $\pm$ 0.1"),
    ],
)
def test_no_character_of_a_text_commands_latex(text: str, latex: str) -> None:
    assert escaped(text) == latex


def test_a_row_has_every_number_and_a_dash_where_there_is_none() -> None:
    lines = latex_text(ResultTable((FULL, BARE), "of 5 % <x>")).splitlines()
    assert (
        r"darts\_cnn \& 100 \% & $73.3 \pm 1.7$ & 65.1 to 80.5 & 0.0021 & $74.0 \pm 1.0$ & 1\,304 & 1.23M & "
        r"120k / 60k & 1 & 10 & 339 \\"
    ) in lines
    assert r"\emph{majority class} & $25.0$ & -- & -- & -- & -- & -- & -- & -- & -- & -- \\" in lines
    assert r"\caption{of 5 \% \textless{}x\textgreater{}}" in lines
    rows = [line for line in lines if line.endswith(r"\\")]
    assert {line.replace(r"\&", "").count("&") for line in rows} == {10}
    assert r"\begin{tabular}{lrrrrrrrrrr}" in lines


def test_an_unranked_table_has_a_column_of_differences() -> None:
    row = ResultRow("a", SYSTEM, 0.5, rules="epochs 5")
    text = latex_text(ResultTable((row,), "", is_ranked=False))
    assert "& Clips & Differs in \\\\" in text
    assert "& epochs 5 \\\\" in text
    assert (
        next(csv.DictReader(StringIO(csv_text(ResultTable((row,), "", is_ranked=False)))))["differs_in"] == "epochs 5"
    )


def test_the_csv_holds_plain_numbers_with_units_in_the_names() -> None:
    found = list(csv.DictReader(StringIO(csv_text(ResultTable((FULL, BARE), "")))))
    assert tuple(found[0]) == columns(ResultTable((), ""))
    assert found[0]["system"] == "darts_cnn & 100 %"
    wanted = {"ua_percent": "73.34", "ua_sd_percent": "1.71", "ua_high_percent": "80.49", "p_chance": "0.0021",
              "n_parameters": "1304", "macs_per_second_of_audio": "1234567", "clip_passes_backward": "60000",
              "device_hours": "1.00000", "wall_hours": "2.00000", "n_groups": "10"}  # fmt: skip
    assert {name: found[0][name] for name in wanted} == wanted
    assert {name for name, cell in found[1].items() if cell} == {"system", "kind", "ua_percent"}


@pytest.mark.parametrize(
    ("task", "names", "cells", "in_latex"),
    [
        ("multilabel", ("map_percent", "map_low_percent", "auc_percent"), ("73.34", "65.12", "74.00"), "& mAP, \\% &"),
        ("regression", ("ccc", "ccc_low", "rmse"), ("0.7334", "0.6512", "0.7400"), "& CCC &"),
    ],
)
def test_the_scores_are_named_after_the_task_and_only_shares_are_percentages(
    task: str, names: tuple[str, ...], cells: tuple[str, ...], in_latex: str
) -> None:
    table = ResultTable((FULL,), "", measures=MEASURES[task])
    (found,) = csv.DictReader(StringIO(csv_text(table)))
    assert tuple(found[name] for name in names) == cells
    assert not [name for name in found if name.startswith(("ua_", "wa_"))]
    assert in_latex in latex_text(table)
    row = r"$73.3 \pm 1.7$ & 65.1 to 80.5" if task == "multilabel" else r"$0.733 \pm 0.017$ & 0.651 to 0.805"
    assert row in latex_text(table)
