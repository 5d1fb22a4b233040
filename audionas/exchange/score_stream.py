"""Scores of one recording as its audio comes: chunk after chunk, those of the whole audio so far."""

from __future__ import annotations

import numpy as np
import soxr
import torch

from audionas.errors import SettingsError
from audionas.exchange.scoring_network import ScoringNetwork
from audionas.exchange.torch_scorer import TorchScorer
from audionas.features.frame_feed import FrameFeed
from audionas.models.streaming import FrameStream


class ScoreStream:
    """Audio in, scores out, by causal recurrent networks; several of equal features are averaged.

    However the audio is cut into chunks, the scores after `finish` are those that the networks give to all its frames
    at once. The audio may be longer than the networks' input: no part of it is left out.

    Args:
        rate_hz: of the audio; it is resampled as it comes.

    Raises:
        SettingsError: a network or the features need the whole clip, padding counts, or the features differ.
    """

    def __init__(self, scorer: TorchScorer, rate_hz: int) -> None:
        if len(scorer.inputs) > 1:
            raise SettingsError("streaming: these networks were trained on different features; take --fold K")
        extractor = scorer.inputs[0].extractor
        self._members = [(scoring, FrameStream(scoring.network)) for scoring in scorer.ensemble.scoring()]
        if not extractor.mask_padding:
            raise SettingsError(
                "streaming: these networks were trained with padding that counts, and a stream has none; retrain with "
                "--padding masked"
            )
        self._feed = FrameFeed(extractor)
        self._resample = None
        if rate_hz != extractor.rate_hz:
            self._resample = soxr.ResampleStream(rate_hz, extractor.rate_hz, 1, dtype="float32", quality="HQ")
        self._scores: np.ndarray | None = None

    @property
    def n_frames(self) -> int:
        """Frames heard so far."""
        return self._members[0][1].n_frames

    def push(self, samples: np.ndarray) -> np.ndarray | None:
        """Scores (labels,) float64 of the audio so far; None as long as there is not one frame.

        Args:
            samples: (samples,) float32, mono.
        """
        if self._resample is not None:
            samples = self._resample.resample_chunk(np.ascontiguousarray(samples, np.float32))
        return self._scored(self._feed.push(samples))

    def finish(self) -> np.ndarray:
        """Scores of the whole audio, with the frames at its end.

        Raises:
            SettingsError: there was no audio.
        """
        if self._resample is not None:
            self._scored(self._feed.push(self._resample.resample_chunk(np.zeros(0, np.float32), last=True)))
        found = self._scored(self._feed.finish())
        assert found is not None
        return found

    def _scored(self, frames: np.ndarray) -> np.ndarray | None:
        if frames.shape[2]:
            each = [_pushed(scoring, stream, frames) for scoring, stream in self._members]
            self._scores = np.mean(each, axis=0)
        return self._scores


def _pushed(scoring: ScoringNetwork, stream: FrameStream, frames: np.ndarray) -> np.ndarray:
    x = (torch.from_numpy(frames)[None].to(scoring.mean) - scoring.mean) / scoring.std
    with torch.no_grad():
        return np.asarray(scoring.task.scores(stream.push(x))[0].double().cpu().numpy())
