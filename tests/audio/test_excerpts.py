"""Excerpts for a page: mono FLAC of a limited size, the samples that were there."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audionas.audio.excerpts import MAX_BYTES, MAX_S, excerpt
from audionas.errors import AudioError


def decoded(data: bytes) -> tuple[np.ndarray, int]:
    with soundfile.SoundFile(io.BytesIO(data)) as file:
        assert (file.format, file.channels) == ("FLAC", 1)
        return file.read(dtype="float32"), file.samplerate


def test_a_short_clip_is_kept_as_it_is(tmp_path: Path) -> None:
    samples = (0.5 * np.sin(np.arange(8000) / 5)).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", samples, 8000)
    found = excerpt(tmp_path / "a.wav")
    assert found.is_whole
    assert (found.excerpt_s, found.duration_s) == (1.0, 1.0)
    heard, rate = decoded(found.data)
    assert rate == 8000
    np.testing.assert_allclose(heard, samples, atol=1 / 2**14)


def test_a_cut_is_taken_and_channels_and_high_rates_are_brought_down(tmp_path: Path) -> None:
    silence = np.zeros((48_000, 2))
    silence[24_000:, 0] = 0.5
    soundfile.write(tmp_path / "a.wav", silence, 48_000)
    heard, rate = decoded(excerpt(tmp_path / "a.wav", 0.5, 0.25).data)
    assert (rate, len(heard)) == (16_000, 4000)
    assert heard[1000:3000] == pytest.approx(0.25, abs=0.01)  # the mean of both channels


def test_a_long_clip_gives_its_beginning(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(20 * 8000), 8000)
    found = excerpt(tmp_path / "a.wav")
    assert not found.is_whole
    assert (found.excerpt_s, found.duration_s) == (MAX_S, 20.0)
    assert excerpt(tmp_path / "a.wav", 2.0, 15.0).duration_s == 15.0


def test_noise_is_cut_until_it_fits(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.random.default_rng(0).uniform(-1, 1, 16_000 * 8), 16_000)
    found = excerpt(tmp_path / "a.wav")
    assert len(found.data) <= MAX_BYTES
    assert 2 < found.excerpt_s < 8
    assert len(decoded(found.data)[0]) == round(found.excerpt_s * 16_000)


def test_equal_clips_give_equal_bytes(speech_path: Path) -> None:
    assert excerpt(speech_path).data == excerpt(speech_path).data


def test_what_cannot_be_read_is_an_audio_error(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"RIFF nothing")
    with pytest.raises(AudioError, match=r"a\.wav: cannot be decoded"):
        excerpt(tmp_path / "a.wav")
    with pytest.raises(AudioError, match="no such audio file"):
        excerpt(tmp_path / "b.wav")
