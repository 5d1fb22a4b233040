"""Whether somebody works on a run, told from its lock file without taking the lock."""

from __future__ import annotations

import os
from pathlib import Path

LOCK_FILE = ".lock"  # of `RunFolder.working`
LOCKS = Path("/proc/locks")


def is_worked_on(run: Path) -> bool | None:
    """Whether a process holds the run's lock; None where no process has begun to work on it.

    On Linux the kernel's table of locks tells. Only where it does not know the lock (another container, a network
    file system) a shared lock is tried, for microseconds, on a run that then is most likely nobody's.
    """
    try:
        handle = os.open(run / LOCK_FILE, os.O_RDONLY)
    except FileNotFoundError:
        return None
    except OSError:  # not ours to read: say nothing false of it
        return True
    try:
        return _is_listed(os.fstat(handle)) or not _is_free(handle)
    finally:
        os.close(handle)


def _is_listed(file: os.stat_result) -> bool:
    """Whether the kernel's table has a lock on a file, by device and inode."""
    place = f"{os.major(file.st_dev):02x}:{os.minor(file.st_dev):02x}:{file.st_ino}"
    try:
        return any(place in line.split() for line in LOCKS.read_text(encoding="ascii").splitlines())
    except OSError:
        return False


def _is_free(handle: int) -> bool:
    """Whether a shared lock can be had; it is given back at once."""
    try:
        import fcntl
    except ImportError:  # Windows: nobody can be said to have died
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    fcntl.flock(handle, fcntl.LOCK_UN)
    return True
