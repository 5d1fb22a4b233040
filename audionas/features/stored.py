"""The files of a feature cache, and the view of them that training reads."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from audionas.audio.manifest import Clip
from audionas.errors import AudionasError
from audionas.features import flat_file
from audionas.features.extractor import Extractor
from audionas.features.treatment import Treatment
from audionas.records import read_json, write_json, writing

logger = logging.getLogger(__name__)

SCHEMA_VERSION = 1
FLUSH_S = 3.0
FLUSH_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Entry:
    """Where the block of one clip lies, and what it was made of."""

    offset: int
    shape: tuple[int, int, int]
    is_silent: bool
    n_samples: int


@dataclass(frozen=True, eq=False)
class Features:
    """The features of a manifest's clips, row by row, mapped from disk."""

    values: np.ndarray
    entries: tuple[Entry, ...]
    length_samples: int

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, row: int) -> np.ndarray:
        """One clip: (channels, features, frames), float32, read only; a copy where float16 is stored."""
        entry = self.entries[row]
        channels, n_features, frames = entry.shape
        block = self.values[entry.offset : entry.offset + channels * n_features * frames]
        if block.dtype != np.float32:
            block = block.astype(np.float32)
            block.flags.writeable = False
        return block.reshape(entry.shape)

    @property
    def shapes(self) -> tuple[tuple[int, int, int], ...]:
        """The shape of each row."""
        return tuple(entry.shape for entry in self.entries)

    @property
    def n_truncated(self) -> int:
        """Clips longer than the extractor's length."""
        return sum(entry.n_samples > self.length_samples for entry in self.entries)

    @property
    def n_padded(self) -> int:
        """Clips shorter than the extractor's length."""
        return sum(entry.n_samples < self.length_samples for entry in self.entries)

    @property
    def n_silent(self) -> int:
        """Clips whose every sample is 0."""
        return sum(entry.is_silent for entry in self.entries)


class Store:
    """The two files of one extractor setting, and the blocks that are not written yet."""

    def __init__(self, folder: Path, extractor: Extractor, treatment: Treatment | None = None) -> None:
        self.name = f"{extractor.kind}-{extractor.key}"
        if treatment is not None:
            self.name += f"-{treatment.kind}-{treatment.key}"
        self.data = folder / f"{self.name}.npy"
        self.sidecar = folder / f"{self.name}.json"
        self.settings = extractor.settings() | ({"treatment": treatment.settings()} if treatment else {})
        self.dtype = extractor.stored_dtype
        self.n_values = 0
        self.entries: dict[str, Entry] = {}
        self._blocks: list[np.ndarray] = []
        self._written_at = time.monotonic()

    def open(self) -> None:
        """Read the sidecar; with a damaged one, or data shorter than it says, all is computed again."""
        self.n_values, self.entries = 0, {}
        if not self.sidecar.exists():
            return
        try:
            record = read_json(self.sidecar, "feature cache")
            entries = {key: _entry(value) for key, value in record["entries"].items()}
            n_values = max((entry.offset + int(np.prod(entry.shape)) for entry in entries.values()), default=0)
            version = (record["schema_version"], record.get("dtype", "float32"))
            if version != (SCHEMA_VERSION, self.dtype) or not flat_file.is_whole(self.data, n_values, self.dtype):
                raise ValueError("data shorter than listed, or of another version")
        except (AudionasError, ValueError, TypeError, KeyError, AttributeError) as why:
            logger.warning("%s: damaged feature cache (%s); computing it again", self.sidecar, why)
            return
        self.n_values, self.entries = n_values, entries

    def add(self, clip: Clip, waveform: np.ndarray, features: np.ndarray) -> None:
        """Keep one clip's features; written to disk every few seconds."""
        offset = self.n_values + sum(block.size for block in self._blocks)
        channels, n_features, frames = features.shape
        is_silent = not waveform.any()
        # The block first: were an interrupt to fall between, the sidecar must not list what is not there.
        self._blocks.append(features)
        self.entries[clip.audio_key] = Entry(offset, (channels, n_features, frames), is_silent, len(waveform))
        n_bytes = sum(block.nbytes for block in self._blocks)
        if time.monotonic() - self._written_at > FLUSH_S or n_bytes > FLUSH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write the waiting blocks: data, then header, then sidecar."""
        if not self._blocks:
            return
        with writing(self.data):
            if self.n_values == 0:
                flat_file.create(self.data, self.dtype)
            self.n_values = flat_file.append(self.data, self.n_values, self._blocks, self.dtype)
        self._blocks.clear()
        write_json(self.sidecar, {
            "schema_version": SCHEMA_VERSION,
            "settings": self.settings,
            "dtype": self.dtype,
            "entries": {key: _listed(entry) for key, entry in self.entries.items()},
        })  # fmt: skip
        self._written_at = time.monotonic()


def _listed(entry: Entry) -> dict[str, Any]:
    return {
        "offset": entry.offset,
        "shape": list(entry.shape),
        "silent": entry.is_silent,
        "samples": entry.n_samples,
    }


def _entry(value: dict[str, Any]) -> Entry:
    channels, n_features, frames = (int(size) for size in value["shape"])
    return Entry(int(value["offset"]), (channels, n_features, frames), bool(value["silent"]), int(value["samples"]))
