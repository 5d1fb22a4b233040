"""For tests of compiled code: skip where there is no compiler."""

from __future__ import annotations

import pytest

from audionas.kernels import library


@pytest.fixture
def compiled() -> None:
    """The compiled kernels are there."""
    if library() is None:
        pytest.skip("no compiled kernels here")
