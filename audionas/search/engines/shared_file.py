"""Arrays that several processes read and none copies: one file without a name, mapped by each."""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Iterator, Sequence
from multiprocessing import reduction
from pathlib import Path
from typing import Any

from audionas.records import writing

ALIGNMENT = 64


class SharedFile:
    """Buffers one after another in a file that vanishes with the last process that has it open, killed or not.

    It goes to a child as an argument of the process that is being started, in no other way.

    Raises:
        RunError: the folder for temporary files is full.
    """

    def __init__(self, buffers: Sequence[memoryview]) -> None:
        with writing(Path(tempfile.gettempdir())):
            file = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as there are workers
            for buffer in buffers:
                file.write(buffer)
                file.write(bytes(-buffer.nbytes % ALIGNMENT))
            file.write(bytes(1))  # an empty file cannot be mapped
            file.flush()
        self._descriptor = os.dup(file.fileno())
        file.close()
        self._sizes = tuple(buffer.nbytes for buffer in buffers)

    def __reduce__(self) -> tuple[Any, ...]:
        return _received, (reduction.DupFd(self._descriptor), self._sizes)

    def buffers(self) -> list[memoryview]:
        """The buffers; they can be written to, but that changes nobody else's."""
        mapped = memoryview(mmap.mmap(self._descriptor, 0, access=mmap.ACCESS_COPY))
        return [mapped[start : start + size] for start, size in self._places()]

    def close(self) -> None:
        """Give the file up; may be called twice."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1

    def _places(self) -> Iterator[tuple[int, int]]:
        start = 0
        for size in self._sizes:
            yield start, size
            start += size + -size % ALIGNMENT


def _received(descriptor: Any, sizes: tuple[int, ...]) -> SharedFile:
    """The file in the child."""
    shared = object.__new__(SharedFile)
    shared._descriptor, shared._sizes = descriptor.detach(), sizes
    return shared
