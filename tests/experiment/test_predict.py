"""Predictions of audio files: those of the run's own evaluation, whatever the format; segments of long files."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audionas.audio.manifest import Manifest
from audionas.errors import AudioError, RunError, SettingsError
from audionas.experiment.chosen_networks import Choice
from audionas.experiment.cuts import Segmenting
from audionas.experiment.predict import PredictRequest, predict
from audionas.training.predictions import Predictions


def files_of(run: Path, clips: tuple[str, ...]) -> tuple[Path, ...]:
    manifest = Manifest.read(run)
    paths = {clip.clip: manifest.root / clip.path for clip in manifest.clips}
    return tuple(paths[clip] for clip in clips)


def request(run: Path, *files: Path, **choice: object) -> PredictRequest:
    return PredictRequest(run, files, Choice(**choice))  # type: ignore[arg-type]


@pytest.mark.parametrize(("seed", "folder"), [(None, "seed_0"), (1, "seed_1")])
def test_a_folds_network_gives_its_test_clips_what_it_gave_them(
    retrained_once: Path, seed: int | None, folder: str
) -> None:
    for fold in ("1", "3"):
        known = Predictions.read(retrained_once / f"split_{fold}" / folder / "predictions.csv")
        found = predict(request(retrained_once, *files_of(retrained_once, known.clips), fold=fold, seed=seed))
        assert found.networks == (f"split_{fold}/{folder}",)
        np.testing.assert_allclose(found.scores, known.scores, atol=1e-6)


def test_the_same_with_masked_padding_and_several_windows_of_clips_longer_than_the_input(uneven_once: Path) -> None:
    for fold in ("1", "2", "3"):
        known = Predictions.read(uneven_once / f"split_{fold}" / "seed_0" / "predictions.csv")
        found = predict(request(uneven_once, *files_of(uneven_once, known.clips), fold=fold))
        assert not found.has_segments
        np.testing.assert_allclose(found.scores, known.scores, atol=1e-6)


def test_an_ensemble_is_the_mean_of_its_networks(uneven_once: Path) -> None:
    clips = tuple(clip.clip for clip in Manifest.read(uneven_once).clips)
    files = files_of(uneven_once, clips)
    each = [predict(request(uneven_once, *files, fold=fold)).scores for fold in ("1", "2", "3")]
    found = predict(request(uneven_once, *files, ensemble=True))
    np.testing.assert_allclose(found.scores, np.mean(each, axis=0), atol=1e-6)


def test_the_final_model_is_taken_where_there_is_one_and_else_the_ways_are_named(
    uneven_once: Path, retrained_once: Path
) -> None:
    clip = files_of(uneven_once, (Manifest.read(uneven_once).clips[0].clip,))
    assert predict(request(uneven_once, *clip)).networks == ("final",)
    with pytest.raises(RunError, match=r"no final model; make one with audionas retrain --final, or take --ensemble "
                       r".* or --fold K \(the network of one; folds: 1, 2, 3\)"):  # fmt: skip
        predict(request(retrained_once, *clip))


@pytest.fixture
def recording(uneven_once: Path, tmp_path: Path) -> Callable[..., Path]:
    """The longest clip of a run again, as another file."""

    def write(name: str, rate: int = 8000, channels: int = 1, times: int = 1) -> Path:
        from audionas.audio.waveform import resample

        manifest = Manifest.read(uneven_once)
        clip = max(manifest.clips, key=lambda clip: clip.duration_s)
        samples, own_rate = soundfile.read(manifest.path_of(clip), dtype="float32")
        again = np.tile(resample(samples, own_rate, rate), times)
        soundfile.write(tmp_path / name, np.stack([again] * channels, axis=1), rate)
        return tmp_path / name

    return write


@pytest.mark.parametrize(
    ("name", "rate", "channels", "off"),
    [("a.flac", 8000, 1, 1e-4), ("a.wav", 8000, 2, 1e-4), ("a.wav", 22050, 1, 0.02), ("a.ogg", 16000, 2, 0.1),
     ("a.mp3", 16000, 1, 0.1)],
)  # fmt: skip
def test_format_rate_and_channels_make_no_difference(
    uneven_once: Path, recording: Callable[..., Path], name: str, rate: int, channels: int, off: float
) -> None:
    expected = predict(request(uneven_once, recording("b.wav"))).scores
    whole = Segmenting(segments=False)  # a decoder may add some silence
    found = predict(replace(request(uneven_once, recording(name, rate, channels)), segmenting=whole)).scores
    np.testing.assert_allclose(found, expected, atol=off)


def test_a_file_longer_than_any_clip_is_cut_into_segments_that_are_scored_as_clips(
    uneven_once: Path, recording: Callable[..., Path], tmp_path: Path
) -> None:
    """3.2 s at 0.8 s (the longest clip, and about the input's length), the last segment moved back to the end."""
    long = recording("long.wav", times=4)
    found = predict(request(uneven_once, long))
    window_s = found.cuts[0].end_s
    assert found.has_segments
    assert 0.7 < window_s < 0.9
    starts = [cut.start_s for cut in found.cuts]
    assert starts == pytest.approx([0, window_s, 2 * window_s, 3 * window_s, 3.2 - window_s][: len(starts) - 1]
                                   + [3.2 - window_s], abs=1e-6)  # fmt: skip
    samples, rate = soundfile.read(long, dtype="float32")
    second = found.cuts[1]
    soundfile.write(tmp_path / "part.wav", samples[round(second.start_s * rate) : round(second.end_s * rate)], rate)
    alone = predict(request(uneven_once, tmp_path / "part.wav"))
    np.testing.assert_allclose(alone.scores[0], found.scores[1], atol=1e-4)
    whole = predict(replace(request(uneven_once, long), segmenting=Segmenting(segments=False)))
    assert [(cut.start_s, cut.end_s) for cut in whole.cuts] == [(0.0, 3.2)]


def test_segments_can_be_asked_for(uneven_once: Path, recording: Callable[..., Path]) -> None:
    """0.8 s in windows of 0.3 s, 0.2 s apart: the last one ends with the file."""
    file = recording("a.wav")
    found = predict(replace(request(uneven_once, file), segmenting=Segmenting(window_s=0.3, hop_s=0.2)))
    assert [cut.start_s for cut in found.cuts] == pytest.approx([0.0, 0.2, 0.4, 0.5])
    assert [cut.end_s for cut in found.cuts] == pytest.approx([0.3, 0.5, 0.7, 0.8])
    one = predict(replace(request(uneven_once, file), segmenting=Segmenting(segments=True, window_s=5.0)))
    assert [(cut.start_s, cut.end_s) for cut in one.cuts] == [(0.0, pytest.approx(0.8))]


@pytest.mark.parametrize(
    ("segmenting", "words"),
    [
        (Segmenting(window_s=0.0), r"--window: got 0, must be 0.01 s or more"),
        (Segmenting(hop_s=float("nan")), r"--hop: got nan, must be"),
        (Segmenting(segments=False, window_s=1.0), r"--window and --whole: give one of them"),
    ],
)
def test_lengths_that_cannot_be_are_refused(uneven_once: Path, segmenting: Segmenting, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        predict(replace(request(uneven_once, Path("a.wav")), segmenting=segmenting))


def test_unusable_files_stop_everything_unless_they_are_to_be_skipped(
    uneven_once: Path, recording: Callable[..., Path], tmp_path: Path
) -> None:
    good, bad = recording("a.wav"), tmp_path / "bad.wav"
    bad.write_bytes(b"no audio")
    for files in ((good, bad), (good, tmp_path / "none.wav"), (good, tmp_path)):
        with pytest.raises(AudioError, match=rf"^{files[1]}: .* \(1 of 2 files cannot be used; --skip-bad leaves them"):
            predict(request(uneven_once, *files))
    found = predict(replace(request(uneven_once, bad, good, tmp_path), skip_bad=True))
    assert [cut.file.path for cut in found.cuts] == [good]
    assert [line.split(":")[0] for line in found.skipped] == [str(bad), str(tmp_path)]
    with pytest.raises(AudioError, match=r"none of 1 files can be used"):
        predict(replace(request(uneven_once, bad), skip_bad=True))


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"ensemble": True, "fold": "1"}, "--ensemble and --fold: give one of them"),
        ({"seed": 0}, "--seed: is for --fold and --ensemble"),
        ({"fold": "9"}, r"--fold: got '9'; .* has: 1, 2, 3"),
        ({"fold": "1", "seed": 5}, r"--seed: got 5; .* has: 0$"),
    ],
)
def test_networks_that_are_not_there_are_refused(uneven_once: Path, choice: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        predict(request(uneven_once, Path("a.wav"), **choice))


def test_a_network_that_diverged_is_left_out_of_an_ensemble_and_else_refused(
    uneven_once: Path, recording: Callable[..., Path], tmp_path: Path
) -> None:
    run = Path(shutil.copytree(uneven_once, tmp_path / "run"))
    (run / "split_2" / "seed_0" / "weights.safetensors").unlink()
    found = predict(request(run, recording("a.wav"), ensemble=True))
    assert found.networks == ("split_1/seed_0", "split_3/seed_0")
    with pytest.raises(RunError, match=r"split_2/seed_0 without weights\.safetensors: the training diverged"):
        predict(request(run, recording("a.wav"), fold="2"))


def test_a_place_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no such run folder"):
        predict(request(tmp_path / "none", Path("a.wav")))
    with pytest.raises(RunError, match="no such model file"):
        predict(request(tmp_path / "none.onnx", Path("a.wav")))
    (tmp_path / "x.onnx").write_bytes(b"no model")
    with pytest.raises(RunError, match=r"not a model that onnxruntime can load .*; give a file of audionas export"):
        predict(request(tmp_path / "x.onnx", Path("a.wav")))
    with pytest.raises(SettingsError, match="are for retrainings; an ONNX file holds its networks"):
        predict(request(tmp_path / "x.onnx", Path("a.wav"), fold="1"))
    with pytest.raises(SettingsError, match="nothing to predict"):
        predict(request(tmp_path))
