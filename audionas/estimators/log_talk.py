"""What a step of an experiment says, as log messages: a program decides what becomes of them."""

from __future__ import annotations

import logging

logger = logging.getLogger("audionas.estimators")


class LogTalk:
    """A `Talk` into the logger `audionas.estimators`."""

    def say(self, line: str) -> None:
        """One line, as information."""
        logger.info(line)

    def warn(self, line: str) -> None:
        """One line that must not be overlooked, as a warning."""
        logger.warning(line)

    def progress(self, what: str, done: int, total: int) -> None:
        """Nothing: a log has no bar."""
