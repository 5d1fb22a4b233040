"""A corpus made ready for training: manifest, resolved features, tensors normalised with training clips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audionas.audio.manifest import Manifest
from audionas.errors import ManifestError
from audionas.experiment.talk import Talk
from audionas.features import extractor_from_settings
from audionas.features.cache import ensure_features
from audionas.features.stored import Features
from audionas.training.batches import ClipTensors, Normaliser


@dataclass(frozen=True)
class Corpus:
    """Manifest, where its feature caches lie, and one resolved extractor's features."""

    manifest: Manifest
    features_folder: Path
    settings: dict[str, Any]
    input_shape: tuple[int, int, int]
    key: str
    features: Features

    def tensors(self, training_rows: Sequence[int]) -> tuple[ClipTensors, Normaliser]:
        """Features of all clips, normalised with statistics of the training rows alone."""
        normaliser = Normaliser.fit(self.features, training_rows, self.settings["normalise"])
        tensors = ClipTensors(
            self.features,
            self.manifest.targets,
            normaliser,
            self.input_shape[2],
            self.settings["test_windows"],
        )
        return tensors, normaliser

    def remarks(self) -> list[str]:
        """How many clips were padded, cut or are silent: what a reader of the scores should know."""
        n, word = len(self.manifest), self._word()
        lines = [f"{self.features.n_padded} of {n} {word} padded, {self.features.n_truncated} longer than the input"]
        return [*lines, self.silence()] if self.features.n_silent else lines

    def silent_files(self) -> frozenset[str]:
        """sha256 of the files that hold nothing but zeros."""
        pairs = zip(self.manifest.clips, self.features.entries, strict=True)
        return frozenset(clip.sha256 for clip, entry in pairs if entry.is_silent)

    def silence(self) -> str:
        """How many clips hold nothing but zeros."""
        return f"{self.features.n_silent} of {len(self.manifest)} {self._word()} are all zero; check the recordings"

    def _word(self) -> str:
        """What a row of the manifest is: a clip, or a window of one."""
        return "clips" if len({clip.clip for clip in self.manifest.clips}) == len(self.manifest) else "windows"


def load_corpus(manifest: Manifest, features_folder: Path, settings: dict[str, Any], talk: Talk) -> Corpus:
    """Compute (or find in the cache) the features of every clip.

    Raises:
        AudioError: a file is missing, damaged or changed since it was prepared.
        ManifestError: clips give features of different shapes than the network's input.
    """
    extractor = extractor_from_settings(settings, "features")
    features = ensure_features(manifest, extractor, features_folder, on_progress=talk.progress)
    channels, n_features, frames = extractor.input_shape
    for row, shape in enumerate(features.shapes):
        if shape[:2] != (channels, n_features) or shape[2] < frames:
            raise ManifestError(
                f"{manifest.clips[row].path}: features {shape}, expected ({channels}, {n_features}, at least {frames})"
            )
    return Corpus(manifest, features_folder, extractor.settings(), extractor.input_shape, extractor.key, features)


def data_record(manifest: Manifest) -> dict[str, Any]:
    """What `run.json` says of a corpus."""
    return {
        "root": str(manifest.root),
        "dataset": manifest.dataset,
        "manifest_sha256": manifest.sha256,
        "n_clips": len({clip.clip for clip in manifest.clips}),
        "n_groups": len({clip.group for clip in manifest.clips}),
        "labels": list(manifest.labels),
        "group_source": manifest.group_source,
        "fold_source": manifest.fold_source,
        "speaker_independence_checked": manifest.speaker_independence_checked,
        "notes": list(manifest.notes),
    }


def part_record(manifest: Manifest, rows: Sequence[int]) -> dict[str, Any]:
    """Size of a part, for `run.json`."""
    return {
        "n_clips": len({manifest.clips[row].clip for row in rows}),
        "n_groups": len({manifest.clips[row].group for row in rows}),
    }
