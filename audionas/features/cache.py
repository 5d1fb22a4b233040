"""The features of a corpus on disk: one flat, memory-mapped `.npy` for each setting of an extractor.

A JSON sidecar says where each clip's block lies, by `Clip.audio_key` (content and cut), so that a changed
file or setting is computed again and nothing else is. The sidecar is written last: what it lists is whole,
whenever the process is killed. Clips that are treated first (noise, an augmented copy) have files of their own.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from filelock import FileLock

from audionas.audio.manifest import Clip, Manifest
from audionas.audio.scan import Progress
from audionas.audio.waveform import load_waveform, sha256_of
from audionas.errors import AudioError, ManifestError
from audionas.features import flat_file
from audionas.features.extractor import Extractor
from audionas.features.stored import Features, Store
from audionas.features.treatment import Treatment
from audionas.records import writing


def ensure_features(
    manifest: Manifest,
    extractor: Extractor,
    folder: Path,
    *,
    treatment: Treatment | None = None,
    on_progress: Progress | None = None,
) -> Features:
    """The features of every clip; only those that `folder` does not hold yet are computed.

    Safe to kill at any moment (the next call goes on) and to run in two processes at once (the second waits).

    Raises:
        AudioError: a clip cannot be read, its file changed since `prepare`, or it is shorter than one frame.
        SettingsError: the extractor is not resolved.
        RunError: `folder` cannot be written.
    """
    store = Store(folder, extractor, treatment)
    store.open()
    if any(clip.audio_key not in store.entries for clip in manifest.clips):
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(folder / f"{store.name}.lock")
            lock.acquire()
        try:
            store.open()  # another process may have computed them while this one waited
            _compute(manifest, extractor, store, treatment, on_progress)
        finally:
            lock.release()
    entries = tuple(store.entries[clip.audio_key] for clip in manifest.clips)
    return Features(flat_file.view(store.data, store.n_values, store.dtype), entries, extractor.length_samples)


def _compute(
    manifest: Manifest, extractor: Extractor, store: Store, treatment: Treatment | None, on_progress: Progress | None
) -> None:
    todo = {clip.audio_key: clip for clip in manifest.clips if clip.audio_key not in store.entries}
    verified: set[str] = set()
    try:
        for done, clip in enumerate(todo.values(), start=1):
            store.add(clip, *_extract(manifest, clip, extractor, treatment, verified))
            if on_progress:
                on_progress("features", done, len(todo))
    finally:
        store.flush()


def _extract(
    manifest: Manifest, clip: Clip, extractor: Extractor, treatment: Treatment | None, verified: set[str]
) -> tuple[np.ndarray, np.ndarray]:
    """The waveform and the features of a clip whose file is the one that the manifest describes."""
    path = manifest.path_of(clip)
    if not clip.sha256:
        raise ManifestError(f"{path}: the manifest holds no sha256 of this file; run prepare on the corpus first")
    if clip.path not in verified and sha256_of(path) != clip.sha256:
        raise AudioError(f"{path}: changed since prepare; run prepare again")
    verified.add(clip.path)
    waveform = load_waveform(path, extractor.rate_hz, clip.start_s, clip.duration_s)
    if treatment is not None:
        waveform = treatment(waveform, extractor.rate_hz, clip)
    try:
        return waveform, extractor(waveform)
    except AudioError as why:  # e.g. shorter than one frame; an extractor does not know the file
        raise AudioError(f"{path}: {why}") from why


__all__ = ["Features", "ensure_features"]
