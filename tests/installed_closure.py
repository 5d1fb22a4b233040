"""An environment that holds the run-time requirements of a wheel and nothing else, without installing them again.

Copying two gigabytes of torch takes minutes. The packages that are installed here already are linked instead: those
that the wheel's metadata asks for, what they ask for in turn, and no other.
"""

from __future__ import annotations

import sys
import sysconfig
import venv
from collections.abc import Iterable
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def make_environment(folder: Path, requirements: Iterable[str]) -> Path:
    """A virtual environment without pip; gives back its folder of executables.

    Raises:
        PackageNotFoundError: something that is asked for is not installed here.
        AssertionError: another version of it is installed than is asked for.
    """
    venv.create(folder, with_pip=False)
    site = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder), "platbase": str(folder)}))
    for found in closure(requirements):
        for name in _names_at_the_top(found):
            target = site / name
            if not target.exists():
                target.symlink_to(Path(str(found.locate_file(name))).resolve())
    return folder / ("Scripts" if sys.platform == "win32" else "bin")


def closure(requirements: Iterable[str]) -> list[Distribution]:
    """The distributions that these requirements lead to, each once."""
    waiting = [line for line in map(Requirement, requirements) if _is_wanted(line, ())]
    found: dict[str, Distribution] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        wanted = waiting.pop()
        name, extras = canonicalize_name(wanted.name), frozenset(wanted.extras)
        found[name] = distribution(name)
        version = found[name].version
        assert wanted.specifier.contains(version, prereleases=True), f"{wanted} is asked for, {version} is installed"
        if (name, extras) not in seen:
            seen.add((name, extras))
            lines = map(Requirement, found[name].requires or ())
            waiting += [line for line in lines if _is_wanted(line, extras)]
    return list(found.values())


def _is_wanted(wanted: Requirement, extras: Iterable[str]) -> bool:
    return wanted.marker is None or any(wanted.marker.evaluate({"extra": extra}) for extra in ("", *extras))


def _names_at_the_top(found: Distribution) -> set[str]:
    """Folders and files that it puts into site-packages; scripts and caches are left out."""
    tops = {path.parts[0] for path in found.files or ()}
    return tops - {"..", "__pycache__"}
