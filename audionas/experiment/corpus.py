"""A corpus made ready for training: manifest, resolved features, tensors normalised with training clips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from audionas.audio.manifest import Manifest
from audionas.audio.scan import Progress
from audionas.errors import ManifestError
from audionas.experiment.talk import Talk
from audionas.features import TRAINED, Extractor, encoder_note, extractor_from_settings
from audionas.features.cache import ensure_features
from audionas.features.stored import Features
from audionas.features.treatment import Treatment
from audionas.training.batches import ClipTensors, Normaliser, shifted
from audionas.training.clip_copies import CopyTable, StackedRows


@dataclass(frozen=True)
class Corpus:
    """Manifest, where its feature caches lie, and one resolved extractor's features.

    `copies` are the treatments that make augmented copies of training clips, one a copy.
    """

    manifest: Manifest
    features_folder: Path
    settings: dict[str, Any]
    input_shape: tuple[int, int, int]
    key: str
    features: Features
    copies: tuple[Treatment, ...] = ()

    def tensors(
        self, training_rows: Sequence[int], copied_rows: Sequence[int] | None = None
    ) -> tuple[ClipTensors, Normaliser]:
        """Features of all clips, normalised with statistics of the training rows alone, without augmented copies.

        Where the corpus has copies, training may draw those of `copied_rows` (default: of all training rows).
        """
        lengths = self.own_frames if self.settings["mask_padding"] else None
        normaliser = Normaliser.fit(
            self.features, training_rows, self.settings["normalise"], lengths, self.input_shape[2]
        )
        return self.normalised(normaliser, training_rows if copied_rows is None else copied_rows), normaliser

    def normalised(self, normaliser: Normaliser, copied_rows: Sequence[int] = ()) -> ClipTensors:
        """Features of all clips, normalised with given statistics, e.g. those of a trained network."""
        copies = [self._copy_of(copied_rows, treatment) for treatment in self.copies if copied_rows]
        lengths = [self.own_frames, *(self._own_frames(copy) for copy in copies)]
        return ClipTensors(
            StackedRows([self.features, *copies]) if copies else self.features,
            self.manifest.targets,
            normaliser,
            self.input_shape[2],
            self.settings["test_windows"],
            np.concatenate(lengths) if self.settings["mask_padding"] else None,
            CopyTable(len(self.manifest), tuple(copied_rows), len(copies)) if copies else None,
            train_shift=self._extractor.train_shift,
            test_shift=self._extractor.test_shift,
        )

    def _copy_of(self, rows: Sequence[int], treatment: Treatment, on_progress: Progress | None = None) -> Features:
        """Features of one augmented copy of each of these rows, in their order; computed where they are missing."""
        clips = tuple(self.manifest.clips[row] for row in rows)
        manifest = replace(self.manifest, clips=clips)
        return ensure_features(
            manifest, self._extractor, self.features_folder, treatment=treatment, on_progress=on_progress
        )

    def make_copies(self, rows: Sequence[int], on_progress: Progress | None = None) -> None:
        """Compute the augmented copies of these rows, so that no training waits for them."""
        for treatment in self.copies:
            self._copy_of(rows, treatment, on_progress)

    @cached_property
    def own_frames(self) -> np.ndarray:
        """Frames of each row that are the clip's own and not padding, (rows,) int64, at least 1."""
        return self._own_frames(self.features)

    def _own_frames(self, features: Features) -> np.ndarray:
        return np.array([self._extractor.own_frames(entry.n_samples) for entry in features.entries], dtype=np.int64)

    @cached_property
    def _extractor(self) -> Extractor:
        return extractor_from_settings(self.settings, "features")

    @property
    def rate_hz(self) -> int:
        """The rate at which the audio is read."""
        return self._extractor.rate_hz

    @property
    def length_s(self) -> float:
        """Seconds of audio that the network's input holds."""
        return self._extractor.length_samples / self.rate_hz

    def own_block(self, row: int) -> np.ndarray:
        """Features of a row without its padding, where padding is masked: (channels, features, frames)."""
        block = self.features[row]
        return block[:, :, : self.own_frames[row]] if self.settings["mask_padding"] else block

    def remarks(self) -> list[str]:
        """How many clips were padded, cut or are silent: what a reader of the scores should know."""
        n, word = len(self.manifest), self._word()
        masked = " (masked)" if self.settings["mask_padding"] else ""
        padded = f"{self.features.n_padded} of {n} {word} padded{masked}"
        lines = [f"{padded}, {self.features.n_truncated} longer than the input"]
        lines += [self._windows(shift)] if (shift := self._extractor.train_shift) else []
        lines += [self.silence()] if self.features.n_silent else []
        return [*lines, encoder_note(self.settings)] if self.settings["extractor"] in TRAINED else lines

    def _windows(self, shift: int) -> str:
        """What training deals out where it takes all windows of a clip."""
        spans = self.own_frames if self.settings["mask_padding"] else [shape[2] for shape in self.features.shapes]
        n = sum(len(shifted(int(span) - self.input_shape[2], shift)) for span in spans)
        shift_s = shift * self.length_s / self.input_shape[2]
        return f"training takes all windows {shift_s:.3g} s apart, {n} of {len(self.manifest)} {self._word()}"

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
    channels, n_features, _ = extractor.input_shape
    for row, shape in enumerate(features.shapes):
        if shape[:2] != (channels, n_features) or shape[2] < 1:
            raise ManifestError(
                f"{manifest.clips[row].path}: features {shape}, expected ({channels}, {n_features}, 1 frame or more)"
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
        "task": manifest.task,
        "labels": list(manifest.labels),
        "group_source": manifest.group_source,
        "fold_source": manifest.fold_source,
        "protocol": manifest.protocol,
        "speaker_independence_checked": manifest.speaker_independence_checked,
        "notes": list(manifest.notes),
    }


def part_record(manifest: Manifest, rows: Sequence[int]) -> dict[str, Any]:
    """Size of a part, for `run.json`."""
    return {
        "n_clips": len({manifest.clips[row].clip for row in rows}),
        "n_groups": len({manifest.clips[row].group for row in rows}),
    }
