"""The lines of a search's logs as a stranger's file may hold them: read, checked line by line, given back as they are.

The forms ask for what every reader needs; a line may hold more. Epochs count from 0 without a gap; a trial is proposed
before it ends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from audionas.errors import LogError
from audionas.records import problems, read_jsonl

EPOCHS_FILE = "epochs.jsonl"
JsonObject = dict[str, Any]
Number = Annotated[int, Field(ge=0)]
Edge = Annotated[list[Number], Field(min_length=2, max_length=2)]  # node, the input that it reads


def _rows_of_numbers(value: Any) -> Any:
    """Rows of one length, of the edges of a cell; or of the decisions of a kind, by label."""
    rows = list(value.values()) if isinstance(value, dict) else value
    is_table = isinstance(rows, list) and all(isinstance(row, list) and row for row in rows)
    if not is_table or not all(type(number) in (int, float) for row in rows for number in row):
        raise ValueError("must be rows of numbers")
    if isinstance(value, list) and len({len(row) for row in rows}) > 1:
        raise ValueError("must be rows of one length")
    return value


Weights = dict[str, Annotated[Any, AfterValidator(_rows_of_numbers)]]


class _Line(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True, allow_inf_nan=False)


class _Alarm(_Line):
    why: str
    take: Number


class EpochLine(_Line):
    """One epoch of a supernet; `supernet_<score>` and `network_<score>` are numbers or null."""

    epoch: Number
    weights_loss: float
    alphas_loss: float | None = None
    ops: list[str] = []
    edges: list[Edge] = []
    alphas: Weights = {}
    weights: Weights = {}
    edge_weights: dict[str, list[float]] = {}
    entropy: dict[str, float] = {}
    margins: dict[str, list[float]] = {}
    genotype: JsonObject | None = None
    eigenvalue: float | None = None
    alarm: _Alarm | None = None

    @model_validator(mode="after")
    def _scores_are_numbers(self) -> EpochLine:
        _refuse_other_than_numbers(self.model_extra, ("supernet_", "network_"))
        return self


class Proposed(_Line):
    """A trial begins."""

    event: Literal["proposed"]
    number: Number
    hash: str
    sample: dict[str, str] = {}
    epochs: int = Field(default=1, ge=1)
    fraction: float = Field(default=1.0, gt=0, le=1)


class _Score(_Line):
    epoch: Number | None = None
    parameters: Number | None = None
    costs: dict[str, float] = {}

    @model_validator(mode="after")
    def _all_are_numbers(self) -> _Score:
        _refuse_other_than_numbers(self.model_extra, ("",))
        return self


class Finished(_Line):
    """A trial has ended."""

    event: Literal["finished"]
    number: Number
    status: Literal["done", "failed"]
    score: _Score | None
    seconds: float | None = None
    error: str | None = None


class Refused(_Line):
    """A candidate was over a limit."""

    event: Literal["refused"]
    hash: str
    reason: str
    sample: dict[str, str] = {}


class ScoredPath(_Line):
    """A path of the evolution over a trained supernet; its main score is a number too."""

    number: Number
    generation: Number
    hash: str
    genotype: JsonObject
    loss: float


class ChosenPath(_Line):
    """The path that won."""

    chosen: JsonObject


_EVENTS: dict[str, type[_Line]] = {"proposed": Proposed, "finished": Finished, "refused": Refused}


def read_epochs(path: Path, *, is_done: bool = False, n_lines: int | None = None) -> list[JsonObject]:
    """The lines of `epochs.jsonl`; none where there is no file.

    Args:
        is_done: the search has ended, so that no line may be torn.
        n_lines: read so many lines, as if no more were there.

    Raises:
        LogError: a line is torn, of another form, or out of place; with its number.
    """
    lines = _checked(path, is_done, lambda _: EpochLine, n_lines)
    for number, line in enumerate(lines):
        if line["epoch"] != number:
            raise _foreign(path, number, f"epoch {line['epoch']} where epoch {number} is due")
    return lines


def read_trials(path: Path, *, is_done: bool = False, n_lines: int | None = None) -> list[JsonObject]:
    """The lines of `trials.jsonl` or `retests.jsonl`, as `read_epochs` reads those of `epochs.jsonl`."""
    lines = _checked(path, is_done, _trial_form, n_lines)
    proposed = set()
    for number, line in enumerate(lines):
        if line["event"] == "proposed":
            proposed.add(line["number"])
        elif line["event"] == "finished" and line["number"] not in proposed:
            raise _foreign(path, number, f"trial {line['number']} ends before it is proposed")
    return lines


def read_evolution(
    path: Path, main: str = "", *, is_done: bool = False, n_lines: int | None = None
) -> list[JsonObject]:
    """The lines of `evolution.jsonl`, as `read_epochs` reads those of `epochs.jsonl`.

    Args:
        main: the key of the main score, which each path then needs.
    """
    lines = _checked(path, is_done, lambda line: ChosenPath if "chosen" in line else ScoredPath, n_lines)
    for number, line in enumerate(lines):
        if main and "chosen" not in line and not isinstance(line.get(main), int | float):
            raise _foreign(path, number, f"{main}: got {line.get(main)!r}, must be a number")
    return lines


def _trial_form(line: JsonObject) -> type[_Line]:
    event = line.get("event")
    return _EVENTS.get(event, Proposed) if isinstance(event, str) else Proposed


def _checked(
    path: Path, is_done: bool, form: Callable[[JsonObject], type[_Line]], n_lines: int | None
) -> list[JsonObject]:
    lines = read_jsonl(path, is_whole=is_done, n_lines=n_lines)
    for number, line in enumerate(lines):
        kind = form(line)
        try:
            kind.model_validate(line)
        except ValidationError as why:
            raise _foreign(path, number, problems(why, kind)[0]) from why
    return lines


def _foreign(path: Path, number: int, why: str) -> LogError:
    return foreign_line(path, number + 1, why)


def foreign_line(path: Path, number: int, why: str) -> LogError:
    """The error of a line, counted from 1, that is none of its log."""
    return LogError(f"{path}: line {number} is none of this log: {why}; restore the file, or search anew", number - 1)


def _refuse_other_than_numbers(values: Mapping[str, Any] | None, starts: tuple[str, ...]) -> None:
    for key, value in (values or {}).items():
        is_number = isinstance(value, int | float | None) and not isinstance(value, bool)
        if key.startswith(starts) and not is_number:
            raise ValueError(f"{key}: got {str(value)[:80]!r}, must be a number")
