"""The receptive field of a CNN in words: frames and rows of its input, milliseconds and hertz of the sound."""

from __future__ import annotations

from audionas.features import Extractor
from audionas.features.frame_extractor import FrameExtractor
from audionas.features.log_mel import LogMel
from audionas.features.mfcc import Mfcc
from audionas.features.physical_units import frames_ms, rows_hz
from audionas.features.spectrogram import Spectrogram
from audionas.models.receptive_field import MapField, Span
from audionas.quantities import ms_text


def field_sentences(field: MapField, extractor: Extractor | None, *, is_causal: bool) -> list[str]:
    """What one position of the last map reads.

    Args:
        extractor: of the network's input; without it `field` is that of an input without limits.
    """
    if extractor is None:
        text = (
            f"A position of its last feature map reads {field.frames.width} frames by {field.features[1].width} "
            "features of an input that is large enough"
        )
    else:
        rows, frames = field.size
        text = (
            f"A position of its last feature map ({rows} x {frames} positions, features x frames) reads "
            f"{frames_text(field.frames, extractor)} by {rows_text(field, extractor)}"
        )
    sentences = [text + (", and no frame after its own." if is_causal else ".")]
    if field.has_gates:
        what = "all frames so far" if is_causal else "the whole map"
        sentences.append(f"Its squeeze-excitation gates, not counted there, read {what}.")
    return sentences


def frames_text(span: Span, extractor: Extractor) -> str:
    """The frames of a span, and the audio under them."""
    ms = frames_ms(extractor, span.first, span.last)
    text = f"all {span.n_inputs} frames" if span.is_whole else f"{span.width} of {span.n_inputs} frames"
    return text + (f" ({ms_text(ms)} of audio)" if ms is not None else "")


def rows_text(field: MapField, extractor: Extractor) -> str:
    """The rows that the lowest, the middle and the highest position read, and the frequencies under them."""
    low, middle, high = field.features
    noun, n_rows = row_noun(extractor), middle.n_inputs
    if all(span.is_whole for span in field.features):
        return f"all {n_rows} {noun}{_hz_in_brackets(extractor, middle)}"
    text = f"up to all {n_rows} {noun}" if middle.is_whole else f"{middle.width} of {n_rows} {noun}"
    if rows_hz(extractor, middle.first, middle.last) is None:
        return text
    if field.size[0] == 1:
        return text + _hz_in_brackets(extractor, middle)
    return (
        f"{text} ({hz_text(extractor, low)} at its lowest row, {hz_text(extractor, middle)} at the middle one, "
        f"{hz_text(extractor, high)} at the highest)"
    )


def row_noun(extractor: Extractor) -> str:
    """What the rows of a feature map are."""
    if isinstance(extractor, Spectrogram):
        return "frequency bins"
    if isinstance(extractor, Mfcc):
        return "cepstral coefficients, each of the whole band"
    if isinstance(extractor, LogMel):
        return "mel bands"
    if isinstance(extractor, FrameExtractor):
        return "values of the encoder's frames"
    return "features"


def hz_text(extractor: Extractor, span: Span) -> str:
    """The band under a span of rows, to the nearest hertz; empty where rows are no frequencies."""
    band = rows_hz(extractor, span.first, span.last)
    return f"{band[0]:,.0f} to {band[1]:,.0f} Hz" if band else ""


def _hz_in_brackets(extractor: Extractor, span: Span) -> str:
    text = hz_text(extractor, span)
    return f" ({text})" if text else ""
