"""Reads audio files: any format of libsndfile, any channels and rate, whole or cut, as mono float32.

Every way in which a file can be unusable is an `AudioError` of one line that starts with its path.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile
import soxr

from audionas.errors import AudioError

SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".aiff", ".aif")

# Of RIFF WAVE: integers, floating point, A-law, mu-law, and the kind that a longer header names.
UNCOMPRESSED = (0x0001, 0x0003, 0x0006, 0x0007, 0xFFFE)
LONGEST_TOLD_BYTES = 0x7FFFF000  # programs that write to a pipe put something of this size or more

# Tables round durations, often to 2 decimals: a cut may end this much after the file does.
END_TOLERANCE_S = 0.01


def load_waveform(path: Path, sample_rate_hz: int, start_s: float = 0.0, duration_s: float = 0.0) -> np.ndarray:
    """One cut of a file, channels averaged, resampled: (samples,), float32, full scale is +-1.

    Only the cut is read. `duration_s` 0 means until the end of the file. Resampled as
    `librosa.load(res_type="soxr_hq")` does.

    Raises:
        AudioError: the file is missing, empty, damaged, not finite, or ends before the cut does.
    """
    with opened(path) as file:
        first, count = _cut(path, file, start_s, duration_s)
        file.seek(first)
        samples = file.read(count, dtype="float32", always_2d=True)
        if len(samples) < count:
            raise truncated(path, first + len(samples), file.frames)
        check_finite(path, samples)
        return resample(samples.mean(axis=1, dtype=np.float32), file.samplerate, sample_rate_hz)


def resample(waveform: np.ndarray, from_hz: int, to_hz: int) -> np.ndarray:
    """The waveform at another rate, ceil(samples * to_hz / from_hz) long: (samples,), float32."""
    if from_hz == to_hz:
        return waveform
    n_samples = -(-len(waveform) * to_hz // from_hz)
    out = np.asarray(soxr.resample(waveform, from_hz, to_hz, "HQ"), dtype=np.float32)
    return np.pad(out, (0, max(0, n_samples - len(out))))[:n_samples]


def sha256_of(path: Path) -> str:
    """SHA-256 of the bytes of a file, in hex.

    Raises:
        AudioError: the file is missing or cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError as why:
        raise AudioError(f"{path}: no such audio file; check the path") from why
    except OSError as why:
        raise AudioError(f"{path}: cannot read this file ({why.strerror or why})") from why


@contextmanager
def opened(path: Path) -> Iterator[soundfile.SoundFile]:
    """An open audio file that holds samples; damage met while it is open is an `AudioError` too."""
    _check_file(path)
    try:
        with soundfile.SoundFile(path) as file:
            if file.frames <= 0:
                raise AudioError(f"{path}: holds no samples (0 s of audio); remove it or record it again")
            _refuse_cut_wav(path, file)
            yield file
    except (soundfile.SoundFileError, TypeError) as why:  # TypeError: a headerless .raw file
        reason = " ".join(str(why).split()).removeprefix(f"Error opening {str(path)!r}: ")
        raise AudioError(
            f"{path}: cannot be decoded ({reason}); accepted: wav, flac, mp3, ogg; copy or convert it again"
        ) from why


def check_finite(path: Path, samples: np.ndarray) -> None:
    """Refuse NaN and infinity, which would turn a whole training run into NaN."""
    n_bad = int(samples.size - np.isfinite(samples).sum())
    if n_bad:
        raise AudioError(f"{path}: {n_bad} of {samples.size} values are NaN or infinite; export the file again")


def truncated(path: Path, n_read: int, n_expected: int) -> AudioError:
    """The error for a file whose data ends before its header says."""
    return AudioError(f"{path}: damaged, ends after {n_read} of {n_expected} samples; copy the file again")


def _refuse_cut_wav(path: Path, file: soundfile.SoundFile) -> None:
    """A WAV file tells how long its data are; libsndfile reads a cut one as if it were a shorter recording."""
    declared = _declared_samples(path)
    if declared is not None and declared - file.frames > END_TOLERANCE_S * file.samplerate:
        raise truncated(path, file.frames, declared)


def _declared_samples(path: Path) -> int | None:
    """Samples that the header of a RIFF WAVE file tells; None of other files, and of streams, which tell no length."""
    with path.open("rb") as stream:
        riff, _, wave = struct.unpack("<4sI4s", stream.read(12).ljust(12, b"\0"))
        if (riff, wave) != (b"RIFF", b"WAVE"):
            return None
        frame_bytes = 0
        while len(head := stream.read(8)) == 8:
            name, size = struct.unpack("<4sI", head)
            if name == b"data":
                return size // frame_bytes if frame_bytes and 0 < size < LONGEST_TOLD_BYTES else None
            if name == b"fmt " and size >= 16:
                kind, _, _, _, block_bytes = struct.unpack("<HHIIH", stream.read(14))
                frame_bytes = block_bytes if kind in UNCOMPRESSED else 0
                size -= 14
            stream.seek(size + size % 2, 1)
    return None


def _check_file(path: Path) -> None:
    if not path.exists():
        raise AudioError(f"{path}: no such audio file; check the path")
    if not path.is_file():
        raise AudioError(f"{path}: is a folder, not an audio file")
    if path.stat().st_size == 0:
        raise AudioError(f"{path}: empty file (0 bytes); copy it again or remove it")


def _cut(path: Path, file: soundfile.SoundFile, start_s: float, duration_s: float) -> tuple[int, int]:
    """First sample and number of samples of a cut."""
    rate, n_samples = file.samplerate, file.frames
    first = round(start_s * rate)
    count = round(duration_s * rate) if duration_s else n_samples - first
    if first < 0 or count < 0 or first >= n_samples or first + count > n_samples + END_TOLERANCE_S * rate:
        end = f"to {start_s + duration_s:g} s" if duration_s else "to the end"
        raise AudioError(
            f"{path}: the cut from {start_s:g} s {end} is not inside the file's {n_samples / rate:g} s; "
            "mend start_s and duration_s"
        )
    count = min(count, n_samples - first)
    if count == 0:
        raise AudioError(f"{path}: the cut at {start_s:g} s is 0 samples long; mend duration_s")
    return first, count
