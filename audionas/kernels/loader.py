"""The compiled kernels of this machine: built when first asked for, kept per torch version, processor and source.

The sources have a C interface and include nothing of torch, so they compile in seconds and are called with pointers.
"""

from __future__ import annotations

import ctypes
import hashlib
import logging
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from audionas.errors import SettingsError
from audionas.run_places import cache_root

if TYPE_CHECKING:
    from torch import Tensor

VARIABLE = "AUDIONAS_KERNELS"
FOLDER = "AUDIONAS_KERNELS_FOLDER"
PATHS = ("compiled", "torch")
NAME = "audionas_kernels"
SOURCES = Path(__file__).parent / "csrc"
CFLAGS = ("-O3", "-march=native", "-ffast-math", "-fno-finite-math-only", "-fopenmp", "-fvisibility=hidden")

Say = Callable[[str], None]
_say: Say = logging.getLogger(__name__).warning
_decided: str | None = None
_is_torch_only = False
_is_as_on_card = False
_asked: str | None = None  # what $AUDIONAS_KERNELS was before a decision was put there for children


def tell_of_kernels(say: Say) -> None:
    """From now on `say` hears, in one line each, what is told where nobody else is named to hear it."""
    global _say
    _say = say


def tell(line: str) -> None:
    """Say a line to whoever hears of kernels."""
    _say(line)


def use_kernels(path: str | None, say: Say) -> str:
    """Decide for this process and its children, until the next run does; compiles now if need be.

    `say` hears of it, in one line.

    Args:
        path: `compiled` or `torch`, as a run folder tells; None: what $AUDIONAS_KERNELS says, else whichever there is.

    Raises:
        SettingsError: no such path, or compiled kernels are asked for and cannot be had.
    """
    global _decided, _asked
    if os.environ.get(VARIABLE) != _decided or _decided is None:
        _asked = os.environ.get(VARIABLE)
    _decided = _decide(path or _asked or "auto", say)
    os.environ[VARIABLE] = _decided  # children decide the same, or say that they cannot
    return _decided


def asked_path() -> str:
    """`auto`, `compiled`, `triton` or `torch`: what the user asked for by $AUDIONAS_KERNELS."""
    is_ours = _decided is not None and os.environ.get(VARIABLE) == _decided
    return (_asked if is_ours else os.environ.get(VARIABLE)) or "auto"


def kernel_path() -> str:
    """`compiled` or `torch`: what this process computes with on a CPU.

    Raises:
        SettingsError: $AUDIONAS_KERNELS is something else, or compiled kernels are asked for and cannot be had.
    """
    return _decided or use_kernels(None, _say)


def library() -> ctypes.CDLL | None:
    """The kernels, compiled if this machine has not got them yet; None where torch is to be taken.

    Raises:
        SettingsError: $AUDIONAS_KERNELS is something else, or compiled kernels are asked for and cannot be had.
    """
    return None if _is_torch_only or _is_as_on_card or kernel_path() == "torch" else _load(_say)


@contextmanager
def torch_only() -> Iterator[None]:
    """Within: operations of torch alone, so that gradients can be differentiated again."""
    global _is_torch_only
    before, _is_torch_only = _is_torch_only, True
    try:
        yield
    finally:
        _is_torch_only = before


@contextmanager
def as_on_card() -> Iterator[None]:
    """Within: tensors without values (meta) go the way of those on a GPU, so that what is kept there can be counted."""
    global _is_as_on_card
    before, _is_as_on_card = _is_as_on_card, True
    try:
        yield
    finally:
        _is_as_on_card = before


def goes_as_on_card(x: Tensor) -> bool:
    """Whether a tensor is on a GPU, or stands for one that is."""
    return x.is_cuda or (_is_as_on_card and x.is_meta)


def is_torch_only() -> bool:
    """Whether gradients may be differentiated again."""
    return _is_torch_only


def _decide(wanted: str, say: Say) -> str:
    if wanted not in (*PATHS, "auto", "triton"):
        raise SettingsError(f"{VARIABLE}: got {wanted!r}; accepted: auto, {', '.join(PATHS)}, triton (on a card)")
    if wanted == "torch":
        return wanted
    try:
        _load(say)
    except (OSError, RuntimeError, subprocess.SubprocessError) as why:
        reason = str(why).strip().splitlines()[0] if str(why).strip() else type(why).__name__
        if isinstance(why, FileNotFoundError) and why.filename == _compiler():
            reason = f"there is no compiler {_compiler()!r}"
        if wanted == "compiled":
            raise SettingsError(
                f"{VARIABLE}=compiled: the kernels cannot be compiled here ({reason}); install a C++ compiler (g++), "
                "or take torch",
                [reason],
            ) from why
        say(f"kernels: not compiled ({reason}); plain torch is taken, which is slower; install g++ to change that")
        return "torch"
    return "compiled"


_loaded: dict[Path, ctypes.CDLL] = {}


def _load(say: Say) -> ctypes.CDLL:
    if not _loaded:
        path = _built(say)
        _loaded[path] = ctypes.CDLL(str(path))
    return next(iter(_loaded.values()))


def _built(say: Say) -> Path:
    """The shared library in $AUDIONAS_KERNELS_FOLDER, else beside other caches; made anew for other sources."""
    compiler = _compiler()
    folder = Path(os.environ.get(FOLDER) or cache_root() / "kernels")
    target = folder / f"{NAME}-{_key(compiler)}.so"
    if _is_whole(target):
        return target
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / f"{target.stem}.lock"):
        if not _is_whole(target):
            say("kernels: compiling them for this machine (once, about half a minute)")
            _compile(target)
    return target


def _is_whole(target: Path) -> bool:
    """Whether the library is there and is what was built: a cut one would end the process when it is loaded."""
    return target.is_file() and _sum_file(target).is_file() and _sum_file(target).read_text("utf-8") == _sum(target)


def _sum_file(target: Path) -> Path:
    return target.with_suffix(".sha256")


def _sum(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _compile(target: Path) -> None:
    """Build in a folder of its own and move the result into place, so that a killed build leaves nothing behind."""
    from torch.utils import cpp_extension

    with tempfile.TemporaryDirectory(dir=target.parent, prefix="build-") as folder:
        before = os.environ["PATH"]
        os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{before}"  # where pip puts ninja
        try:
            cpp_extension.load(
                NAME,
                [str(path) for path in sorted(SOURCES.glob("*.cpp"))],
                extra_cflags=list(CFLAGS),
                extra_ldflags=["-fopenmp"],
                build_directory=folder,
                is_python_module=False,
            )
        finally:
            os.environ["PATH"] = before
        made = next(Path(folder).glob("*.so"))
        _sum_file(target).write_text(_sum(made), encoding="utf-8")
        made.replace(target)  # torch numbers them within a process


def _compiler() -> str:
    return os.environ.get("CXX", "c++")


def _key(compiler: str) -> str:
    """Sources, flags, torch, compiler and processor, as a short hash."""
    import torch

    told = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True).stdout
    parts = [torch.__version__, told.splitlines()[0], platform.machine(), _instructions(), *CFLAGS]
    parts += [path.read_text(encoding="utf-8") for path in sorted(SOURCES.iterdir())]
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]


def _instructions() -> str:
    """What the processor can do: a cache may be shared by machines that differ."""
    info = Path("/proc/cpuinfo")
    if not info.is_file():
        return platform.processor()
    found = re.search(r"^(?:flags|Features)\s*:(.*)$", info.read_text(), re.MULTILINE)
    return " ".join(sorted(found.group(1).split())) if found else platform.processor()
