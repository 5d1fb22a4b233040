"""What a caller of a search wants to hear, and which epoch it picks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Pick = Literal["last", "best"]


def _ignore(*_: Any) -> None:
    pass


@dataclass(frozen=True)
class SearchListener:
    """What a caller wants to hear: steps (epoch, step, steps), epoch records, finished trials and re-tests.

    A re-test is told with its trial, its place and how many there are; a generation of an evolution with its best.
    """

    on_step: Callable[[int, int, int], None] = _ignore
    on_epoch: Callable[[dict[str, Any]], None] = _ignore
    on_trial: Callable[[Any], None] = _ignore
    on_retest: Callable[[Any, Any, int, int], None] = _ignore
    on_generation: Callable[[dict[str, Any]], None] = _ignore
