"""A recording as if it were live: after its end the scores that the network gives to all its frames at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from audionas.audio.manifest import Manifest
from audionas.audio.waveform import load_waveform
from audionas.errors import SettingsError
from audionas.exchange.score_stream import ScoreStream
from audionas.experiment.chosen_networks import Choice, choose_networks, scorer_of
from audionas.experiment.cuts import Segmenting
from audionas.experiment.predict import PredictRequest, predict
from audionas.experiment.predict_stream import predict_stream


@pytest.fixture
def clip(uneven_once: Path) -> Path:
    """A clip that is shorter than the input."""
    manifest = Manifest.read(uneven_once)
    return manifest.path_of(manifest.clips[0])


def request(run: Path, clip: Path, hop_s: float | None = 0.1, **choice: object) -> PredictRequest:
    return PredictRequest(run, (clip,), Choice(**choice), Segmenting(hop_s=hop_s))  # type: ignore[arg-type]


@pytest.mark.parametrize("hop_s", [0.013, 0.1, 5.0])
def test_at_the_end_of_a_clip_the_scores_are_those_of_predict(uneven_once: Path, clip: Path, hop_s: float) -> None:
    expected = predict(request(uneven_once, clip, None)).scores[0]
    found = predict_stream(request(uneven_once, clip, hop_s))
    np.testing.assert_allclose(found.scores[-1], expected, atol=1e-5)
    assert found.cuts[-1].end_s == pytest.approx(soundfile.info(clip).duration)
    assert {cut.start_s for cut in found.cuts} == {0.0}


def test_a_recording_of_any_length_and_rate_is_heard_to_its_end(uneven_once: Path, tmp_path: Path) -> None:
    """2 s at 11025 Hz, longer than the input: what the network gives to all frames of the resampled audio."""
    rng = np.random.default_rng(0)
    soundfile.write(tmp_path / "a.wav", 0.1 * rng.normal(size=22050), 11025)
    found = predict_stream(request(uneven_once, tmp_path / "a.wav", 0.2))
    assert [cut.end_s for cut in found.cuts] == pytest.approx([0.2 * k for k in range(1, 11)])
    scorer = scorer_of(choose_networks(uneven_once, Choice()))
    extractor = scorer.inputs[0].extractor
    waveform = load_waveform(tmp_path / "a.wav", extractor.rate_hz)
    frames = extractor(waveform)[:, :, : extractor.own_frames(len(waveform))]
    (scoring,) = scorer.ensemble.scoring()
    with torch.no_grad():
        expected = scoring(torch.from_numpy(frames)[None], torch.tensor([frames.shape[2]]))[0].numpy()
    np.testing.assert_allclose(found.scores[-1], expected, atol=1e-4)


def test_before_the_first_frame_there_are_no_scores(uneven_once: Path) -> None:
    stream = ScoreStream(scorer_of(choose_networks(uneven_once, Choice())), 8000)
    assert stream.push(np.zeros(100, np.float32)) is None
    assert stream.push(np.zeros(2000, np.float32)) is not None
    assert stream.n_frames > 0


def test_what_cannot_be_streamed_is_refused(uneven_once: Path, retrained_once: Path, clip: Path) -> None:
    with pytest.raises(SettingsError, match="needs the whole clip; only recurrent networks of one direction"):
        predict_stream(request(retrained_once, clip, fold="1"))
    with pytest.raises(SettingsError, match="trained on different features; take --fold K"):
        predict_stream(request(uneven_once, clip, ensemble=True))
    own = request(uneven_once, clip)
    with pytest.raises(SettingsError, match="--stream: got 2 files, must be 1"):
        predict_stream(replace(own, files=(clip, clip)))
    with pytest.raises(SettingsError, match="a stream is not cut"):
        predict_stream(replace(own, segmenting=Segmenting(window_s=1.0)))
    with pytest.raises(SettingsError, match="--hop: got 0, must be"):
        predict_stream(replace(own, segmenting=Segmenting(hop_s=0.0)))
    with pytest.raises(SettingsError, match="there is one file alone"):
        predict_stream(replace(own, skip_bad=True))


def test_networks_whose_padding_counts_are_not_streamed(uneven_once: Path) -> None:
    scorer = scorer_of(choose_networks(uneven_once, Choice()))
    counted = scorer.inputs[0].model_copy(update={"settings": {**scorer.inputs[0].settings, "mask_padding": False}})
    with pytest.raises(SettingsError, match="trained with padding that counts, and a stream has none"):
        ScoreStream(replace(scorer, inputs=(counted,)), 8000)
