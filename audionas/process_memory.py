"""What happens to freed memory of this process.

glibc hands blocks above 32 MiB back to the system when they are freed, so every training step takes all their pages
anew, zeroed one by one: more than half the time of an attention-pooling CNN (`benchmarks/speed/freed_memory.py`).
"""

from __future__ import annotations

import ctypes
import os
from functools import cache

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # numbers of glibc's <malloc.h>
NEVER, LARGEST_KEPT_BYTES = -1, 2**30


def keep_freed_memory() -> bool:
    """From now on malloc keeps what is freed; returns whether it does.

    Not where another malloc than glibc's is at work, or where the user has set how it works.
    """
    libc = _glibc()
    if libc is None or os.environ.get("GLIBC_TUNABLES") or any(name.startswith("MALLOC_") for name in os.environ):
        return False
    is_kept = libc.mallopt(_MMAP_THRESHOLD, LARGEST_KEPT_BYTES) and libc.mallopt(_TRIM_THRESHOLD, NEVER)
    return bool(is_kept)


def give_back_memory() -> None:
    """Hand what is free now to the system: between trainings, of which the next may be smaller."""
    libc = _glibc()
    if libc is not None:
        libc.malloc_trim(0)


@cache
def _glibc() -> ctypes.CDLL | None:
    """The C library of this process if it is glibc."""
    try:
        libc = ctypes.CDLL(None)
        return libc if hasattr(libc, "gnu_get_libc_version") else None
    except (OSError, TypeError):  # TypeError: Windows
        return None
