"""The extra `rl`: tianshou 0.5 and the old gym, as NNI's reinforcement learning wants them; imported on demand only.

NNI imports both wherever they are installed, and gym prints a notice. Other versions of tianshou import and then fail.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import sys
import warnings
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from audionas.errors import SettingsError

TIANSHOU = "0.5."  # 1.0 has another PPO, 2.0 no policy of that name
PACKAGES = ("tianshou", "gym")


def is_installed() -> bool:
    """Whether the packages are there, in versions that work; imports nothing."""
    return not _problem()


def check(algorithm: str) -> None:
    """Refuse an algorithm that needs the extra where it is not installed.

    Raises:
        SettingsError: a package is missing, or tianshou is of another version.
    """
    problem = _problem()
    if problem:
        raise SettingsError(f"algorithm {algorithm!r}: {problem}; install it with: pip install 'audionas[rl]'")


def policy_based_rl() -> Any:
    """NNI's module of `PolicyBasedRL`, with tianshou; `import_nni` had hidden it."""
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        found = importlib.import_module("nni.nas.strategy.rl")
        return found if found.has_tianshou else importlib.reload(found)


@contextlib.contextmanager
def hidden() -> Iterator[None]:
    """Within: an import of the packages fails as if they were not installed, unless they are imported already."""
    names = [name for name in PACKAGES if name not in sys.modules]
    for name in names:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        for name in names:
            del sys.modules[name]


def _problem() -> str:
    """What is missing, in words; empty if nothing is."""
    found = {name: _version(name) for name in PACKAGES}
    missing = [name for name, its_version in found.items() if its_version is None]
    if missing:
        return f"{' and '.join(missing)} not installed"
    if not str(found["tianshou"]).startswith(TIANSHOU):
        return f"tianshou {found['tianshou']} is installed, NNI needs {TIANSHOU}x"
    return ""


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
