"""`Snapshot`: what a run's files say at one moment, as a record that prints, and that `--json` writes."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

State = Literal["starting", "running", "done", "interrupted", "failed", "died"]
UNFINISHED = {"running": "unfinished", "waiting": "not begun"}


@dataclass(frozen=True)
class Progress:
    """So many pieces done of so many; `total` None: nobody knows. `seconds_left` None: no piece has been timed."""

    what: str
    done: int
    total: int | None = None
    seconds_left: float | None = None


@dataclass(frozen=True)
class Series:
    """Numbers over epochs or trials, for a sparkline; None where one is missing."""

    name: str
    values: tuple[float | None, ...]


@dataclass(frozen=True)
class Part:
    """A run inside the run: a split, a restart, an arm, a step."""

    name: str
    status: str
    text: str = ""


@dataclass(frozen=True)
class Course:
    """How far a run has come; `current` names the part that all but `parts` and the first progress is of.

    `scores` are pairs of a name and a text, the latest; `problems` say what could not be read.
    """

    progress: tuple[Progress, ...] = ()
    scores: tuple[tuple[str, str], ...] = ()
    series: tuple[Series, ...] = ()
    best: str | None = None
    genotype: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    current: str | None = None
    problems: tuple[str, ...] = ()

    def within(self, name: str, progress: Progress, parts: tuple[Part, ...]) -> Course:
        """The course of a longer run, of which this is the part under way."""
        current = name if self.current is None else f"{name}, {self.current}"
        return replace(self, current=current, progress=(progress, *self.progress), parts=(*parts, *self.parts))

    def ended(self) -> Course:
        """The course of a run on which nobody works: no time is left, and what is not done is unfinished."""
        return replace(
            self,
            progress=tuple(replace(each, seconds_left=None) for each in self.progress),
            parts=tuple(replace(each, status=UNFINISHED.get(each.status, each.status)) for each in self.parts),
        )


@dataclass(frozen=True)
class Snapshot:
    """A run at one moment. `seconds` is the time worked on it, as its ledger last noted it."""

    run: str
    kind: str
    state: State
    title: str
    ended: str | None
    created: str
    seconds: float
    course: Course
    warnings: tuple[str, ...] = ()
    inside: tuple[Part, ...] = field(default=())

    @property
    def has_ended(self) -> bool:
        """Whether nobody works on the run any more."""
        return self.state not in ("running", "starting")

    def as_record(self) -> dict[str, Any]:
        """JSON form."""
        record: dict[str, Any] = {"schema_version": 1, **asdict(self)}
        course: dict[str, Any] = record.pop("course")
        return record | course | {"scores": dict(self.course.scores)}
