"""What a stretch of stored frames or rows is in the sound itself: milliseconds of audio, hertz of the band."""

from __future__ import annotations

import math

from audionas.features.extractor import Extractor
from audionas.features.frame_extractor import FrameExtractor
from audionas.features.log_mel import DELTA_WIDTH, LogMel
from audionas.features.mfcc import Mfcc
from audionas.features.spectrogram import Spectrogram
from audionas.features.stft import n_stft_frames
from audionas.features.stft_extractor import StftExtractor

_LINEAR_HZ = 200 / 3  # Slaney's scale: so wide is a mel below 1 kHz, above it is logarithmic
_BREAK_HZ, _LOG_STEP = 1000.0, math.log(6.4) / 27


def frames_ms(extractor: Extractor, first: int, last: int) -> float | None:
    """Milliseconds of audio under the stored frames `first` to `last`, the windows of analysis from end to end.

    Of a trained encoder without what it reads beside a frame (attention, recurrence). Deltas read 4 frames more on
    either side. No more than the network's input holds. None where features have no frames in time.

    Args:
        extractor: resolved.
        first, last: frames of the network's input.
    """
    if isinstance(extractor, StftExtractor):
        samples = _stft_samples(extractor, first, last)
    elif isinstance(extractor, FrameExtractor) and extractor.hop_samples and extractor.field_samples is not None:
        n_frames = (last - first + 1) * extractor.pool
        samples = (n_frames - 1) * extractor.hop_samples + extractor.field_samples
    else:
        return None
    return 1000 * min(samples, extractor.length_samples) / extractor.rate_hz


def frame_step_ms(extractor: Extractor) -> float | None:
    """Milliseconds from one stored frame to the next; of `frames_by: adaptive` their mean."""
    if isinstance(extractor, StftExtractor):
        if extractor.frames and extractor.frames_by == "adaptive":
            return 1000 * extractor.length_samples / extractor.rate_hz / extractor.frames
        return 1000 * extractor.hop_samples * extractor.pooled_frames / extractor.rate_hz
    if isinstance(extractor, FrameExtractor) and extractor.hop_samples:
        return 1000 * extractor.hop_samples * extractor.pool / extractor.rate_hz
    return None


def rows_hz(extractor: Extractor, first: int, last: int) -> tuple[float, float] | None:
    """Lowest and highest frequency under the rows `first` to `last`; None where rows are no frequencies.

    A bin reaches half a bin to either side, a mel band from the middle of the band below it to that of the one above.
    """
    if isinstance(extractor, Spectrogram):
        bin_hz = extractor.rate_hz / extractor.fft_samples
        return max(0.0, (first - 0.5) * bin_hz), min((last + 0.5) * bin_hz, extractor.rate_hz / 2)
    if isinstance(extractor, LogMel) and not isinstance(extractor, Mfcc):
        edges = mel_edges_hz(extractor.n_mels, extractor.fmin_hz, extractor.fmax_hz or extractor.rate_hz / 2)
        return edges[first], edges[last + 2]
    return None


def mel_edges_hz(n_mels: int, fmin_hz: float, fmax_hz: float) -> list[float]:
    """The n_mels + 2 corners of Slaney's triangles: band i rises from corner i, has its peak at i + 1, ends at i + 2.

    Source: Slaney 1998, Auditory Toolbox; `librosa.mel_frequencies`.
    """
    low, high = _mel(fmin_hz), _mel(fmax_hz)
    return [_hz(low + (high - low) * i / (n_mels + 1)) for i in range(n_mels + 2)]


def _stft_samples(extractor: StftExtractor, first: int, last: int) -> int:
    n_stft = n_stft_frames(
        extractor.length_samples, extractor.fft_samples, extractor.hop_samples, is_centred=extractor.centred
    )
    if extractor.frames and extractor.frames_by == "adaptive":
        start, end = first * n_stft // extractor.frames, -(-(last + 1) * n_stft // extractor.frames) - 1
    else:
        start, end = first * extractor.pooled_frames, (last + 1) * extractor.pooled_frames - 1
    beside = DELTA_WIDTH // 2 if getattr(extractor, "deltas", 0) else 0
    start, end = max(0, start - beside), min(n_stft - 1, end + beside)
    return (end - start) * extractor.hop_samples + extractor.window_samples


def _mel(hz: float) -> float:
    if hz < _BREAK_HZ:
        return hz / _LINEAR_HZ
    return _BREAK_HZ / _LINEAR_HZ + math.log(hz / _BREAK_HZ) / _LOG_STEP


def _hz(mel: float) -> float:
    at_break = _BREAK_HZ / _LINEAR_HZ
    return mel * _LINEAR_HZ if mel < at_break else _BREAK_HZ * math.exp(_LOG_STEP * (mel - at_break))
