"""`--select best_on_test`: what a paper does that saves its best epoch and has no validation set.

The epoch of each fold is then the one that scores best on the very clips that are scored: the score is the highest of
as many as there were epochs, and says little about clips nobody has heard. It is there to repeat such papers, never by
default, and whatever was made so says so: `run.json` and each `result.json` record it, `metrics.json` and every page
and table made of them carry `MARK`, and the run is neither ranked nor fused.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audionas.errors import RunError, SettingsError
from audionas.records import read_json

ON_TEST = "best_on_test"
CHOSEN_ON = "epoch_chosen_on"  # in `result.json`
TEST = "test"
MARK = "OPTIMISTIC, not comparable: the epoch was chosen on the test folds"


def is_chosen_on_test(run: Path, record: Mapping[str, Any]) -> bool:
    """Whether the epochs of a retraining were chosen on its test folds, by its `run.json` or any `result.json`."""
    if record.get("select") == ON_TEST:
        return True
    results = sorted(run.glob("split_*/seed_*/result.json"))
    return any(read_json(path, "result").get(CHOSEN_ON) == TEST for path in results)


def marked(document: Mapping[str, Any], run: Path, record: Mapping[str, Any]) -> dict[str, Any]:
    """`metrics.json` with the mark at its top and before what each of its scores is, where it is due."""
    if not is_chosen_on_test(run, record):
        return dict(document)
    summaries = {
        name: {**document[name], "what": f"{MARK}; {document[name]['what']}"}
        for name in ("headline", "all_splits")
        if document[name] is not None
    }
    return {**document, "optimistic": MARK, **summaries}


def check_test_selection(select: str, *, final: bool, inner_folds: int) -> None:
    """Refuse what would carry an epoch that was chosen on test clips into something that looks clean.

    Raises:
        SettingsError: it is asked for beside --final or --inner-folds.
    """
    if select != ON_TEST:
        return
    if final:
        raise SettingsError(
            f"--select {ON_TEST} and --final: a final model has no test clips; use --select best or last"
        )
    if inner_folds:
        raise SettingsError(
            f"--select {ON_TEST} and --inner-folds: inner folds are for audionas fuse, which refuses such a run"
        )


def refuse_chosen_on_test(run: Path, record: Mapping[str, Any], what: str, else_: str = "") -> None:
    """Refuse a retraining whose epochs were chosen on its test folds.

    Args:
        what: what it cannot be, "fused" say.
        else_: what else can be done, for the end of the line.

    Raises:
        RunError: it is such a run.
    """
    if is_chosen_on_test(run, record):
        raise RunError(
            f"{run}: cannot be {what}: the epoch was chosen on the test folds (--select {ON_TEST}); retrain it with "
            f"--select last or best{else_}"
        )
