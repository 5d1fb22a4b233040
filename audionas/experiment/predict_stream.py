"""`audionas predict MODEL FILE --stream`: the scores of a recording after every second, as if it were live."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from audionas.audio.waveform import opened
from audionas.errors import AudionasError, SettingsError
from audionas.exchange.score_stream import ScoreStream
from audionas.exchange.torch_scorer import TorchScorer
from audionas.experiment.cuts import AudioFile, Cut, Segmenting, read_files
from audionas.experiment.predict import PredictRequest, open_scorer
from audionas.experiment.predicted import Predicted
from audionas.experiment.talk import Silent, Talk

DEFAULT_HOP_S = 1.0


def predict_stream(request: PredictRequest, talk: Talk | None = None) -> Predicted:
    """Scores of the audio from the start to each hop, and to the end; chunk by chunk, never read as a whole.

    Raises:
        SettingsError: not one file, options that mean nothing here, or networks or features that need the whole clip.
        AudionasError: of its kinds, as `predict`.
    """
    hop_s = DEFAULT_HOP_S if request.segmenting.hop_s is None else request.segmenting.hop_s
    Segmenting(hop_s=hop_s).check()
    if len(request.files) != 1:
        raise SettingsError(f"--stream: got {len(request.files)} files, must be 1")
    if request.segmenting.window_s is not None or request.segmenting.segments is not None:
        raise SettingsError("--stream beside --window, --segments or --whole: a stream is not cut; --hop is how often")
    if request.skip_bad:
        raise SettingsError("--stream and --skip-bad: there is one file alone")
    scorer = open_scorer(request, talk or Silent())
    if not isinstance(scorer, TorchScorer):
        raise SettingsError("--stream needs the retrained folder: a graph of ONNX keeps no states between chunks")
    (file,), _ = read_files(request.files, skip_bad=False)
    stream = ScoreStream(scorer, file.rate_hz)
    found = list(_scores(stream, file, hop_s))
    cuts = tuple(Cut(file, 0.0, end_s, is_whole=False) for end_s, _ in found)
    names = scorer.inputs[0].networks
    table = np.stack([scores for _, scores in found])
    if not np.isfinite(table).all():
        raise AudionasError(f"{request.model}: gives scores that are not finite; take other networks, or retrain")
    return Predicted(scorer.task, scorer.labels, names, cuts, table)


def _scores(stream: ScoreStream, file: AudioFile, hop_s: float) -> Iterator[tuple[float, np.ndarray]]:
    """Seconds of audio so far, and scores of it; the last of all of it."""
    n_heard = 0
    for chunk in _chunks(file.path, max(1, round(hop_s * file.rate_hz))):
        n_heard += len(chunk)
        scores = stream.push(chunk)
        if scores is not None and n_heard / file.rate_hz < file.duration_s:
            yield n_heard / file.rate_hz, scores
    yield file.duration_s, stream.finish()


def _chunks(path: Path, n_samples: int) -> Iterator[np.ndarray]:
    with opened(path) as audio:
        while len(block := audio.read(n_samples, dtype="float32", always_2d=True)):
            yield block.mean(axis=1, dtype=np.float32)
