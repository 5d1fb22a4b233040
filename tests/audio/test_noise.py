"""Noise is mixed at the SNR that is asked for, drawn by the clip's content, and never a clip of the corpus."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from audionas.audio.manifest import Clip, Manifest
from audionas.audio.noise import NoiseAtSnr, NoiseFolder, mix_at_snr, read_noise_folder
from audionas.audio.waveform import sha256_of
from audionas.errors import AudioError, ManifestError

RATE = 8000


@pytest.fixture
def noise(tmp_path: Path) -> NoiseFolder:
    """Two files of other noise: 1 s, and 0.1 s."""
    rng = np.random.default_rng(0)
    for name, n_samples in (("long.wav", RATE), ("short.wav", RATE // 10)):
        path = tmp_path / "noise" / "inside" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, rng.normal(scale=0.1, size=n_samples), RATE)
    return read_noise_folder(tmp_path / "noise", tmp_path / "noise.jsonl")


def clip(name: str) -> Clip:
    return Clip(path=name, label="a", group="g", sha256=name * 8)


@pytest.mark.parametrize("snr_db", [20.0, 10.0, 0.0, -5.0])
def test_the_mixture_has_the_snr_by_its_formula(noise: NoiseFolder, snr_db: float) -> None:
    speech = np.sin(np.arange(4000) / 7).astype(np.float32) * 0.3
    mixed = NoiseAtSnr(noise, snr_db)(speech, RATE, clip("x"))
    added = mixed.astype(np.float64) - speech
    assert 10 * np.log10(np.mean(speech.astype(np.float64) ** 2) / np.mean(added**2)) == pytest.approx(snr_db, abs=1e-3)
    assert mixed.dtype == np.float32


def test_only_the_level_of_the_noise_differs_between_snrs(noise: NoiseFolder) -> None:
    speech = np.sin(np.arange(4000) / 7).astype(np.float32)
    loud, quiet = (NoiseAtSnr(noise, snr)(speech, RATE, clip("x")) - speech for snr in (0.0, 20.0))
    assert loud == pytest.approx(10 * quiet, abs=1e-5)


def test_the_stretch_depends_on_the_clip_and_not_on_file_names_or_order(noise: NoiseFolder, tmp_path: Path) -> None:
    twin = tmp_path / "renamed"
    twin.mkdir()
    for file, name in zip(noise.files, ("z.wav", "a.wav"), strict=True):
        (twin / name).write_bytes((noise.root / file.path).read_bytes())
    other = read_noise_folder(twin, tmp_path / "renamed.jsonl")
    assert other.sha256 == noise.sha256
    assert NoiseAtSnr(other, 3.0).key == NoiseAtSnr(noise, 3.0).key != NoiseAtSnr(noise, 4.0).key
    keys = [f"k{i}" for i in range(8)]
    drawn = [noise.stretch(2000, RATE, key) for key in keys]
    assert all(np.array_equal(found, other.stretch(2000, RATE, key)) for found, key in zip(drawn, keys, strict=True))
    assert len({found.tobytes() for found in drawn}) == len(keys)


def test_a_file_shorter_than_the_clip_is_repeated(tmp_path: Path) -> None:
    (tmp_path / "n").mkdir()
    soundfile.write(tmp_path / "n" / "n.wav", np.random.default_rng(0).normal(size=100) * 0.1, RATE)
    found = read_noise_folder(tmp_path / "n", tmp_path / "j").stretch(350, RATE, "clip")
    assert found.shape == (350,)
    assert np.array_equal(found[:100], found[100:200])


def test_a_silent_clip_stays_silent() -> None:
    assert not mix_at_snr(np.zeros(10, np.float32), np.ones(10, np.float32), 0.0).any()


def test_noise_that_is_a_clip_of_the_corpus_is_refused(noise: NoiseFolder, tmp_path: Path) -> None:
    own = Clip("speech.wav", "a", "g", sha256=sha256_of(noise.root / "inside" / "long.wav"))
    manifest = Manifest(tmp_path, (own, clip("y")), ("a",))
    with pytest.raises(ManifestError, match=r"long\.wav: is a clip of the corpus \(speech\.wav\), as are 0 other"):
        noise.refuse_clips_of(manifest)
    noise.refuse_clips_of(Manifest(tmp_path, (clip("y"),), ("a",)))


def test_a_folder_without_usable_noise_is_refused(tmp_path: Path) -> None:
    journal = tmp_path / "j"
    with pytest.raises(AudioError, match="no such folder of noise"):
        read_noise_folder(tmp_path / "none", journal)
    (tmp_path / "n").mkdir()
    with pytest.raises(AudioError, match=r"holds no audio; accepted: \.wav"):
        read_noise_folder(tmp_path / "n", journal)
    soundfile.write(tmp_path / "n" / "zero.wav", np.zeros(100), RATE)
    with pytest.raises(AudioError, match="every file holds only zeros"):
        read_noise_folder(tmp_path / "n", journal)


def test_noise_that_is_nearly_all_gap_is_refused(tmp_path: Path) -> None:
    (tmp_path / "n").mkdir()
    samples = np.zeros(RATE * 60)
    samples[-1] = 0.5
    soundfile.write(tmp_path / "n" / "gap.wav", samples, RATE)
    with pytest.raises(AudioError, match="stretches of this noise hold only zeros"):
        read_noise_folder(tmp_path / "n", tmp_path / "j").stretch(100, RATE, "clip")
