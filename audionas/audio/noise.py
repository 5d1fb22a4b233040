"""Noise of a folder mixed into clips at a given signal-to-noise ratio, to see how scores fall with it.

Which file and which stretch of it a clip gets is drawn from the clip's content alone: the same for every SNR, every
network and every run, so that only the level of the noise differs between the rows of a table.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from audionas.audio.manifest import Clip, Manifest
from audionas.audio.scan import Progress, ScannedFile, scan
from audionas.audio.waveform import SUFFIXES, load_waveform
from audionas.errors import AudioError, ManifestError
from audionas.records import to_json
from audionas.seeding import generator

NOISE_SEED = 0
_DRAWS = 50


@dataclass(frozen=True)
class NoiseFolder:
    """Audio files below a folder, scanned, in the order of their names."""

    root: Path
    files: tuple[ScannedFile, ...]

    @cached_property
    def sha256(self) -> str:
        """Identity of the files' content, whatever their names."""
        return hashlib.sha256("\n".join(sorted(file.sha256 for file in self.files)).encode()).hexdigest()

    def refuse_clips_of(self, manifest: Manifest) -> None:
        """Noise must be none of the clips that are scored with it.

        Raises:
            ManifestError: a file is, byte for byte, a clip of the corpus.
        """
        own = {clip.sha256: clip.path for clip in manifest.clips}
        shared = [file for file in self.files if file.sha256 in own]
        if shared:
            raise ManifestError(
                f"{self.root / shared[0].path}: is a clip of the corpus ({own[shared[0].sha256]}), as are "
                f"{len(shared) - 1} other file(s); noise must be other audio, name another folder"
            )

    def stretch(self, n_samples: int, rate_hz: int, *keys: object) -> np.ndarray:
        """A stretch of one file, (samples,) float32, drawn by the keys; a file that is shorter is repeated.

        Stretches of nothing but zeros are drawn again.

        Raises:
            AudioError: nothing but silence was found.
        """
        rng = generator(NOISE_SEED, "noise", *keys)
        by_content = sorted(self.files, key=lambda file: file.sha256)  # whatever the files are called
        for _ in range(_DRAWS):
            file, share = by_content[int(rng.integers(len(by_content)))], float(rng.random())
            found = self._cut(file, n_samples, rate_hz, share)
            if found.any():
                return found
        raise AudioError(f"{self.root}: {_DRAWS} stretches of this noise hold only zeros; use noise without gaps")

    def _cut(self, file: ScannedFile, n_samples: int, rate_hz: int, share: float) -> np.ndarray:
        path, wanted_s = self.root / file.path, n_samples / rate_hz
        spare_s = file.duration_s - wanted_s
        if spare_s >= 0:
            return np.resize(load_waveform(path, rate_hz, share * spare_s, wanted_s), n_samples)
        whole = load_waveform(path, rate_hz)
        return np.resize(np.roll(whole, -int(share * len(whole))), n_samples)


@dataclass(frozen=True)
class NoiseAtSnr:
    """The treatment of test clips: noise of a folder at one SNR in dB."""

    noise: NoiseFolder
    snr_db: float
    kind: str = "noise"
    version: int = 1  # raised when the same settings come to give other numbers

    def settings(self) -> dict[str, Any]:
        """What changes the waveforms."""
        return {"noise_sha256": self.noise.sha256, "snr_db": self.snr_db, "seed": NOISE_SEED}

    @property
    def key(self) -> str:
        """16 hex digits of the settings and the version."""
        return hashlib.sha256(to_json([self.version, self.settings()]).encode()).hexdigest()[:16]

    def __call__(self, waveform: np.ndarray, rate_hz: int, clip: Clip) -> np.ndarray:
        """The clip with noise: (samples,) float32."""
        return mix_at_snr(waveform, self.noise.stretch(len(waveform), rate_hz, clip.audio_key), self.snr_db)


def mix_at_snr(speech: np.ndarray, noise: np.ndarray, snr_db: float) -> np.ndarray:
    """speech + g * noise with g = sqrt(P_speech / (P_noise * 10^(snr_db / 10))), (samples,) float32.

    P is the mean square over all samples of the clip, its pauses included; the active level of ITU-T P.56 leaves
    pauses out and would give louder noise for the same number. Nothing is clipped: values may exceed +-1. A clip of
    nothing but zeros stays as it is.
    """
    power = float(np.mean(np.square(speech, dtype=np.float64)))
    noise_power = float(np.mean(np.square(noise, dtype=np.float64)))
    gain = np.sqrt(power / (noise_power * 10 ** (snr_db / 10)))
    return np.asarray(speech + gain * noise, dtype=np.float32)


def read_noise_folder(folder: Path, journal: Path, on_progress: Progress | None = None) -> NoiseFolder:
    """Scan the audio files below a folder; `journal` remembers what was read.

    Raises:
        AudioError: there is no such folder, no audio in it, a file is unusable, or all hold nothing but zeros.
    """
    if not folder.is_dir():
        raise AudioError(f"{folder}: no such folder of noise")
    found = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in SUFFIXES and path.is_file()]
    paths = [path.relative_to(folder).as_posix() for path in found if not path.name.startswith(".")]
    if not paths:
        raise AudioError(f"{folder}: holds no audio; accepted: {', '.join(SUFFIXES)}")
    files, _ = scan(folder, paths, journal, on_progress=on_progress)
    heard = tuple(files[path] for path in paths if not files[path].is_silent)
    if not heard:
        raise AudioError(f"{folder}: every file holds only zeros; name a folder of noise")
    return NoiseFolder(folder, heard)
