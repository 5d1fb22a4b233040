"""The cache computes what is missing and nothing else, whatever was killed, changed or damaged before."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import soundfile

from audionas.audio.manifest import Clip, Manifest
from audionas.audio.waveform import load_waveform, sha256_of
from audionas.errors import AudioError, ManifestError, RunError, SettingsError
from audionas.features import stored
from audionas.features.cache import ensure_features
from audionas.features.log_mel import LogMel
from audionas.features.wav2vec import Wav2vec

NAMES = ("a.wav", "b.wav", "c.wav")
EXTRACTOR = LogMel(n_mels=8, length_s=0.2).resolve(8000, [])


@pytest.fixture
def manifest(tmp_path: Path, write_tone) -> Manifest:
    root = tmp_path / "audio"
    for number, name in enumerate(NAMES, start=1):
        write_tone(root / name, seconds=0.1 * number)
    return scanned(root)


def scanned(root: Path) -> Manifest:
    clips = [Clip(path.name, "x", sha256=sha256_of(path)) for path in sorted(root.iterdir())]
    return Manifest(root, tuple(clips), ("x",))


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The lengths of the waveforms that are really extracted."""
    seen: list[int] = []
    call = LogMel.__call__

    def spy(self: LogMel, waveform: np.ndarray) -> np.ndarray:
        seen.append(len(waveform))
        return call(self, waveform)

    monkeypatch.setattr(LogMel, "__call__", spy)
    return seen


def check(manifest: Manifest, folder: Path) -> None:
    """Every row of the cache equals what the extractor gives."""
    features = ensure_features(manifest, EXTRACTOR, folder)
    assert len(features) == len(manifest)
    for row, clip in enumerate(manifest.clips):
        waveform = load_waveform(manifest.path_of(clip), 8000, clip.start_s, clip.duration_s)
        np.testing.assert_array_equal(features[row], EXTRACTOR(waveform))


def test_rows_are_views_of_the_file_in_the_manifest_s_order(manifest: Manifest, tmp_path: Path) -> None:
    check(manifest, tmp_path / "f")
    features = ensure_features(manifest, EXTRACTOR, tmp_path / "f")
    assert features.shapes == ((1, 8, 21), (1, 8, 21), (1, 8, 31))
    assert features[0].base is not None
    assert not features[0].flags.writeable
    data = tmp_path / "f" / f"log_mel-{EXTRACTOR.key}.npy"
    assert np.load(data).size == sum(1 * 8 * frames for frames in (21, 21, 31))
    reversed_rows = ensure_features(manifest.with_clips(manifest.clips[::-1]), EXTRACTOR, tmp_path / "f")
    np.testing.assert_array_equal(reversed_rows[0], features[2])


def test_a_second_call_computes_nothing(manifest: Manifest, tmp_path: Path, computed: list[int]) -> None:
    ensure_features(manifest, EXTRACTOR, tmp_path / "f")
    assert len(computed) == 3
    computed.clear()
    ensure_features(manifest, EXTRACTOR, tmp_path / "f")
    assert computed == []


def test_a_changed_file_is_computed_again_and_nothing_else(
    manifest: Manifest, tmp_path: Path, computed: list[int], write_tone
) -> None:
    ensure_features(manifest, EXTRACTOR, tmp_path / "f")
    computed.clear()
    write_tone(manifest.root / "b.wav", seconds=0.4)
    changed = scanned(manifest.root)
    ensure_features(changed, EXTRACTOR, tmp_path / "f")
    assert computed == [3200]
    check(changed, tmp_path / "f")


def test_a_changed_setting_is_another_file(manifest: Manifest, tmp_path: Path, computed: list[int]) -> None:
    ensure_features(manifest, EXTRACTOR, tmp_path / "f")
    ensure_features(manifest, LogMel(n_mels=9, length_s=0.2).resolve(8000, []), tmp_path / "f")
    assert len(computed) == 6
    assert len(list((tmp_path / "f").glob("*.npy"))) == 2


def test_each_cut_of_a_file_is_an_entry(manifest: Manifest, tmp_path: Path) -> None:
    clip = manifest.clips[2]
    cuts = [replace(clip, start_s=start_s, duration_s=0.1) for start_s in (0.0, 0.1, 0.2)]
    check(manifest.with_clips(cuts), tmp_path / "f")


def test_lengths_and_silence_are_counted(manifest: Manifest, tmp_path: Path) -> None:
    soundfile.write(manifest.root / "d.wav", np.zeros(100), 8000)
    features = ensure_features(scanned(manifest.root), EXTRACTOR, tmp_path / "f")
    assert (features.n_padded, features.n_truncated, features.n_silent) == (
        2,
        1,
        1,
    )  # 0.1, 0.0125; 0.3; of 0.2 s


def test_no_clips_are_no_features(tmp_path: Path) -> None:
    features = ensure_features(Manifest(tmp_path, (), ()), EXTRACTOR, tmp_path / "f")
    assert len(features) == 0


def test_a_bad_clip_stops_with_its_path(manifest: Manifest, tmp_path: Path) -> None:
    (manifest.root / "b.wav").write_bytes(b"junk")
    broken = scanned(manifest.root)
    with pytest.raises(AudioError, match=r"b\.wav: cannot be decoded"):
        ensure_features(broken, EXTRACTOR, tmp_path / "f")


def test_a_file_that_changed_since_prepare_is_refused(manifest: Manifest, tmp_path: Path, write_tone) -> None:
    write_tone(manifest.root / "a.wav", seconds=0.15)
    with pytest.raises(AudioError, match=r"a\.wav: changed since prepare; run prepare again"):
        ensure_features(manifest, EXTRACTOR, tmp_path / "f")
    unscanned = manifest.with_clips([Clip("a.wav", "x")])
    with pytest.raises(ManifestError, match="holds no sha256"):
        ensure_features(unscanned, EXTRACTOR, tmp_path / "f")


def test_an_unresolved_extractor_is_refused(manifest: Manifest, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="still auto"):
        ensure_features(manifest, LogMel(), tmp_path / "f")


def _cut_sidecar(_data: Path, sidecar: Path) -> None:
    sidecar.write_text(sidecar.read_text()[:100])


def _wrong_sidecar(_data: Path, sidecar: Path) -> None:
    sidecar.write_text('{"entries": {"x": {"offset": "y"}}}')


def _newer_sidecar(_data: Path, sidecar: Path) -> None:
    sidecar.write_text(json.dumps(json.loads(sidecar.read_text()) | {"schema_version": 99}))


def _short_data(data: Path, _sidecar: Path) -> None:
    os.truncate(data, data.stat().st_size - 4)


def _no_data(data: Path, _sidecar: Path) -> None:
    data.unlink()


def _other_data(data: Path, _sidecar: Path) -> None:
    data.write_bytes(b"x" * data.stat().st_size)


@pytest.mark.parametrize("damage", [_cut_sidecar, _wrong_sidecar, _newer_sidecar, _short_data, _no_data, _other_data])
def test_damage_is_repaired_with_one_logged_line(
    manifest: Manifest, tmp_path: Path, damage: Callable[[Path, Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    ensure_features(manifest, EXTRACTOR, tmp_path / "f")
    name = f"log_mel-{EXTRACTOR.key}"
    damage(tmp_path / "f" / f"{name}.npy", tmp_path / "f" / f"{name}.json")
    check(manifest, tmp_path / "f")
    assert "damaged feature cache" in caplog.text
    assert "Traceback" not in caplog.text


def test_a_lost_sidecar_is_computed_again(manifest: Manifest, tmp_path: Path) -> None:
    ensure_features(manifest, EXTRACTOR, tmp_path / "f")
    (tmp_path / "f" / f"log_mel-{EXTRACTOR.key}.json").unlink()
    check(manifest, tmp_path / "f")


def test_every_flush_leaves_a_cache_that_can_go_on(
    manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, computed: list[int]
) -> None:
    monkeypatch.setattr(stored, "FLUSH_S", 0.0)
    for n_done in (1, 2, 3):  # an interrupt after each clip
        computed.clear()

        def stop(*_call: object) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            ensure_features(manifest, EXTRACTOR, tmp_path / "f", on_progress=stop)
        sidecar = json.loads((tmp_path / "f" / f"log_mel-{EXTRACTOR.key}.json").read_text())
        assert len(sidecar["entries"]) == n_done
        assert len(computed) == 1
    check(manifest, tmp_path / "f")


WORKER = """
import sys, time
from pathlib import Path
from audionas.audio.manifest import Manifest
from audionas.features import stored
from audionas.features.cache import ensure_features
from audionas.features.log_mel import LogMel
stored.FLUSH_S = 0.0
extractor = LogMel(n_mels=8, length_s=0.2).resolve(8000, [])
def slowly(what, done, total):
    print(done, flush=True)
    time.sleep(float(sys.argv[3]))
ensure_features(Manifest.read(Path(sys.argv[1])), extractor, Path(sys.argv[2]), on_progress=slowly)
"""


def start(manifest_folder: Path, features: Path, pause_s: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WORKER, str(manifest_folder), str(features), str(pause_s)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def many(tmp_path: Path, write_tone) -> Manifest:
    for number in range(12):
        write_tone(tmp_path / "many" / f"{number:02}.wav", seconds=0.1)
    manifest = scanned(tmp_path / "many")
    manifest.write(tmp_path / "m")
    return manifest


@pytest.mark.slow
def test_a_killed_process_loses_nothing_that_was_flushed(many: Manifest, tmp_path: Path, computed: list[int]) -> None:
    worker = start(tmp_path / "m", tmp_path / "f", 0.05)
    assert worker.stdout is not None
    for _ in range(5):
        worker.stdout.readline()
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    ensure_features(many, EXTRACTOR, tmp_path / "f")
    assert len(computed) <= 12 - 5
    check(many, tmp_path / "f")


@pytest.mark.slow
def test_two_processes_at_once_compute_each_clip_once(many: Manifest, tmp_path: Path) -> None:
    workers = [start(tmp_path / "m", tmp_path / "f", 0.02) for _ in range(2)]
    outputs = [worker.communicate(timeout=120) for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], outputs
    assert sum(len(out.split()) for out, _ in outputs) == 12
    check(many, tmp_path / "f")


def test_a_full_disk_is_one_line_and_the_cache_stays_usable(
    manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(RunError, match=r"cannot write .No space left on device.; free space or choose"):
            ensure_features(manifest, EXTRACTOR, tmp_path / "f")
    check(manifest, tmp_path / "f")


def test_a_folder_that_cannot_be_written_is_one_line(manifest: Manifest, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file" / "f", Path("/proc/audionas")):
        with pytest.raises(RunError, match="cannot write") as error:
            ensure_features(manifest, EXTRACTOR, folder)
        assert "\n" not in str(error.value)


def test_a_whole_cache_in_a_read_only_folder_is_read(
    manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure_features(manifest, EXTRACTOR, tmp_path / "f")

    def refused(*_call: object) -> None:
        raise AssertionError("wrote")

    monkeypatch.setattr(Path, "mkdir", refused)
    monkeypatch.setattr(os, "fsync", refused)
    check(manifest, tmp_path / "f")


def test_progress_counts_what_is_missing(manifest: Manifest, tmp_path: Path) -> None:
    ensure_features(manifest.with_clips(manifest.clips[:1]), EXTRACTOR, tmp_path / "f")
    calls: list[tuple[str, int, int]] = []
    ensure_features(manifest, EXTRACTOR, tmp_path / "f", on_progress=lambda *call: calls.append(call))
    assert calls == [("features", 1, 2), ("features", 2, 2)]


@pytest.fixture
def wav2vec(on_disk: ModuleType, tmp_path: Path) -> Wav2vec:
    return Wav2vec(checkpoint=str(on_disk.wav2vec(tmp_path / "tiny.pt"))).resolve(8000, [0.2, 0.3])


def test_frames_of_an_encoder_are_stored_in_half_precision_and_read_as_float32(
    manifest: Manifest, tmp_path: Path, wav2vec: Wav2vec
) -> None:
    for _ in range(2):  # computed, then read from disk
        features = ensure_features(manifest, wav2vec, tmp_path / "f")
        for row, clip in enumerate(manifest.clips):
            waveform = load_waveform(manifest.path_of(clip), 16_000)
            expected = wav2vec(waveform)
            assert features[row].dtype == np.float32
            assert not features[row].flags.writeable
            np.testing.assert_array_equal(features[row], expected.astype(np.float16).astype(np.float32))
            assert features[row].shape[2] == wav2vec.own_frames(features.entries[row].n_samples)
    stem = tmp_path / "f" / f"wav2vec-{wav2vec.key}"
    assert json.loads(stem.with_suffix(".json").read_text())["dtype"] == "float16"
    assert np.load(stem.with_suffix(".npy")).dtype == np.float16
    assert features.shapes == ((1, 6, 8), (1, 6, 18), (1, 6, 28))  # fewer than the network's 28, but for the longest


def test_features_stored_in_another_precision_are_computed_again(
    manifest: Manifest, tmp_path: Path, wav2vec: Wav2vec, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Wav2vec, "stored_dtype", "float32")
        full = ensure_features(manifest, wav2vec, tmp_path / "f")[0].copy()
    half = ensure_features(manifest, wav2vec, tmp_path / "f")[0]
    np.testing.assert_array_equal(half, full.astype(np.float16))


def test_a_clip_shorter_than_one_frame_is_named(manifest: Manifest, tmp_path: Path, wav2vec: Wav2vec) -> None:
    soundfile.write(manifest.root / "b.wav", np.ones(464), 16_000)
    with pytest.raises(AudioError, match=r"b\.wav: wav2vec: got 464 samples at 16000 Hz, one frame needs 465"):
        ensure_features(scanned(manifest.root), wav2vec, tmp_path / "f")


@dataclass(frozen=True)
class Louder:
    """A treatment: so many times louder, and a tenth of a second longer."""

    factor: float
    kind: str = "louder"

    @property
    def key(self) -> str:
        return f"{self.factor:016.3f}"

    def settings(self) -> dict[str, Any]:
        return {"factor": self.factor}

    def __call__(self, waveform: np.ndarray, rate_hz: int, clip: Clip) -> np.ndarray:
        return np.asarray(np.pad(self.factor * waveform, (0, rate_hz // 10)), dtype=np.float32)


def test_treated_clips_have_files_of_their_own(manifest: Manifest, tmp_path: Path, computed: list[int]) -> None:
    folder = tmp_path / "features"
    plain = ensure_features(manifest, EXTRACTOR, folder)
    louder = ensure_features(manifest, EXTRACTOR, folder, treatment=Louder(2.0))
    for row, clip in enumerate(manifest.clips):
        waveform = load_waveform(manifest.path_of(clip), 8000)
        assert np.array_equal(louder[row], EXTRACTOR(np.pad(2 * waveform, (0, 800))))
        assert np.array_equal(plain[row], EXTRACTOR(waveform))
    n_computed = len(computed)
    ensure_features(manifest, EXTRACTOR, folder, treatment=Louder(2.0))
    assert len(computed) == n_computed, "what is there is not computed again"
    ensure_features(manifest, EXTRACTOR, folder, treatment=Louder(3.0))
    assert len(computed) == n_computed + len(NAMES)
    sidecars = [json.loads(path.read_text())["settings"].get("treatment") for path in sorted(folder.glob("*.json"))]
    assert sorted(str(found) for found in sidecars) == ["None", "{'factor': 2.0}", "{'factor': 3.0}"]
