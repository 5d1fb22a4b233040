"""Several runs on one page: what each found and scores, tests between those of the same rules, cells, curves."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from audionas.quantities import count_text, p_text
from audionas.report.blocks import Block, Commands, Notes, Pictures, Section, Table
from audionas.report.guarded import guarded, guarded_section
from audionas.report.page import fill, title_and_verdict
from audionas.report.quantities import interval_text
from audionas.report.run_files import RunFiles
from audionas.report.side_cells import side_cells
from audionas.report.side_curves import side_curves
from audionas.report.side_summary import HEAD, SCORE_HEAD, score_row, summary_row
from audionas.statistics.chance import ALPHA

NOTE = "Scores: mean ± sd over retraining seeds, with their 95 % interval over groups."
NOT_TESTED = "none: fewer than two of these runs are finished, clean and of the same rules"


@dataclass(frozen=True)
class SideRun:
    """One of the runs: the name that tells it from the others, and its files, or why they cannot be read."""

    name: str
    folder: Path
    files: RunFiles | None
    fault: str = ""


@dataclass(frozen=True)
class PairTest:
    """The difference of two runs, the first minus the second, with its test."""

    first: str
    second: str
    difference: float
    interval: tuple[float, float] | None
    p: float
    p_holm: float
    claim: str | None

    @property
    def is_shown(self) -> bool:
        """Whether the difference is shown."""
        return self.claim is None and self.p_holm <= ALPHA


@dataclass(frozen=True)
class SameRules:
    """Runs of the same rules with the tests between them; `how` is the test in words, `score` what is compared."""

    names: tuple[str, ...]
    score: str
    tests: tuple[PairTest, ...]
    how: str


def side_page(runs: Sequence[SideRun], tested: Sequence[SameRules], notes: Sequence[str], unlike: Sequence[str]) -> str:
    """The HTML text of a page of several runs."""
    words = " ".join(shlex.quote(str(run.folder)) for run in runs)
    repeat = Section("repeat", "Commands to repeat this", (Commands((("this page", f"audionas report {words}"),)),))
    heading = f"{count_text(len(runs), 'run')} side by side"
    return fill(heading, side_verdict(runs, tested, unlike), [], [*side_sections(runs, tested, notes), repeat])


def side_verdict(runs: Sequence[SideRun], tested: Sequence[SameRules], unlike: Sequence[str]) -> list[str]:
    """What is shown of differences first; then why not more is."""
    pairs = [test for group in tested for test in group.tests]
    shown = [_in_words(test, group.score) for group in tested for test in group.tests if test.is_shown]
    if shown:
        sentences = [f"{'; '.join(shown)}."]
    elif pairs:
        sentences = [f"No difference between these runs is shown ({count_text(len(pairs), 'comparison')})."]
    else:
        sentences = ["These runs stand side by side; no difference between them is tested."]
    if unlike:
        sentences.append(
            f"Not all have the same rules, so their scores are no ranking. They differ in {'; '.join(unlike)}."
        )
    n_lost = sum(run.files is None for run in runs)
    return [*sentences, *([f"{count_text(n_lost, 'run')} could not be read."] if n_lost else [])]


def side_sections(runs: Sequence[SideRun], tested: Sequence[SameRules], notes: Sequence[str]) -> list[Section | None]:
    """The parts of the page, also below the page of one run."""
    pictures = Pictures("side")
    found = [(run.name, run.files) for run in runs if run.files]
    return [
        Section("side", "Side by side", tuple(_overview(runs))),
        Section("tests", "Tests between runs of the same rules", tuple(_tests(tested, notes))),
        guarded_section("side-cells", "Cells side by side", lambda: side_cells(found, pictures)),
        guarded_section("side-curves", "Curves of all runs", lambda: side_curves(found, pictures)),
        _faults(runs),
    ]


def _overview(runs: Sequence[SideRun]) -> list[Block]:
    """What each run is, what it scores, and the first sentence of its own page."""
    what = tuple(_row(run, summary_row, HEAD) for run in runs)
    scores = tuple(_row(run, score_row, SCORE_HEAD) for run in runs if run.files)
    firsts = tuple(f"{run.name}: {title_and_verdict(run.files)[1][0]}" for run in runs if run.files)
    return [
        Table("What each run is", HEAD, what),
        Table("What each run scores", SCORE_HEAD, scores, NOTE),
        Notes(firsts),
    ]


def _row(run: SideRun, make: Callable[[str, RunFiles], tuple[str, ...]], head: tuple[str, ...]) -> tuple[str, ...]:
    files, rest = run.files, [""] * (len(head) - 3)
    if files is None:
        return (run.name, "cannot be read", run.fault, *rest)
    return guarded(lambda: make(run.name, files), lambda why: (run.name, "damaged", why, *rest))


def _tests(tested: Sequence[SameRules], notes: Sequence[str]) -> list[Block]:
    blocks: list[Block] = []
    for group in tested:
        rows = tuple(
            (
                f"{test.first} minus {test.second}",
                f"{test.difference:+.3f}",
                interval_text(list(test.interval) if test.interval else None, signed=True),
                p_text(test.p),
                p_text(test.p_holm),
                "yes" if test.is_shown else "no",
            )
            for test in group.tests
        )
        head = ("runs", f"difference of {group.score}", "95 % of it", "p", "p after Holm", "shown")
        claims = {test.claim for test in group.tests if test.claim}
        note = " ".join(
            [
                f"{group.how}; Holm's correction over these comparisons.",
                *(f"{claim[:1].upper()}{claim[1:]}." for claim in sorted(claims)),
            ]
        )
        blocks.append(Table(f"Same rules: {', '.join(group.names)}", head, rows, note))
    return [*blocks, *([Notes(tuple(notes))] if notes else [])] or [Notes((NOT_TESTED,))]


def _in_words(test: PairTest, score: str) -> str:
    better, worse = (test.first, test.second) if test.difference > 0 else (test.second, test.first)
    return f"{better} is better than {worse} by {score} {abs(test.difference):.3f} (p {p_text(test.p_holm)} after Holm)"


def _faults(runs: Sequence[SideRun]) -> Section | None:
    texts = [f"{run.name}: {fault}" for run in runs for fault in (run.files.faults if run.files else (run.fault,))]
    return Section("side-faults", "What could not be read", (Notes(tuple(texts), is_alarm=True),)) if texts else None
