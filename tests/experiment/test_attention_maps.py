"""Attention maps of a clip, from the weights of a retraining; and training on all windows of a clip on the way."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audionas.audio.manifest import Manifest
from audionas.errors import RunError, SettingsError
from audionas.experiment.attention_maps import _stitched, export_maps, picture_of
from audionas.experiment.prepare import PrepareOptions
from audionas.experiment.retrain import RetrainRequest, retrain
from audionas.models.baselines import named_baseline
from audionas.training.predictions import read_predictions
from tests.experiment.conftest import make_tiny_corpus

BY_SPEAKER = PrepareOptions(group_from="^(s[0-9])", folds="3")
FEATURES = """extractor: spectrogram
sample_rate_hz: 8000
length_s: 0.2
window_ms: 16
hop_ms: 10
n_fft: 128
bins: 16
frames: 20
log: false
mu_law: 255
normalise: none
train_windows: all
train_shift_s: 0.1
test_windows: multi
test_shift_s: 0.1
"""


def retrained(folder: Path, **settings: str) -> Path:
    (folder / "features.yaml").write_text(FEATURES)
    baseline = named_baseline("attention_pooling_cnn", {"channels": "[4, 6]", "pool_after": "[2]", **settings})
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("AUDIONAS_CACHE", str(folder / "cache"))
        return retrain(
            RetrainRequest(
                (), make_tiny_corpus(folder), str(folder / "features.yaml"), epochs=2, seeds=1, threads=1,
                out=folder / "out", preparation=BY_SPEAKER, baseline=baseline,
            )
        )  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return retrained(tmp_path_factory.mktemp("maps"))


def test_training_takes_all_windows_and_says_so(run: Path) -> None:
    """0.5 s clips in windows of 0.2 s, 0.1 s apart: 0, 0.1, 0.2 and 0.3 s, so 4 of each of 24 clips."""
    record = json.loads((run / "run.json").read_text())
    assert any("training takes all windows 0.1 s apart, 96 of 24 clips" in note for note in record["notes"])


def test_maps_have_the_size_of_the_spectrogram_and_say_who_drew_them(run: Path) -> None:
    manifest = Manifest.read(run)
    clip = manifest.root / manifest.clips[0].path
    picture = picture_of(run, clip)
    assert picture.spectrogram.shape == picture.class_agnostic.shape == (16, 50)
    assert sorted(picture.class_specific) == sorted(manifest.labels) == ["high", "low"]
    assert picture.duration_s == pytest.approx(0.5)
    assert picture.top == pytest.approx(16 * 8000 / 128 / 1000)
    assert "it was not trained on this clip" in picture.title


def test_the_probabilities_are_those_of_the_retraining(run: Path) -> None:
    """The network of the split that the clip tests, on the same windows: what `predictions.csv` has."""
    manifest = Manifest.read(run)
    for row in (0, 13):
        clip = manifest.clips[row]
        picture = picture_of(run, manifest.root / clip.path)
        name = picture.title.split("network ")[1].split(":")[0]
        found = read_predictions(run / name / "predictions.csv")["test"]
        at = list(found.clips).index(clip.clip)
        np.testing.assert_allclose(found.scores[at], [picture.scores[label] for label in manifest.labels], atol=1e-5)


def test_a_file_of_elsewhere_of_any_length_has_maps(run: Path, tmp_path: Path) -> None:
    for seconds in (0.05, 1.73):
        path = tmp_path / f"{seconds}.wav"
        soundfile.write(path, np.random.default_rng(0).normal(size=int(16_000 * seconds)) * 0.1, 16_000)
        picture = picture_of(run, path)
        assert picture.class_agnostic.shape == picture.spectrogram.shape == (16, round(seconds * 100))
        assert np.isfinite(picture.class_agnostic).all()


@pytest.mark.parametrize("name", ["maps.png", "maps.svg"])
def test_the_picture_is_a_file_that_shows_every_class(run: Path, tmp_path: Path, name: str) -> None:
    manifest = Manifest.read(run)
    assert export_maps(run, manifest.root / manifest.clips[0].path, tmp_path / name) == tmp_path / name
    head = (tmp_path / name).read_bytes()
    if name.endswith("png"):
        assert head.startswith(b"\x89PNG")
    else:
        text = head.decode()
        assert all(words in text for words in ("class-agnostic", "high: probability", "low: probability", "kHz"))


def test_windows_are_averaged_where_they_overlap() -> None:
    """Two windows of 4 frames in maps of 2 columns, the second from frame 2 on; one map, one row."""
    maps = np.array([[[[1.0, 3.0]]], [[[5.0, 7.0]]]])
    found = _stitched(maps, [0, 2], 2, 4, 6)
    np.testing.assert_allclose(found[0], [[1, 1, 4, 4, 7, 7]] * 2)


@pytest.mark.parametrize(("clip", "out"), [(None, "a.png"), ("c.wav", None), ("c.wav", "a.pdf")])
def test_maps_need_a_clip_and_a_picture_s_name(tmp_path: Path, clip: str | None, out: str | None) -> None:
    with pytest.raises(SettingsError, match=r"--to maps: needs --clip AUDIO_FILE and --out FILE.png or FILE.svg"):
        export_maps(tmp_path, Path(clip) if clip else None, tmp_path / out if out else None)


def test_a_network_that_averages_has_no_maps(tmp_path: Path) -> None:
    out = retrained(tmp_path, pooling="gap")
    manifest = Manifest.read(out)
    with pytest.raises(RunError, match="its network has no attention maps; attention_pooling_cnn has them"):
        picture_of(out, manifest.root / manifest.clips[0].path)


def test_a_retraining_without_weights_is_refused(run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    for path in copy.rglob("weights.safetensors"):
        path.unlink()
    manifest = Manifest.read(run)
    with pytest.raises(RunError, match="no training has weights; retrain"):
        picture_of(copy, manifest.root / manifest.clips[0].path)
