"""The re-test on the page: first score and score of the re-test side by side, and by how much scores shrank."""

from __future__ import annotations

from audionas.quantities import seconds_text
from audionas.report.blocks import Table
from audionas.report.quantities import score_text
from audionas.report.run_files import SearchRun
from audionas.report.trials import OBJECTIVES, TrialLine, best_first, is_lower_better, main_name, trial_lines


def retest_table(search: SearchRun) -> Table | None:
    """One row a re-tested trial, best by the re-test first; None where nothing was re-tested."""
    objective = search.objective
    again = best_first(trial_lines(search.retests), objective)
    name = main_name(again) if objective == "ua" else OBJECTIVES.get(objective, objective)
    first = {line.number: line for line in trial_lines(search.trials)}
    pairs = [(first[line.number], line) for line in again if line.number in first]
    if not pairs:
        return None
    by_first = [line.number for line in best_first([one for one, _ in pairs], objective)]
    rows = tuple(
        (
            str(one.shown),
            one.recipe,
            line.status + (f": {line.error}" if line.error else ""),
            str(by_first.index(one.number) + 1),
            score_text(one.value(objective)),
            score_text(line.value(objective)),
            _change(one, line, objective),
            "none" if line.seconds is None else seconds_text(line.seconds),
            one.genotype_hash[:12],
        )
        for one, line in pairs
    )
    head = ("trial", "recipe", "status", "first rank", f"first {name}", f"re-test {name} (decides)", "worse by", "time",
            "genotype")  # fmt: skip
    shown = [place for place, column in enumerate(head) if column != "recipe" or any(row[place] for row in rows)]
    return Table(
        "Re-test of the best trials",
        tuple(head[place] for place in shown),
        tuple(tuple(row[place] for place in shown) for row in rows),
        _note(search, pairs),
    )


def shrinkage(pairs: list[tuple[TrialLine, TrialLine]], objective: str) -> float | None:
    """By how much the re-tests are worse than the first scores, in the mean; None where none has both."""
    changes = [change for one, line in pairs if (change := _worse_by(one, line, objective)) is not None]
    return sum(changes) / len(changes) if changes else None


def winner_text(search: SearchRun) -> str:
    """The trial that won, from 1, and its rank by first scores; nothing where no record says so."""
    winner = search.run.get("winner") or {}
    if "trial" not in winner:
        return ""
    rank = f"by first score number {winner.get('rank_first')}" if winner.get("retest") is not None else "not re-tested"
    return f"{winner['trial'] + 1} ({rank})"


def _note(search: SearchRun, pairs: list[tuple[TrialLine, TrialLine]]) -> str:
    how = (search.run.get("retest_division") or {}).get("how")
    lost = shrinkage(pairs, search.objective)
    text = f"The best trials, trained anew ({how or 'new seeds'}): this alone names the winner. "
    if lost is not None:
        change = f"{abs(lost):.3f} {'worse' if lost >= 0 else 'better'} than the first ones in the mean"
        text += f"Their scores are {change}{': so much was luck of the choice' if lost > 0 else ''}. "
    return text + "All are of validation clips, used to choose; the best re-test is optimistic too, and no result."


def _change(one: TrialLine, line: TrialLine, objective: str) -> str:
    worse = _worse_by(one, line, objective)
    return "none" if worse is None else f"{worse:+.3f}"


def _worse_by(one: TrialLine, line: TrialLine, objective: str) -> float | None:
    first, new = one.value(objective), line.value(objective)
    if first is None or new is None:
        return None
    return new - first if is_lower_better(objective) else first - new


__all__ = ["retest_table", "shrinkage", "winner_text"]
