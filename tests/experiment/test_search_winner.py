"""What is said of a winner: by what it won, and that no score of a trial is a result."""

from __future__ import annotations

import pytest

from audionas.experiment.search_winner import winner_line, winner_record, winner_warnings
from audionas.search.retest import Winner


@pytest.mark.parametrize(
    "winner,words",
    [
        (Winner(7, "ua", 0.61, 0.55, 5, 3), "trial 8 of 20, the best of 5 re-tests; by first scores it was number 3"),
        (Winner(7, "ua", 0.61, None, 0, 1), "trial 8 of 20, by its first score. Scores"),
        (Winner(7, "ua", 0.61, None, 5, 1, (1, 7)), "by its first score, as every re-test failed. Scores"),
    ],
)  # fmt: skip
def test_the_last_line_gives_no_score_and_says_where_results_come_from(winner: Winner, words: str) -> None:
    line = winner_line(winner, 20)
    assert words in line
    assert "0.61" not in line
    assert "0.55" not in line
    assert line.endswith("Scores of trials chose it and are no result: `audionas retrain` gives those")


def test_failed_re_tests_are_warned_of_by_the_numbers_that_people_see() -> None:
    assert winner_warnings(Winner(7, "ua", 0.6, 0.5, 5, 3)) == []
    (some,) = winner_warnings(Winner(7, "ua", 0.6, 0.5, 5, 3, (4, 0)))
    assert some == "the re-test of trial 1, 5 failed (see retests.jsonl): out of the choice"
    (every,) = winner_warnings(Winner(7, "ua", 0.6, None, 2, 1, (0, 7)))
    assert every == "all 2 re-tests failed (see retests.jsonl): the first scores name the winner"


def test_the_record_is_plain_json() -> None:
    assert winner_record(Winner(7, "loss", 0.9, 1.1, 5, 3, (2,))) == {
        "trial": 7, "objective": "loss", "first": 0.9, "retest": 1.1, "n_retested": 5, "rank_first": 3, "failed": [2],
    }  # fmt: skip
