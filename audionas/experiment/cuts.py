"""What of each audio file `audionas predict` scores: the whole file as one clip, or segment after segment."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from audionas.audio.manifest import Clip
from audionas.audio.scan import read_through
from audionas.audio.windows import window_starts
from audionas.errors import AudioError, SettingsError
from audionas.exchange.scored_input import Scorer

SHORTEST_S = 0.01
LONGER_S = 0.01  # what counts as longer: durations are kept with few decimals


@dataclass(frozen=True)
class AudioFile:
    """A file that was read to its end."""

    path: Path
    rate_hz: int
    duration_s: float


@dataclass(frozen=True)
class Cut:
    """A part of a file; `is_whole` where it is the file as one clip."""

    file: AudioFile
    start_s: float
    end_s: float
    is_whole: bool


@dataclass(frozen=True)
class Segmenting:
    """How files are cut: `segments` True all, False none, None those longer than any clip of the corpus.

    Segments are `window_s` long, by default what the network's input holds, and start `hop_s` apart, by default the
    window. The last one is moved back to end where the file ends.
    """

    segments: bool | None = None
    window_s: float | None = None
    hop_s: float | None = None

    def check(self) -> None:
        """Refuse what cannot be.

        Raises:
            SettingsError: no length of time, or a window or hop beside --whole.
        """
        for flag, seconds in (("--window", self.window_s), ("--hop", self.hop_s)):
            if seconds is not None and not (math.isfinite(seconds) and seconds >= SHORTEST_S):
                raise SettingsError(f"{flag}: got {seconds:g}, must be {SHORTEST_S:g} s or more")
            if seconds is not None and self.segments is False:
                raise SettingsError(f"{flag} and --whole: give one of them; a whole file is not cut")

    def cuts(self, file: AudioFile, scorer: Scorer) -> list[Cut]:
        """The parts of a file."""
        if not self._is_cut(file, scorer):
            return [Cut(file, 0.0, file.duration_s, is_whole=True)]
        window_s = input_length_s(scorer) if self.window_s is None else self.window_s
        hop_s = window_s if self.hop_s is None else self.hop_s
        starts = window_starts(Clip("", "", duration_s=file.duration_s), window_s, hop_s)
        return [Cut(file, start, min(start + window_s, file.duration_s), is_whole=False) for start in starts]

    def _is_cut(self, file: AudioFile, scorer: Scorer) -> bool:
        if self.segments is not None or self.window_s is not None or self.hop_s is not None:
            return self.segments is not False
        return file.duration_s > max(scorer.longest_s, input_length_s(scorer)) + LONGER_S


def input_length_s(scorer: Scorer) -> float:
    """Seconds of audio that a network's input holds; the shortest, where networks have different ones."""
    extractors = [given.extractor for given in scorer.inputs]
    return min(extractor.length_samples / extractor.rate_hz for extractor in extractors)


def read_files(paths: Sequence[Path], *, skip_bad: bool) -> tuple[list[AudioFile], list[str]]:
    """Every file, decoded to its end; and the error of each that cannot be used.

    Raises:
        AudioError: one cannot be used and `skip_bad` is false, or none is left.
    """
    files, faults = [], []
    for path in paths:
        try:
            rate, n_samples, _ = read_through(path)
            files.append(AudioFile(path, rate, n_samples / rate))
        except AudioError as why:
            faults.append(str(why))
    if faults and not skip_bad:
        more = f" ({len(faults)} of {len(paths)} files cannot be used; --skip-bad leaves them out)"
        raise AudioError(faults[0] + (more if len(paths) > 1 else ""))
    if not files:
        raise AudioError(f"{faults[0]} (none of {len(paths)} files can be used)")
    return files, faults
