"""Whether an exported model gives what the networks in torch give, on clips of the corpus that they were trained on."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from audionas.audio.manifest import Clip, Manifest
from audionas.audio.waveform import load_waveform
from audionas.errors import AudioError, RunError
from audionas.exchange.clip_windows import rates_of, windows_of
from audionas.exchange.onnx_file import SCORES, ParityCheck
from audionas.exchange.onnx_scorer import run_session, session_of
from audionas.exchange.scored_input import Fed, ScoredInput
from audionas.exchange.torch_scorer import TorchScorer
from audionas.quantities import count_text
from audionas.seeding import generator

ACCEPTED = 1e-4  # largest difference of a score
N_CLIPS = 8


def checked(model: bytes, scorer: TorchScorer, manifest: Manifest, where: str) -> ParityCheck:
    """Compare scores by onnxruntime and by torch: of several clips at once, of one alone, of other numbers of frames.

    Raises:
        RunError: they differ.
    """
    fed, on = _rows(scorer, manifest)
    session = session_of(model, "the exported model")
    names = [SCORES] if len(scorer.inputs) == 1 else [SCORES, *(given.scores for given in scorer.inputs)]
    largest, scale = 0.0, _scale(scorer)
    for rows in (fed, [_first(each) for each in fed], *_other_lengths(scorer)):
        pairs = zip(run_session(session, scorer.inputs, rows, names), scorer.outputs(rows), strict=True)
        found = [float((np.abs(by_onnx - by_torch) / scale).max()) for by_onnx, by_torch in pairs]
        largest = max(largest, *(difference if math.isfinite(difference) else math.inf for difference in found))
    if largest > ACCEPTED:
        raise RunError(
            f"{where}: onnxruntime gives other scores than torch: largest difference {largest:.2g} on {on}, accepted "
            f"{ACCEPTED:g}; nothing was written (a network whose scores are not finite cannot be exported)"
        )
    return ParityCheck(on=on, largest_difference=largest, accepted=ACCEPTED)


def _scale(scorer: TorchScorer) -> np.ndarray:
    """What a difference is measured in: 1 of probabilities; of numbers the sd of the training targets, (targets,)."""
    if scorer.task != "regression":
        return np.ones(1)
    each = [scoring.task.state()["std"] for scoring in scorer.ensemble.scoring()]
    return np.asarray(np.min(each, axis=0))


def _rows(scorer: TorchScorer, manifest: Manifest) -> tuple[list[Fed], str]:
    """A few clips of the corpus where their audio is there, else random features; and which of both."""
    places = np.unique(np.linspace(0, len(manifest) - 1, N_CLIPS).astype(int))
    try:
        clips = [_windows(scorer.inputs, manifest, manifest.clips[place]) for place in places]
    except AudioError:
        return [_random(scorer, k, N_CLIPS, given.shape[2]) for k, given in enumerate(scorer.inputs)], (
            "random input (audio of the run's corpus is missing)"
        )
    stacked = [_stacked([clip[k] for clip in clips]) for k in range(len(scorer.inputs))]
    return stacked, f"{count_text(len(places), 'clip')} of the run's corpus"


def _windows(inputs: Sequence[ScoredInput], manifest: Manifest, clip: Clip) -> list[Fed]:
    """The first window of a clip for each input."""
    path = manifest.path_of(clip)
    loaded = {rate: load_waveform(path, rate, clip.start_s, clip.duration_s) for rate in rates_of(inputs)}
    extractors = [given.extractor for given in inputs]
    return [_first(windows_of(each, loaded[each.rate_hz])) for each in extractors]


def _other_lengths(scorer: TorchScorer) -> Iterator[list[Fed]]:
    """Random features of other numbers of rows and frames, where the graph takes any."""
    if not all(given.is_any_length for given in scorer.inputs):
        return
    for n_rows, change in ((2, 7), (5, -3)):
        frames = [max(1, given.shape[2] + change) for given in scorer.inputs]
        yield [_random(scorer, k, n_rows, n_frames) for k, n_frames in enumerate(frames)]


def _random(scorer: TorchScorer, number: int, n_rows: int, n_frames: int) -> Fed:
    """Features that look like the training clips' by mean and sd, their padding 0."""
    given, (mean, std) = scorer.inputs[number], scorer.ensemble.normaliser(number)
    rng = generator(0, "onnx check", given.features, n_rows)
    noise = rng.normal(size=(n_rows, *given.shape[:2], n_frames))
    features = np.asarray(mean + std * noise, np.float32)
    if given.lengths is None:
        return features, None
    lengths = rng.integers(1, n_frames + 1, n_rows)
    is_padding = np.arange(n_frames)[None, :] >= lengths[:, None]
    return np.where(is_padding[:, None, None, :], np.float32(0), features), lengths


def _first(fed: Fed) -> Fed:
    return fed[0][:1], None if fed[1] is None else fed[1][:1]


def _stacked(each: Sequence[Fed]) -> Fed:
    lengths = [own for _, own in each if own is not None]
    return np.concatenate([features for features, _ in each]), np.concatenate(lengths) if lengths else None
