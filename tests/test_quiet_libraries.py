"""Other people's packages are silent for a while, and no longer."""

from __future__ import annotations

import logging
import warnings

import pytest

from audionas.quiet_libraries import quietly


def test_warnings_and_talk_below_an_error_are_silent_within_and_come_back_after(
    caplog: pytest.LogCaptureFixture,
) -> None:
    logger = logging.getLogger("somebody")
    logger.setLevel(logging.INFO)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        with pytest.raises(ValueError, match="within"), quietly("somebody"):  # noqa: PT012
            warnings.warn("within", stacklevel=1)
            logger.warning("within")
            logger.error("a failure")
            raise ValueError("within")
        warnings.warn("after", stacklevel=1)
        logger.info("after")
    assert [str(each.message) for each in heard] == ["after"]
    assert [record.message for record in caplog.records] == ["a failure", "after"]
