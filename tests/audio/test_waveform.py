"""Loading: the samples that were written, the cut that was asked for, and one line for every bad file."""

from __future__ import annotations

import struct
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile

from audionas.audio.waveform import load_waveform, sha256_of
from audionas.errors import AudioError


def one_line(error: pytest.ExceptionInfo[AudioError], path: Path) -> str:
    text = str(error.value)
    assert "\n" not in text
    assert text.startswith(str(path))
    return text


@pytest.fixture
def stereo() -> np.ndarray:
    return np.random.default_rng(0).uniform(-0.5, 0.5, size=(8000, 2)).astype(np.float32)


@pytest.mark.parametrize(("suffix", "subtype", "tolerance"), [
    ("wav", "FLOAT", 0.0), ("wav", "PCM_16", 2**-15), ("flac", "PCM_16", 2**-15),
])  # fmt: skip
def test_channels_are_averaged_to_mono_float32(
    tmp_path: Path, stereo: np.ndarray, suffix: str, subtype: str, tolerance: float
) -> None:
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, stereo, 8000, subtype=subtype)
    waveform = load_waveform(path, 8000)
    assert waveform.dtype == np.float32
    np.testing.assert_allclose(waveform, (stereo[:, 0] + stereo[:, 1]) / 2, atol=tolerance + 1e-7)


@pytest.mark.parametrize("suffix", ["mp3", "ogg"])
def test_lossy_files_keep_length_and_sound(tmp_path: Path, suffix: str) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)
    soundfile.write(tmp_path / f"a.{suffix}", tone, 16_000)
    waveform = load_waveform(tmp_path / f"a.{suffix}", 16_000)
    assert len(waveform) == 16_000
    np.testing.assert_allclose(waveform[2000:-2000], tone[2000:-2000], atol=0.05)


def test_a_cut_gives_the_samples_between_its_ends(tmp_path: Path) -> None:
    ramp = np.arange(8000, dtype=np.float32) / 8000
    soundfile.write(tmp_path / "ramp.wav", ramp, 8000, subtype="FLOAT")
    np.testing.assert_array_equal(load_waveform(tmp_path / "ramp.wav", 8000, 0.25, 0.5), ramp[2000:6000])
    np.testing.assert_array_equal(load_waveform(tmp_path / "ramp.wav", 8000, 0.75), ramp[6000:])


@pytest.mark.parametrize(("rate", "n_expected"), [(8000, 15_186), (11_025, 20_929), (44_100, 83_713)])
def test_resampling_equals_librosa(speech_path: Path, rate: int, n_expected: int) -> None:
    expected, _ = librosa.load(speech_path, sr=rate, res_type="soxr_hq")
    waveform = load_waveform(speech_path, rate)
    assert len(waveform) == len(expected) == n_expected  # ceil(30,372 * rate / 16,000)
    np.testing.assert_array_equal(waveform, expected)


def test_unreadable_files_are_one_line_that_names_them(tmp_path: Path) -> None:
    missing, empty, junk = tmp_path / "no.wav", tmp_path / "empty.wav", tmp_path / "junk.flac"
    zero = tmp_path / "zero.wav"
    empty.touch()
    junk.write_bytes(b"this is no audio" * 10)
    soundfile.write(zero, np.zeros((0, 1)), 8000)
    cases = {missing: "no such audio file", empty: "0 bytes", junk: "cannot be decoded", zero: "no samples",
             tmp_path: "is a folder"}  # fmt: skip
    for path, words in cases.items():
        with pytest.raises(AudioError) as error:
            load_waveform(path, 8000)
        assert words in one_line(error, path)


@pytest.mark.parametrize("suffix", ["flac", "mp3"])
def test_a_truncated_file_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, np.random.default_rng(0).uniform(-0.5, 0.5, 48_000), 16_000)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(AudioError) as error:
        load_waveform(path, 16_000)
    assert any(words in one_line(error, path) for words in ("cannot be decoded", "damaged"))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused(tmp_path: Path, value: float) -> None:
    samples = np.zeros(100, dtype=np.float32)
    samples[7] = value
    soundfile.write(tmp_path / "a.wav", samples, 8000, subtype="FLOAT")
    with pytest.raises(AudioError, match="1 of 100 values are NaN or infinite") as error:
        load_waveform(tmp_path / "a.wav", 8000)
    one_line(error, tmp_path / "a.wav")


@pytest.mark.parametrize("form", ["WAV", "WAVEX"])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT", "ULAW"])
def test_a_wav_cut_behind_its_header_is_refused(tmp_path: Path, form: str, subtype: str, stereo: np.ndarray) -> None:
    path = tmp_path / "cut.wav"
    soundfile.write(path, stereo, 8000, subtype=subtype, format=form)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(AudioError) as error:
        load_waveform(path, 8000)
    assert "of 8000 samples; copy the file again" in one_line(error, path)


def chunks(data: bytes, told: int, *before: bytes) -> bytes:
    """A WAV file of mono 16 bit at 8 kHz, whose header tells a size of its data."""
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16)
    body = b"WAVE" + form + b"".join(before) + struct.pack("<4sI", b"data", told) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize(("told", "before"), [
    (0xFFFFFFFF, ()), (0x7FFFFFFF, ()), (2000, (struct.pack("<4sI4s", b"LIST", 3, b"abc"),)), (2010, ()),
], ids=["a stream", "a stream, signed", "behind an odd chunk", "a few bytes too many"])  # fmt: skip
def test_a_wav_of_a_loose_header_is_read(tmp_path: Path, told: int, before: tuple[bytes, ...]) -> None:
    path = tmp_path / "loose.wav"
    path.write_bytes(chunks(np.arange(1000, dtype="<i2").tobytes(), told, *before))
    np.testing.assert_array_equal(load_waveform(path, 8000) * 32768, np.arange(1000))


def test_a_cut_wav_is_refused_behind_an_odd_chunk_too(tmp_path: Path) -> None:
    path = tmp_path / "cut.wav"
    path.write_bytes(chunks(b"ab" * 100, 2000, struct.pack("<4sI4s", b"LIST", 3, b"abc")))
    with pytest.raises(AudioError, match="ends after 100 of 1000 samples"):
        load_waveform(path, 8000)


@pytest.mark.parametrize(("start_s", "duration_s"), [(1.0, 0.0), (0.5, 0.6), (2.0, 0.1), (-0.1, 0.2)])
def test_a_cut_outside_the_file_is_refused(tmp_path: Path, start_s: float, duration_s: float) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(8000), 8000)
    with pytest.raises(AudioError, match="not inside the file's 1 s; mend start_s and duration_s"):
        load_waveform(tmp_path / "a.wav", 8000, start_s, duration_s)


def test_a_duration_that_was_rounded_up_still_ends_with_the_file(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(8003), 8000)
    assert len(load_waveform(tmp_path / "a.wav", 8000, 0.0, 1.0004)) == 8003
    assert len(load_waveform(tmp_path / "a.wav", 8000, 0.5, 0.51)) == 4003


def test_a_cut_of_less_than_one_sample_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(8000), 8000)
    with pytest.raises(AudioError, match="0 samples long"):
        load_waveform(tmp_path / "a.wav", 8000, 0.5, 0.00001)


def test_sha256_is_that_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")  # FIPS 180-2, appendix B.1
    assert sha256_of(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    with pytest.raises(AudioError, match="no such audio file"):
        sha256_of(tmp_path / "b")
    with pytest.raises(AudioError, match="cannot read this file"):
        sha256_of(tmp_path)
