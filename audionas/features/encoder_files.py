"""The files of a trained encoder: their fingerprint, and weights read without running anything in them."""

from __future__ import annotations

import argparse
import hashlib
import pickle
import pickletools
import re
import struct
import warnings
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from audionas.errors import SettingsError

# What torch, safetensors and transformers raise when they read damaged files.
LOAD_ERRORS = (
    OSError, EOFError, ValueError, TypeError, RuntimeError, LookupError, AttributeError, AssertionError,
    ArithmeticError, struct.error, SafetensorError, pickle.UnpicklingError,
)  # fmt: skip

Stamp = tuple[tuple[str, int, int], ...]


def stamp(files: Sequence[Path]) -> Stamp:
    """Path, size and time of each file: what a cache of this process is keyed by.

    Raises:
        SettingsError: a file is missing.
    """
    try:
        found = [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    except OSError as why:
        raise SettingsError(f"{why.filename}: cannot read this file of the encoder ({why.strerror})") from why
    return tuple(found)


@lru_cache(maxsize=16)
def fingerprint(files: Stamp) -> str:
    """SHA-256, in hex, of the bytes of the files, one after the other."""
    digest = hashlib.sha256()
    for path, _, _ in files:
        with Path(path).open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def read_safetensors(path: Path) -> dict[str, torch.Tensor]:
    """All tensors of a file, by name.

    Raises:
        SettingsError: the file is missing or not safetensors.
    """
    try:
        return dict(load_file(path))
    except LOAD_ERRORS as why:
        raise SettingsError(
            f"{path}: not a readable safetensors file ({_reason(why)}); copy or download it again"
        ) from why


def read_torch(path: Path) -> Any:
    """What `torch.save` wrote, if it is tensors, plain values and `argparse.Namespace` only.

    Everything else in a pickle could run code when it is loaded; torch's restricted unpickler refuses it
    before anything is executed.

    Raises:
        SettingsError: the file is missing, damaged, or holds another kind of object.
    """
    if not _is_zip_or_pickle(path):
        raise SettingsError(f"{path}: not a torch checkpoint; give the file that torch.save wrote, or safetensors")
    try:
        with torch.serialization.safe_globals([argparse.Namespace]), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch names the pickle's protocol; the error below says what matters
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as why:
        found = re.search(r"GLOBAL ([\w.]+)", str(why))
        held = found.group(1) if found else _first_global(path)
        name = f"it holds {held}" if held else "no pickle of tensors and plain values"
        raise SettingsError(
            f"{path}: refused, nothing of it was run ({name}); accepted: tensors, plain values and "
            "argparse.Namespace; convert its weights to safetensors"
        ) from why
    except LOAD_ERRORS as why:
        raise SettingsError(f"{path}: not a readable torch checkpoint ({_reason(why)})") from why


def _is_zip_or_pickle(path: Path) -> bool:
    """Whether a file begins as `torch.save` begins it: a zip archive, or a pickle of protocol 2 or later."""
    try:
        with path.open("rb") as stream:
            start = stream.read(4)
    except OSError:
        return True  # torch says what cannot be read
    return start == b"PK\x03\x04" or (start[:1] == b"\x80" and start[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"))


def _first_global(path: Path) -> str:
    """The first class or function that a bare pickle names, found by reading its opcodes; else nothing."""
    with path.open("rb") as stream:
        start = stream.read(2**20)
    texts: list[str] = []
    try:
        for opcode, value, _ in pickletools.genops(start):
            if opcode.name == "GLOBAL":
                return str(value).replace(" ", ".")[:100]
            if opcode.name == "STACK_GLOBAL" and len(texts) > 1:
                return ".".join(texts[-2:])[:100]
            if isinstance(value, str):
                texts.append(value)
    except ValueError:  # the pickle is damaged, or goes on after what was read
        pass
    return ""


def _reason(why: BaseException) -> str:
    return " ".join(str(why).split())[:150] or type(why).__name__
