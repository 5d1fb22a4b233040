"""The shipped sample: the files that its table lists, whole, and no others."""

from __future__ import annotations

from audionas import sample
from audionas.audio.manifest import read_table, table_rows
from audionas.audio.scan import scan_file
from audionas.audio.waveform import sha256_of


def rows() -> list[dict[str, str]]:
    return table_rows(read_table(sample.folder() / "manifest.csv"))


def test_the_table_lists_the_files_of_the_folder() -> None:
    listed = {row["path"] for row in rows()}
    assert len(rows()) == len(listed) == 119
    assert {f"audio/{path.name}" for path in (sample.folder() / "audio").iterdir()} == listed


def test_every_file_is_the_one_that_was_copied() -> None:
    for row in rows():
        assert sha256_of(sample.folder() / row["path"]) == row["sha256"]


def test_recordings_are_16_khz_and_as_long_as_listed() -> None:
    for row in rows()[::20]:
        found = scan_file(sample.folder(), row["path"])
        assert found.sample_rate_hz == int(row["sample_rate"]) == 16_000
        assert abs(found.duration_s - float(row["duration_s"])) < 1e-4
        assert not found.is_silent


def test_its_licence_and_citation_are_stated() -> None:
    text = (sample.folder() / "README.md").read_text(encoding="utf-8")
    assert "Not under the Apache-2.0 licence" in text
    assert "Burkhardt" in text
