"""A one-dimensional `.npy` file of float32 or float16 that grows at its end; `numpy.load` reads it at any time.

Data is written before the header that counts it, so that a kill leaves a readable file.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from io import BufferedRandom
from pathlib import Path

import numpy as np

HEADER_BYTES = 128
_MAGIC = b"\x93NUMPY\x01\x00"
_CODES = {"float32": "<f4", "float16": "<f2"}


def create(path: Path, dtype: str = "float32") -> None:
    """Put an empty file in place; a process that still maps the old one keeps its view."""
    part = path.with_suffix(".part")
    part.write_bytes(_header(0, dtype))
    part.replace(path)


def append(path: Path, n_values: int, blocks: Sequence[np.ndarray], dtype: str = "float32") -> int:
    """Write blocks, as values of `dtype`, after the first `n_values`, drop what lay there; gives the new count."""
    with path.open("r+b") as stream:
        stream.truncate(HEADER_BYTES + np.dtype(dtype).itemsize * n_values)
        stream.seek(0, os.SEEK_END)
        for block in blocks:
            stream.write(np.ascontiguousarray(block, dtype=_CODES[dtype]).tobytes())
        _flush(stream)
        n_values += sum(block.size for block in blocks)
        stream.seek(0)
        stream.write(_header(n_values, dtype))
        _flush(stream)
    return n_values


def is_whole(path: Path, n_values: int, dtype: str = "float32") -> bool:
    """Whether the file exists, has our header of this dtype and holds at least `n_values` values."""
    try:
        with path.open("rb") as stream:
            header = stream.read(HEADER_BYTES)
        size = path.stat().st_size
    except OSError:
        return False
    is_ours = header.startswith(_MAGIC) and f"'{_CODES[dtype]}'".encode() in header
    return is_ours and size >= HEADER_BYTES + np.dtype(dtype).itemsize * n_values


def view(path: Path, n_values: int, dtype: str = "float32") -> np.ndarray:
    """The first values of the file: (values,), of `dtype`, memory-mapped, read only."""
    if n_values == 0:  # nothing can be mapped
        return np.empty(0, dtype=dtype)
    return np.memmap(path, dtype=_CODES[dtype], mode="r", offset=HEADER_BYTES, shape=(n_values,))


def _header(n_values: int, dtype: str) -> bytes:
    """A header of version 1.0 and constant length (numpy pads it with spaces too)."""
    text = f"{{'descr': '{_CODES[dtype]}', 'fortran_order': False, 'shape': ({n_values},), }}"
    length = HEADER_BYTES - len(_MAGIC) - 2
    return _MAGIC + length.to_bytes(2, "little") + text.ljust(length - 1).encode("ascii") + b"\n"


def _flush(stream: BufferedRandom) -> None:
    stream.flush()
    os.fsync(stream.fileno())
