"""First score and score of the re-test stand side by side on the page, and neither stands at its top."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audionas.report.retest_sections import shrinkage
from audionas.report.trials import TrialLine
from tests.report.test_recurrent_page import write_catalogue_run

PageOf = Callable[[Path], str]


def with_retests(run: Path, losses: tuple[float | None, float | None], winner: int) -> Path:
    """Trials 0 (first loss 1.5) and 1 (first loss 1.125) of the catalogue run, trained anew."""
    lines: list[dict[str, Any]] = []
    for number, loss in ((1, losses[1]), (0, losses[0])):
        score = {"ua": 0.3, "wa": 0.3, "loss": loss, "balanced_loss": loss, "parameters": 9000, "epoch": 0}
        end: dict[str, Any] = {"status": "done", "score": score, "error": None}
        if loss is None:
            end = {"status": "failed", "score": None, "error": "NonFiniteLossError: epoch 0: the training loss is nan"}
        lines.append({"event": "proposed", "number": number, "hash": f"{number}" * 12, "sample": {}, "epochs": 3})
        lines.append({"event": "finished", "number": number, "seconds": 2.0, **end})
    (run / "retests.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    record = json.loads((run / "run.json").read_text())
    record |= {
        "retests": 2,
        "retest_division": {"how": "new seeds, train and validation part redrawn", "parts": {}},
        "winner": {
            "trial": winner,
            "objective": "loss",
            "first": 1.5,
            "retest": 1.25,
            "n_retested": 2,
            "rank_first": 2,
        },
    }
    (run / "run.json").write_text(json.dumps(record), encoding="utf-8")
    return run


def table_of(html: str) -> list[list[str]]:
    table = html.split("<h3>Re-test of the best trials</h3>")[1].split("</table>")[0]
    rows = [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL) for row in table.split("<tr>")[1:]]
    return [[re.sub(r"<[^>]*>", "", cell).strip() for cell in row] for row in rows]


def test_both_scores_and_both_ranks_stand_in_a_row_and_the_re_test_ranks(tmp_path: Path, words_of: PageOf) -> None:
    html = words_of(with_retests(write_catalogue_run(tmp_path / "run"), (1.25, 1.625), winner=0))
    head, best, other = table_of(html)
    assert head[:7] == ["trial", "recipe", "status", "first rank", "first validation loss",
                        "re-test validation loss (decides)", "worse by"]  # fmt: skip
    assert best[:7] == ["1", "r17", "done", "2", "1.500", "1.250", "-0.250"]
    assert other[:7] == ["2", "r4", "done", "1", "1.125", "1.625", "+0.500"]
    assert "Their scores are 0.125 worse than the first ones in the mean" in html  # (0.500 - 0.250) / 2
    assert "validation loss (names those re-tested)" in html
    assert "used to choose; the best re-test is optimistic too, and no result" in html
    assert "new seeds, train and validation part redrawn" in html


def test_no_score_of_a_trial_or_re_test_stands_in_a_tile(tmp_path: Path, words_of: PageOf) -> None:
    html = words_of(with_retests(write_catalogue_run(tmp_path / "run"), (1.25, 1.625), winner=0))
    top = html.split("Re-test of the best trials")[0]
    for score in ("1.125", "1.500", "1.250", "1.625"):
        assert score not in re.sub(r"<(svg|script).*?</\1>", "", top, flags=re.DOTALL)
    assert "trials (2 done, 1 failed)" in top
    assert "re-tests (2 done)" in top


def test_a_failed_re_test_is_last_and_out_of_the_mean(tmp_path: Path, words_of: PageOf) -> None:
    html = words_of(with_retests(write_catalogue_run(tmp_path / "run"), (1.25, None), winner=0))
    _, best, failed = table_of(html)
    assert best[0] == "1"
    assert failed[:7] == ["2", "r4", failed[2], "1", "1.125", "none", "none"]
    assert "the training loss is nan" in failed[2]
    assert "0.250 better than the first ones in the mean. All are" in html


def test_a_search_without_re_tests_has_no_such_table(tmp_path: Path, words_of: PageOf) -> None:
    assert "Re-test of the best trials" not in words_of(write_catalogue_run(tmp_path / "run"))


@pytest.mark.parametrize("objective,lost", [("ua", 0.1), ("loss", 0.3)])
def test_shrinkage_is_the_mean_loss_of_score_whichever_way_is_better(objective: str, lost: float) -> None:
    first = [TrialLine(0, "a", "done", ua=0.7, loss=1.0), TrialLine(1, "b", "done", ua=0.6, loss=1.1)]
    again = [TrialLine(0, "a", "done", ua=0.5, loss=1.5), TrialLine(1, "b", "done", ua=0.6, loss=1.2)]
    assert shrinkage(list(zip(first, again, strict=True)), objective) == pytest.approx(lost)
    assert shrinkage([(first[0], TrialLine(0, "a", "failed"))], objective) is None
