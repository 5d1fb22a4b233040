"""Data sets: one module a corpus or layout, each a function from a root folder to a `Manifest`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from audionas.audio.manifest import Manifest
from audionas.datasets import (
    crema_d,
    csv,
    emodb,
    esc50,
    folder_per_label,
    fsdd,
    iemocap,
    ravdess,
    speech_commands,
    urbansound8k,
)
from audionas.datasets.columns import Columns
from audionas.datasets.recognise import recognise
from audionas.errors import SettingsError, unknown

Reader = Callable[[Path, Columns], Manifest]

DATASETS: dict[str, Reader] = {
    "crema_d": crema_d.read,
    "csv": csv.read,
    "emodb": emodb.read,
    "esc10": esc50.read_esc10,
    "esc50": esc50.read,
    "folder_per_label": folder_per_label.read,
    "fsdd": fsdd.read,
    "iemocap": iemocap.read,
    "iemocap_all": iemocap.read_all,
    "iemocap_excited": iemocap.read_excited,
    "ravdess": ravdess.read,
    "ravdess_all": ravdess.read_all,
    "ravdess_song": ravdess.read_song,
    "speech_commands": speech_commands.read,
    "urbansound8k": urbansound8k.read,
}


def find_reader(name: str) -> Reader:
    """The reader of a data set.

    Raises:
        SettingsError: no data set has this name.
    """
    if name not in DATASETS:
        raise SettingsError(unknown("data set", name, DATASETS))
    return DATASETS[name]


__all__ = ["DATASETS", "Columns", "Reader", "find_reader", "recognise"]
