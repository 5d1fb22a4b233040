"""Scanning: every file read once, a journal that survives a kill, bad files named."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audionas.audio import scan as scan_module
from audionas.audio.scan import scan, scan_file
from audionas.audio.waveform import sha256_of
from audionas.errors import AudioError

NAMES = ["a.wav", "b.wav", "c.wav"]


@pytest.fixture
def root(tmp_path: Path, write_tone) -> Path:
    for name in NAMES:
        write_tone(tmp_path / "audio" / name)
    return tmp_path / "audio"


@pytest.fixture
def read_files(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that are really read."""
    seen: list[str] = []

    def spy(root: Path, path: str) -> scan_module.ScannedFile:
        seen.append(path)
        return scan_file(root, path)

    monkeypatch.setattr(scan_module, "scan_file", spy)
    return seen


def test_a_scan_tells_rate_length_hash_and_silence(root: Path) -> None:
    soundfile.write(root / "silent.flac", np.zeros((4000, 2)), 16_000)
    found = scan_file(root, "silent.flac")
    assert (found.sample_rate_hz, found.n_samples, found.duration_s, found.is_silent) == (
        16_000,
        4000,
        0.25,
        True,
    )
    assert found.sha256 == sha256_of(root / "silent.flac")
    assert not scan_file(root, "a.wav").is_silent


def test_a_second_scan_reads_only_what_changed(root: Path, tmp_path: Path, read_files: list[str], write_tone) -> None:
    first, _ = scan(root, NAMES, tmp_path / "scan.jsonl")
    assert sorted(read_files) == NAMES
    read_files.clear()
    write_tone(root / "b.wav", seconds=0.5)
    second, _ = scan(root, NAMES, tmp_path / "scan.jsonl")
    assert read_files == ["b.wav"]
    assert second["a.wav"] == first["a.wav"]
    assert second["b.wav"].n_samples == 4000


def test_a_replaced_file_with_its_old_date_and_size_is_noticed(root: Path, tmp_path: Path) -> None:
    first, _ = scan(root, NAMES, tmp_path / "scan.jsonl")
    before = (root / "a.wav").stat()
    (root / "a.wav").write_bytes((root / "c.wav").read_bytes())
    os.utime(root / "a.wav", ns=(before.st_atime_ns, before.st_mtime_ns))
    second, _ = scan(root, NAMES, tmp_path / "scan.jsonl")
    assert second["a.wav"].sha256 == first["c.wav"].sha256


def test_a_torn_journal_is_used_up_to_the_tear(root: Path, tmp_path: Path, read_files: list[str]) -> None:
    journal = tmp_path / "scan.jsonl"
    scan(root, NAMES, journal)
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text(lines[0] + lines[1] + lines[2][:20])
    read_files.clear()
    found, _ = scan(root, NAMES, journal)
    assert len(read_files) == 1
    assert sorted(found) == NAMES
    read_files.clear()
    scan(root, NAMES, journal)
    assert read_files == []


def test_a_damaged_journal_is_begun_anew_with_a_warning(
    root: Path, tmp_path: Path, read_files: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "scan.jsonl").write_text('{"path": "a.wav"}\nnot json\n{}\n')
    scan(root, NAMES, tmp_path / "scan.jsonl")
    assert sorted(read_files) == NAMES
    assert "scanning all files again" in caplog.text


def test_the_first_bad_file_stops_the_scan_and_what_was_read_is_kept(
    root: Path, tmp_path: Path, read_files: list[str]
) -> None:
    (root / "b.wav").write_bytes(b"junk")
    with pytest.raises(AudioError, match=r"b\.wav: cannot be decoded"):
        scan(root, NAMES, tmp_path / "scan.jsonl")
    read_files.clear()
    found, bad = scan(root, NAMES, tmp_path / "scan.jsonl", skip_bad=True)
    assert "a.wav" not in read_files
    assert sorted(found) == ["a.wav", "c.wav"]
    assert [str(root / "b.wav") in str(error) for error in bad] == [True]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_found_late_in_a_long_file(root: Path, value: float) -> None:
    samples = np.zeros(2**20 + 10, dtype=np.float32)
    samples[-1] = value
    soundfile.write(root / "long.wav", samples, 16_000, subtype="FLOAT")
    with pytest.raises(AudioError, match="NaN or infinite"):
        scan_file(root, "long.wav")


def test_progress_counts_to_the_number_of_files(root: Path, tmp_path: Path) -> None:
    calls: list[tuple[str, int, int]] = []
    scan(root, NAMES, tmp_path / "scan.jsonl", on_progress=lambda *call: calls.append(call))
    assert calls == [("scanning", 1, 3), ("scanning", 2, 3), ("scanning", 3, 3)]
