"""What a program gives to `fit` and `predict`, checked: clips as paths or as waveforms, classes and groups as text."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from audionas.audio.manifest import Clip, Manifest
from audionas.audio.waveform import resample
from audionas.errors import AudionasError
from audionas.records import writing

GROUPS_GIVEN = "groups given to fit"
_KINDS = {"U": "text", "i": "int", "u": "int", "b": "bool", "f": "float"}


class InputError(AudionasError, ValueError):
    """X, y, groups or a parameter is not what an estimator accepts; a ValueError, as scikit-learn has it."""


def given_clips(clips: Any) -> list[Path] | list[np.ndarray]:
    """X as paths, or as waveforms (samples,) float32.

    Raises:
        InputError: it is neither a sequence of paths, nor one of waveforms, or it is empty.
    """
    accepted = "must be a list of paths of audio files, or an array (clips, samples) of waveforms"
    if hasattr(clips, "tocsr"):
        raise InputError(f"X: got a sparse {type(clips).__name__}, {accepted}")
    if isinstance(clips, str | bytes | os.PathLike) or not hasattr(clips, "__len__"):
        raise InputError(f"X: got {str(clips)[:80]!r}, {accepted}")
    if getattr(clips, "ndim", 1) not in (1, 2):
        raise InputError(f"X: got an array of {clips.ndim} axes, {accepted}")
    if getattr(clips, "ndim", 1) == 2:
        clips = np.asarray(clips)
    items = list(clips)
    if not items:
        raise InputError(f"X: got no clip, {accepted}")
    if all(isinstance(item, str | os.PathLike) for item in items):
        return [Path(item).resolve() for item in items]
    return [_waveform(number, item, accepted) for number, item in enumerate(items)]


def _waveform(number: int, item: Any, accepted: str) -> np.ndarray:
    try:
        waveform = np.asarray(item, dtype=np.float32)
    except (TypeError, ValueError) as why:
        raise InputError(f"X: clip {number} is a {type(item).__name__}, {accepted}") from why
    if waveform.ndim != 1 or not len(waveform):
        raise InputError(f"X: clip {number} has the shape {waveform.shape}, must be (samples,); {accepted}")
    if not np.isfinite(waveform).all():
        raise InputError(f"X: clip {number} holds NaN or infinity; mend or leave out this clip")
    return waveform


def as_files(clips: Sequence[Path] | Sequence[np.ndarray], sample_rate_hz: int | None, folder: Path) -> list[Path]:
    """The clips as audio files: their own, or of waveforms 32-bit float WAV files in a folder.

    Raises:
        InputError: waveforms are given and their rate is not.
    """
    if isinstance(clips[0], Path):
        return [clip for clip in clips if isinstance(clip, Path)]
    rate, files = _rate(sample_rate_hz), []
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for number, waveform in enumerate(clips):
            files.append(folder / f"{number:06d}.wav")
            soundfile.write(files[-1], waveform, rate, subtype="FLOAT")
    return files


def at_rate(waveforms: Sequence[np.ndarray], sample_rate_hz: int | None, rate_hz: int) -> Iterator[np.ndarray]:
    """The waveforms at another rate.

    Raises:
        InputError: their rate is not known.
    """
    given = _rate(sample_rate_hz)
    return (resample(waveform, given, rate_hz) for waveform in waveforms)


def _rate(sample_rate_hz: int | None) -> int:
    if not isinstance(sample_rate_hz, int | np.integer) or sample_rate_hz < 1:
        raise InputError(
            f"sample_rate_hz: got {sample_rate_hz!r}, must be the rate of the waveforms in Hz; "
            "AudioNASClassifier(sample_rate_hz=16000), say, or give paths of audio files"
        )
    return int(sample_rate_hz)


def classes_as_text(classes: np.ndarray) -> list[str]:
    """A name for each class.

    Raises:
        InputError: there is one class only.
    """
    names = [str(value) for value in classes.tolist()]
    if len(names) < 2:
        raise InputError(f"y: one class only ({', '.join(names)}); a classifier needs at least two classes")
    return names


def kind_of_classes(classes: np.ndarray) -> str:
    """What the classes are: text, int, bool or float.

    Raises:
        InputError: anything else.
    """
    if classes.dtype.kind not in _KINDS:
        raise InputError(f"y: classes of type {classes.dtype}; accepted: text, whole numbers, true and false")
    return _KINDS[classes.dtype.kind]


def manifest_of(files: Sequence[Path], labels: Sequence[str], groups: Any | None) -> Manifest:
    """The clips with their labels and, where they are given, their groups.

    Raises:
        InputError: a group is empty, or the files lie on several drives.
    """
    try:
        root = Path(os.path.commonpath([file.parent for file in files]))
    except ValueError as why:
        raise InputError(f"X: the files lie on several drives ({why}); copy them to one") from why
    names = [""] * len(files) if groups is None else [_group(place, value) for place, value in enumerate(groups)]
    clips = [
        Clip(path=file.relative_to(root).as_posix(), label=label, group=group)
        for file, label, group in zip(files, labels, names, strict=True)
    ]
    source = "" if groups is None else GROUPS_GIVEN
    return Manifest(root, (), (), dataset="given clips", group_source=source).with_clips(clips)


def _group(place: int, value: Any) -> str:
    if value is None or value != value or not str(value).strip():
        raise InputError(f"groups: place {place} is {value!r}; give every clip a group, or no groups at all")
    return str(value)
