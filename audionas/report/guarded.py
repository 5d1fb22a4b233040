"""Parts of the page whose data may be damaged: what fails is told in its place, and the others stand."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from audionas.errors import AudionasError
from audionas.report.blocks import Block, Notes, Section
from audionas.report.run_reading import DATA_ERRORS

logger = logging.getLogger(__name__)
Made = TypeVar("Made")
CANNOT = "cannot be shown: a value in the run's files is missing or of another form than expected"


def guarded_section(anchor: str, title: str, make: Callable[[], Section | None]) -> Section | None:
    """The section that `make` gives, or one that says why it cannot be shown."""
    try:
        return make()
    except DATA_ERRORS as why:
        logger.debug("section %s", anchor, exc_info=True)
        return Section(anchor, title, (Notes((f"This part {CANNOT} ({_reason(why)}).",), is_alarm=True),))


def guarded_blocks(make: Callable[[], list[Block]], still: list[Block]) -> list[Block]:
    """The blocks that `make` gives, or those that stand without it and why."""
    return guarded(make, lambda why: [*still, Notes((f"What moves here {CANNOT} ({why}).",), is_alarm=True)])


def guarded(make: Callable[[], Made], instead: Callable[[str], Made]) -> Made:
    """What `make` gives, or what `instead` makes of the reason why it cannot."""
    try:
        return make()
    except DATA_ERRORS as why:
        logger.debug("part of the page", exc_info=True)
        return instead(_reason(why))


def _reason(why: Exception) -> str:
    text = str(why) if isinstance(why, AudionasError) else f"{type(why).__name__}: {why}"
    return text[:400]
