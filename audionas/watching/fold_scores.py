"""The main score of the test clips of one finished training, computed once a table and kept."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path


def score_of_table(path: Path, key: str) -> float | None:
    """The score of a predictions table; None where there is no table, or where the task's score is another one.

    Raises:
        AudionasError: the table is damaged.
    """
    try:
        stamp = path.stat()
    except OSError:
        return None
    return _score(path, key, (stamp.st_mtime_ns, stamp.st_size))


@lru_cache(maxsize=4096)
def _score(path: Path, key: str, _stamp: tuple[int, int]) -> float | None:
    from audionas.statistics.scores import score_of
    from audionas.training.predictions import Predictions

    found = Predictions.read(path)
    score = score_of(found.task)
    return float(score.of_rows(found.truth, found.scores, found.labels)) if score.name == key else None
