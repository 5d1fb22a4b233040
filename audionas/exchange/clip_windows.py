"""From a waveform to the windows of features that a clip is scored by, as in evaluation, and their scores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from audionas.exchange.scored_input import Fed, ScoredInput, Scorer, mean_over_networks
from audionas.features import Extractor
from audionas.training.batches import ClipTensors, Normaliser

ROWS_AT_ONCE = 64


@dataclass(frozen=True)
class OneClip:
    """Features of one clip as the rows of a corpus."""

    block: np.ndarray

    def __len__(self) -> int:
        return 1

    def __getitem__(self, row: int) -> np.ndarray:
        return self.block


def windows_of(extractor: Extractor, waveform: np.ndarray) -> Fed:
    """Raw features of the windows that evaluation scores a clip by, and their own frames where padding is masked.

    They are rounded as a cache of features keeps them (those of trained encoders in float16).

    Raises:
        AudioError: the clip is shorter than one frame.
    """
    lengths = np.array([extractor.own_frames(len(waveform))]) if extractor.mask_padding else None
    block = extractor(waveform).astype(extractor.stored_dtype).astype(np.float32)
    clip = ClipTensors(
        OneClip(block), np.zeros(1, int), RAW, extractor.input_shape[2], extractor.test_windows, lengths,
        test_shift=extractor.test_shift,
    )  # fmt: skip
    starts = clip.windows(0)
    x, own = clip.at([0] * len(starts), starts)
    return x.numpy(), None if own is None else own.numpy()


RAW = Normaliser(np.zeros((1, 1, 1), np.float32), np.ones((1, 1, 1), np.float32))


def score_clips(scorer: Scorer, clips: Iterable[Sequence[Fed]]) -> Iterator[np.ndarray]:
    """Scores (labels,) float64 of each clip in turn: the mean over networks of the mean over windows.

    Args:
        clips: of each clip, what every input is fed: its windows.
    """
    waiting: list[Sequence[Fed]] = []
    for clip in clips:
        waiting.append(clip)
        if sum(_n_rows(clip) for clip in waiting) >= ROWS_AT_ONCE:
            yield from _scored(scorer, waiting)
            waiting = []
    if waiting:
        yield from _scored(scorer, waiting)


def rates_of(inputs: Sequence[ScoredInput]) -> tuple[int, ...]:
    """The sample rates at which a clip is needed, in Hz."""
    return tuple(dict.fromkeys(given.extractor.rate_hz for given in inputs))


def _n_rows(clip: Sequence[Fed]) -> int:
    """Rows of a clip: inputs of fewer windows are filled up with their last one."""
    return max(len(features) for features, _ in clip)


def _scored(scorer: Scorer, clips: Sequence[Sequence[Fed]]) -> Iterator[np.ndarray]:
    sizes = [_n_rows(clip) for clip in clips]
    fed = [_stacked([clip[k] for clip in clips], sizes) for k in range(len(scorer.inputs))]
    found = _in_parts(scorer, fed)
    for number, start in enumerate(np.cumsum([0, *sizes[:-1]])):
        own = [len(clips[number][k][0]) for k in range(len(found))]
        yield mean_over_networks(
            [scores[start : start + n].mean(axis=0) for scores, n in zip(found, own, strict=True)], scorer.inputs
        )


def _stacked(each: Sequence[Fed], sizes: Sequence[int]) -> Fed:
    places = [np.minimum(np.arange(size), len(fed[0]) - 1) for fed, size in zip(each, sizes, strict=True)]
    features = np.concatenate([fed[0][place] for fed, place in zip(each, places, strict=True)])
    lengths = [fed[1][place] for fed, place in zip(each, places, strict=True) if fed[1] is not None]
    return features, np.concatenate(lengths) if lengths else None


def _in_parts(scorer: Scorer, fed: Sequence[Fed]) -> list[np.ndarray]:
    """Scores of each input; a clip of very many windows is not scored at once."""
    n_rows = len(fed[0][0])
    parts = [
        scorer.scores([
            (x[first : first + ROWS_AT_ONCE], None if own is None else own[first : first + ROWS_AT_ONCE])
            for x, own in fed
        ])
        for first in range(0, n_rows, ROWS_AT_ONCE)
    ]  # fmt: skip
    return [np.concatenate([part[k] for part in parts]) for k in range(len(fed))]
