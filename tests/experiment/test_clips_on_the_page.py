"""Clips to listen to, on the page of a real retraining: embedded where the audio is, and nowhere else."""

from __future__ import annotations

import base64
import io
import re
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile

from audionas.audio.manifest import Manifest
from audionas.experiment.bundle import bundle
from audionas.experiment.report_page import report_page
from audionas.report import write_report
from audionas.report.blocks import Clips, Notes
from audionas.report.clip_sections import PRIVATE, clip_section
from audionas.report.run_files import RunFiles, read_run
from audionas.training.predictions import Predictions
from tests.report.browser import CHROMIUM, DRIVER, MISSING, browser

PLAYS = """const done = arguments[0], all = [...document.querySelectorAll("audio")];
Promise.all(all.map(async (each) => { each.muted = true; await each.play(); return each.duration; }))
    .then(done, (why) => done(String(why)));"""


@pytest.fixture
def retrained(retrained_once: Path, tmp_path: Path) -> Path:
    """A copy of a finished retraining."""
    return Path(shutil.copytree(retrained_once, tmp_path / "retrained"))


def read(run: Path) -> RunFiles:
    return replace(read_run(run), shows_clips=True)


def test_the_page_holds_the_recordings_and_says_so(retrained: Path) -> None:
    text = report_page(retrained, clips=True).read_text(encoding="utf-8")
    uris = re.findall(r'src="data:audio/flac;base64,([^"]+)"', text)
    assert 2 <= len(uris) <= 8
    for uri in uris:
        samples, rate = soundfile.read(io.BytesIO(base64.b64decode(uri)))
        assert rate == 8000
        assert len(samples) == 4000  # of the tiny corpus, 0.5 s
    assert PRIVATE.split(":", maxsplit=1)[0] in text
    assert "media-src data:" in text


@pytest.mark.browser
@pytest.mark.skipif(not (CHROMIUM and DRIVER), reason=MISSING)
def test_a_browser_plays_every_clip(retrained: Path) -> None:
    page = report_page(retrained, clips=True)
    with browser() as tab:
        tab.open(page)
        found = tab.driver.execute_async_script(PLAYS)
        assert found == pytest.approx([0.5] * tab.count("audio"), abs=0.01)
        assert 2 <= len(found) <= 8
        assert tab.console() == []


def test_each_clip_says_what_it_is_and_what_was_made_of_it(retrained: Path) -> None:
    files = read(retrained)
    section = clip_section(files)
    assert section is not None
    manifest = Manifest.read(retrained)
    by_path = {clip.path: clip for clip in manifest.clips}
    for block in section.blocks:
        assert isinstance(block, Clips)
        for sound in block.sounds:
            clip = by_path[sound.title]
            table = retrained / f"split_{clip.fold}" / "seed_0" / "predictions.csv"
            found = Predictions.read(table)
            row = found.clips.index(clip.clip)
            predicted = found.labels[found.scores[row].argmax()]
            assert (sound.truth, sound.predicted) == (clip.label, predicted)
            assert sound.lines[0] == f"group {clip.group}, 0.5 s"
            assert f"{predicted} {found.scores[row].max():.2f}" in sound.lines[1]
            assert block.title.startswith("Right" if clip.label == predicted else "Wrong")
    assert clip_section(files) == section  # the same clips each time


def test_a_page_without_clips_holds_no_sound(retrained: Path) -> None:
    for page in (report_page(retrained), write_report(retrained)):
        text = page.read_text(encoding="utf-8")
        assert "<audio" not in text
        assert "data:audio" not in text


def test_audio_that_is_not_there_is_told_and_never_stops_the_page(retrained: Path, tmp_path: Path) -> None:
    manifest = Manifest.read(retrained)
    replace(manifest, root=tmp_path / "gone").write(retrained)
    section = clip_section(read(retrained))
    assert section is not None
    (note,) = section.blocks
    assert isinstance(note, Notes)
    assert re.match(r"\d clips of \d cannot be played here; the first: .*gone.*: no such audio file", note.texts[0])
    assert PRIVATE not in section.intro
    assert report_page(retrained, clips=True).is_file()


def test_a_file_that_was_changed_or_lies_elsewhere_is_not_embedded(retrained: Path, tmp_path: Path) -> None:
    manifest = Manifest.read(retrained)
    other = tmp_path / "corpus"
    shutil.copytree(manifest.root, other)
    for clip in manifest.clips:
        soundfile.write(other / clip.path, [0.0] * 100, 8000)
    replace(manifest, root=other).write(retrained)
    section = clip_section(read(retrained))
    assert section is not None
    assert "has changed since the network heard it" in section.blocks[-1].texts[0]
    outside = tuple(replace(clip, path=f"../corpus/{clip.path}") for clip in manifest.clips)
    (tmp_path / "inner").mkdir()
    replace(manifest, root=tmp_path / "inner", clips=outside).write(retrained)
    section = clip_section(read(retrained))
    assert section is not None
    assert "lies outside of the corpus" in section.blocks[-1].texts[0]


def test_damaged_predictions_leave_the_clips_out(retrained: Path) -> None:
    for table in retrained.glob("split_*/seed_0/predictions.csv"):
        table.write_text("nonsense\n1\n")
    assert clip_section(read(retrained)) is None


def test_a_bundle_holds_no_audio_even_where_the_page_does(retrained: Path) -> None:
    page = report_page(retrained, clips=True)
    assert "data:audio" in page.read_text(encoding="utf-8")
    with zipfile.ZipFile(bundle(retrained).path) as archive:
        names = archive.namelist()
        assert not any(name.endswith((".html", ".wav", ".flac", ".ogg", ".mp3")) for name in names)
        assert not any(b"data:audio" in archive.read(name) or b"fLaC" in archive.read(name) for name in names)
