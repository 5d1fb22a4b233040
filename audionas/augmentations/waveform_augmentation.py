"""`WaveformAugmentation`: the settings of augmented copies, as a YAML or the key `augment` of a strategy gives them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from audionas.errors import SettingsError
from audionas.records import Record, validate
from audionas.shipped import read

FOLDERS = ("impulse_response", "background_noise")


def _ordered(bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] > bounds[1]:
        raise ValueError("the lower bound must stand first")
    return bounds


def _range(low: float, high: float) -> Any:
    """Bounds between which a value is drawn uniformly, each within `low` and `high`."""
    bound = Annotated[float, Field(ge=low, le=high)]
    return Annotated[tuple[bound, bound], AfterValidator(_ordered)]


class Transform(Record):
    """One step; `p` is the probability that a copy gets it."""

    p: float = Field(default=0.5, ge=0, le=1)


class Speed(Transform):
    """Tempo, by a time stretch that keeps the pitch; the clip becomes longer or shorter."""

    rate: _range(0.5, 2.0) = (0.9, 1.1)  # type: ignore[valid-type]


class Room(Transform):
    """A simulated shoebox room of 3.6 to 5.6 by 3.6 to 3.9 by 2.4 to 3 m; walls absorb so much of the sound."""

    absorption: _range(0.01, 0.99) = (0.1, 0.5)  # type: ignore[valid-type]


class ImpulseResponse(Transform):
    """Convolution with a recorded impulse response of a folder."""

    folder: str


class BackgroundNoise(Transform):
    """Noise of a folder."""

    folder: str
    snr_db: _range(-30.0, 100.0) = (5.0, 25.0)  # type: ignore[valid-type]


class Noise(Transform):
    """White noise."""

    snr_db: _range(-30.0, 100.0) = (10.0, 35.0)  # type: ignore[valid-type]


class Gain(Transform):
    """Loudness."""

    gain_db: _range(-60.0, 60.0) = (-6.0, 6.0)  # type: ignore[valid-type]


class Codec(Transform):
    """Encoding as MP3 and back."""

    bitrate_kbps: _range(8, 320) = (16, 64)  # type: ignore[valid-type]


class WaveformAugmentation(Record):
    """`copies` of each training clip; the transforms given are applied in the order of these fields.

    That is the order of a recording: who speaks (speed), where (room, impulse response), beside what (noise), through
    which channel (gain, codec). `seed` keys what is drawn. A folder holds audio files, at any depth.
    """

    copies: int = Field(default=1, ge=1, le=100)
    seed: int = 0
    speed: Speed | None = None
    room: Room | None = None
    impulse_response: ImpulseResponse | None = None
    background_noise: BackgroundNoise | None = None
    noise: Noise | None = None
    gain: Gain | None = None
    codec: Codec | None = None

    @model_validator(mode="after")
    def _has_transforms(self) -> WaveformAugmentation:
        if not self.transforms:
            raise ValueError(f"no transform given; accepted: {', '.join(_TRANSFORMS)}")
        return self

    @property
    def transforms(self) -> dict[str, Transform]:
        """The transforms given, by name, in the order in which they are applied."""
        found = {name: getattr(self, name) for name in _TRANSFORMS}
        return {name: transform for name, transform in found.items() if transform is not None}

    @property
    def folders(self) -> dict[str, Path]:
        """The folders that transforms read, by the transform's name."""
        return {name: Path(getattr(self, name).folder) for name in FOLDERS if getattr(self, name) is not None}

    def beside(self, folder: Path) -> WaveformAugmentation:
        """The same with absolute folders; a relative one is meant from `folder`."""
        changes = {
            name: getattr(self, name).model_copy(update={"folder": str((folder / path).resolve())})
            for name, path in self.folders.items()
        }
        return self.model_copy(update=changes)


_TRANSFORMS = tuple(name for name in WaveformAugmentation.model_fields if name not in ("copies", "seed"))


def load_augmentation(name_or_path: str | Path) -> WaveformAugmentation:
    """An augmentation from a shipped name or the path of a YAML file; its folders are meant from that file's.

    Raises:
        SettingsError: no such file, or a key or value that is not accepted (all are listed).
    """
    path, settings = read("augmentations", name_or_path)
    return validate(WaveformAugmentation, settings, str(path)).beside(path.parent)


def augmentation_from(value: object) -> WaveformAugmentation | None:
    """What the key `augment` of a strategy holds: nothing, a name or path, or the settings themselves.

    Raises:
        SettingsError: as `load_augmentation`.
    """
    if value is None or isinstance(value, WaveformAugmentation):
        return value
    if isinstance(value, str):
        return load_augmentation(value)
    if not isinstance(value, dict):
        raise SettingsError(f"augment: got {value!r}, must be a name, the path of a YAML file, or a mapping")
    return validate(WaveformAugmentation, value, "augment").beside(Path())
