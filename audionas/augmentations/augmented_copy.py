"""`AugmentedCopy`: the treatment that makes one augmented copy of a clip, with the transforms of audiomentations.

What is drawn for a copy depends on the augmentation's seed, the clip's content and the copy's number alone, so that a
killed preparation goes on with the same copies, and two runs share them. audiomentations draws from the global
generators of `random` and numpy: both are set for each copy and put back afterwards.

Library: audiomentations (Jordal et al.), https://github.com/iver56/audiomentations.
"""

from __future__ import annotations

import hashlib
import random
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType
from typing import Any

import numpy as np

from audionas.audio.manifest import Clip
from audionas.audio.noise import NoiseFolder
from audionas.augmentations.waveform_augmentation import (
    BackgroundNoise,
    Codec,
    Gain,
    ImpulseResponse,
    Noise,
    Room,
    Speed,
    WaveformAugmentation,
)  # fmt: skip
from audionas.errors import AudioError, SettingsError
from audionas.records import to_json
from audionas.seeding import derive

VERSION = 1  # raised when the same settings come to give other numbers
LIBRARIES = ("audiomentations", "pyroomacoustics", "fast-mp3-augment", "python-stretch")
REFLECTIONS = 6  # order of the image sources; ray tracing would not draw the same twice

Step = Callable[[np.ndarray, int], np.ndarray]


def import_audiomentations() -> ModuleType:
    """The library with all that its transforms need here.

    Raises:
        SettingsError: it is not installed.
    """
    try:
        library, *_ = [import_module(name) for name in ("audiomentations", "fast_mp3_augment", "pyroomacoustics")]
    except ImportError as why:
        raise SettingsError(f"augment needs a library ({why}): pip install 'audionas[augment]'") from why
    return library


@dataclass(frozen=True)
class AugmentedCopy:
    """Copy `number` (from 1 on) of any clip; `folders` are the scanned folders of the transforms that need one."""

    augmentation: WaveformAugmentation
    number: int
    folders: Mapping[str, NoiseFolder]
    kind: str = "copy"

    def settings(self) -> dict[str, Any]:
        """What changes the waveforms; how many copies there are does not, nor where a folder lies."""
        settings = self.augmentation.model_dump(mode="json", exclude={"copies"}, exclude_none=True)
        for name, folder in self.folders.items():
            settings[name]["folder"] = folder.sha256
        return {"copy": self.number, **settings, "versions": {name: _version(name) for name in LIBRARIES}}

    @property
    def key(self) -> str:
        """16 hex digits of settings, versions of the libraries and of this code."""
        return hashlib.sha256(to_json([VERSION, self.settings()]).encode()).hexdigest()[:16]

    def __call__(self, waveform: np.ndarray, rate_hz: int, clip: Clip) -> np.ndarray:
        """The copy: (samples,) float32 to (samples,) float32, longer or shorter with `speed`; silence stays silence.

        Raises:
            AudioError: a transform gave nothing, or values that are not finite.
        """
        if not waveform.any():
            return waveform
        found = waveform
        with _keyed_draws(derive(self.augmentation.seed, "copy", self.number, clip.audio_key)):
            for step in self._steps:
                found = step(found, rate_hz)
        if not len(found) or not np.isfinite(found).all():
            raise AudioError(
                f"{clip.path}: its augmented copy {self.number} is empty or not finite; use milder settings"
            )
        return np.ascontiguousarray(found, dtype=np.float32)

    @cached_property
    def _steps(self) -> list[Step]:
        library = import_audiomentations()
        return [
            _step(library, transform, self.folders.get(name))
            for name, transform in self.augmentation.transforms.items()
        ]


def _step(library: ModuleType, transform: object, folder: NoiseFolder | None) -> Step:
    """The transform of audiomentations that these settings mean."""
    files = [str(folder.root / file.path) for file in sorted(folder.files, key=lambda f: f.sha256)] if folder else []
    match transform:
        case Speed(p=p, rate=(low, high)):
            found = library.TimeStretch(low, high, leave_length_unchanged=False, p=p)
        case Room(p=p, absorption=(low, high)):
            found = library.RoomSimulator(
                min_absorption_value=low, max_absorption_value=high, max_order=REFLECTIONS, use_ray_tracing=False,
                leave_length_unchanged=True, p=p,
            )  # fmt: skip
        case ImpulseResponse(p=p):
            found = library.ApplyImpulseResponse(files, p=p)
        case BackgroundNoise(p=p, snr_db=(low, high)):
            found = library.AddBackgroundNoise(files, min_snr_db=low, max_snr_db=high, p=p)
        case Noise(p=p, snr_db=(low, high)):
            found = library.AddGaussianSNR(low, high, p=p)
        case Gain(p=p, gain_db=(low, high)):
            found = library.Gain(low, high, p=p)
        case Codec(p=p, bitrate_kbps=(low, high)):
            found = library.Mp3Compression(round(low), round(high), backend="fast-mp3-augment", p=p)
        case _:
            raise AssertionError(f"no transform for {transform!r}")
    step: Step = found
    return step


@contextmanager
def _keyed_draws(seed: int) -> Iterator[None]:
    """Set the global generators that audiomentations draws from; put them back."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of every resampling
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
