"""The files of a trained encoder: their fingerprint, and weights read without running anything in them."""

from __future__ import annotations

import argparse
import hashlib
import pickle
import re
import struct
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
        raise SettingsError(f"{path}: not a readable safetensors file ({_reason(why)})") from why


def read_torch(path: Path) -> Any:
    """What `torch.save` wrote, if it is tensors, plain values and `argparse.Namespace` only.

    Everything else in a pickle could run code when it is loaded; torch's restricted unpickler refuses it
    before anything is executed.

    Raises:
        SettingsError: the file is missing, damaged, or holds another kind of object.
    """
    try:
        with torch.serialization.safe_globals([argparse.Namespace]):
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as why:
        found = re.search(r"GLOBAL ([\w.]+)", str(why))
        name = f"it holds {found.group(1)}" if found else _reason(why)
        raise SettingsError(
            f"{path}: refused, nothing of it was run ({name}); accepted: tensors, plain values and "
            "argparse.Namespace; convert its weights to safetensors"
        ) from why
    except LOAD_ERRORS as why:
        raise SettingsError(f"{path}: not a readable torch checkpoint ({_reason(why)})") from why


def _reason(why: BaseException) -> str:
    return " ".join(str(why).split())[:150] or type(why).__name__
