"""How the winner of a multi-trial search won: the line for a person, the record, the warnings."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from audionas.quantities import count_text
from audionas.search.retest import Winner


def winner_record(winner: Winner) -> dict[str, Any]:
    """What `run.json` keeps as `winner`; trials count from 0, as in the logs."""
    return {**asdict(winner), "failed": list(winner.failed)}


def winner_line(winner: Winner, n_trials: int) -> str:
    """The last line of a search: who won by what, and that no score of a trial is a result."""
    head = f"winner: trial {winner.trial + 1} of {n_trials}"
    if winner.retest is None:
        by = "by its first score" if not winner.n_retested else "by its first score, as every re-test failed"
    else:
        by = (
            f"the best of {count_text(winner.n_retested, 're-test')}; by first scores it was number {winner.rank_first}"
        )
    return f"{head}, {by}. Scores of trials chose it and are no result: `audionas retrain` gives those"


def winner_warnings(winner: Winner) -> list[str]:
    """What is to be kept in mind of the re-tests."""
    if not winner.failed:
        return []
    if winner.retest is None:
        return [f"all {winner.n_retested} re-tests failed (see retests.jsonl): the first scores name the winner"]
    numbers = ", ".join(str(number + 1) for number in sorted(winner.failed))
    return [f"the re-test of trial {numbers} failed (see retests.jsonl): out of the choice"]
