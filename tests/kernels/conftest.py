"""For tests of compiled code: skip where there is no compiler, or take both paths."""

from __future__ import annotations

import pytest

from audionas.kernels import library, native


@pytest.fixture
def compiled() -> None:
    """The compiled kernels are there."""
    if library() is None:
        pytest.skip("no compiled kernels here")


@pytest.fixture(params=["compiled", "torch"])
def path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The path that the kernels of a supernet take within the test."""
    if request.param == "torch":
        monkeypatch.setattr(native, "library", lambda: None)
    elif library() is None:
        pytest.skip("no compiler")
    return str(request.param)
