"""An evaluator on its way to another process: a small pickle, and its arrays beside it.

Arrays that are mapped from a file (cached features) go as the file's path, all others as buffers that the receiver
maps or shares, so that no worker has a copy of its own. What is unpickled here came through our own pipe or cluster
from our own parent, never from a file.
"""

from __future__ import annotations

import io
import mmap
import pickle
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from audionas.errors import RunError, SettingsError
from audionas.search.engines.contract import Evaluator


@dataclass(frozen=True)
class Packed:
    """`buffers` are the arrays' bytes, in the order in which the pickle `data` names them."""

    data: bytes
    buffers: tuple[memoryview, ...]

    @property
    def n_bytes(self) -> int:
        """Bytes of all arrays."""
        return sum(buffer.nbytes for buffer in self.buffers)


def pack(evaluator: Evaluator, *, same_machine: bool = True) -> Packed:
    """The evaluator as a pickle and buffers.

    Args:
        same_machine: whether the receiver can map the files that this process maps; if not, their values are sent.

    Raises:
        SettingsError: the evaluator holds what cannot be sent, such as a lambda or an open file.
    """
    buffers: list[pickle.PickleBuffer] = []
    stream = io.BytesIO()
    try:
        _Pickler(stream, buffers, same_machine).dump(evaluator)
    except (pickle.PicklingError, TypeError, AttributeError) as why:
        raise SettingsError(
            f"engine: {type(evaluator).__name__} cannot be sent to another process ({why}); make what it holds "
            "importable, or search with --engine in_process"
        ) from why
    return Packed(stream.getvalue(), tuple(buffer.raw() for buffer in buffers))


def unpack(data: bytes, buffers: Sequence[Any]) -> Evaluator:
    """The evaluator that `pack` was given; its arrays lie in `buffers`.

    Raises:
        RunError: a feature file was replaced since.
    """
    return cast(Evaluator, pickle.loads(data, buffers=buffers))


class _Pickler(pickle.Pickler):
    def __init__(self, stream: io.BytesIO, buffers: list[pickle.PickleBuffer], same_machine: bool) -> None:
        super().__init__(stream, protocol=5, buffer_callback=buffers.append)
        self._same_machine = same_machine

    def reducer_override(self, found: Any) -> Any:
        """How tensors and mapped files are written; NotImplemented is pickle's own way."""
        if type(found) is Tensor and found.device.type == "cpu" and not found.requires_grad:
            return _tensor, (found.numpy(),)
        if isinstance(found, np.memmap):
            if not self._same_machine or not isinstance(found.base, mmap.mmap):
                return np.asarray, (found.view(np.ndarray),)
            path = Path(str(found.filename))
            return _mapped, (str(path), _identity(path), found.dtype.str, found.offset, found.shape)
        return NotImplemented


def _tensor(values: np.ndarray) -> Tensor:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*not writable.*")  # nothing writes to features
        return torch.from_numpy(values)


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino


def _mapped(name: str, identity: tuple[int, int], dtype: str, offset: int, shape: tuple[int, ...]) -> np.ndarray:
    path = Path(name)
    if _identity(path) != identity:
        raise RunError(f"{path}: was replaced since the search began; stop it and go on with --resume")
    return np.memmap(path, dtype=np.dtype(dtype), mode="r", offset=offset, shape=shape)
