"""Corpora with augmented copies: made before training, of clips that train weights and of no others.

Test, validation, monitor and dev clips have no copies, and normalisation statistics come from the clips themselves
alone: a network is normalised with augmentation as it is without, and by the audio that it will be tested on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from audionas.audio.manifest import Manifest
from audionas.audio.noise import read_noise_folder
from audionas.augmentations import AugmentedCopy, WaveformAugmentation, import_audiomentations
from audionas.errors import RunError
from audionas.experiment.corpus import Corpus
from audionas.experiment.talk import Talk
from audionas.records import validate


def augmented_copies(
    augmentation: WaveformAugmentation | None, manifest: Manifest, features_folder: Path, talk: Talk
) -> tuple[AugmentedCopy, ...]:
    """The treatments that make the copies; folders are read, and refused where they hold clips of the corpus.

    Raises:
        SettingsError: audiomentations is not installed.
        AudioError: a folder holds no usable audio.
        ManifestError: a file of a folder is a clip of the corpus, so that a test clip could be heard in training.
    """
    if augmentation is None:
        return ()
    import_audiomentations()
    folders = {}
    for name, folder in augmentation.folders.items():
        journal = features_folder / f"noise-{hashlib.sha256(str(folder).encode()).hexdigest()[:16]}.jsonl"
        folders[name] = read_noise_folder(folder, journal, talk.progress)
        folders[name].refuse_clips_of(manifest)
    return tuple(AugmentedCopy(augmentation, number, folders) for number in range(1, augmentation.copies + 1))


def augment_record(copies: Sequence[AugmentedCopy]) -> dict[str, Any] | None:
    """What `run.json` says of an augmentation: its settings, and the content of the folders it reads."""
    if not copies:
        return None
    first = copies[0]
    return {
        "settings": first.augmentation.model_dump(mode="json", exclude_none=True),
        "folders_sha256": {name: folder.sha256 for name, folder in first.folders.items()},
        "keys": [copy.key for copy in copies],
    }


def augment_settings(record: dict[str, Any] | None) -> dict[str, Any] | None:
    """Of what `run.json` says of an augmentation: what it does to clips, each folder by its content, not its place."""
    if not record:
        return None
    settings = {name: dict(value) if isinstance(value, dict) else value for name, value in record["settings"].items()}
    for name, sha256 in record["folders_sha256"].items():
        settings[name]["folder"] = f"sha256 {sha256[:12]}"
    return settings


def recorded_copies(
    record: dict[str, Any] | None, manifest: Manifest, features_folder: Path, talk: Talk
) -> tuple[AugmentedCopy, ...]:
    """The copies that a run began with.

    Raises:
        RunError: the same settings would now make others: a folder or a library has changed.
    """
    if record is None:
        return ()
    augmentation = validate(WaveformAugmentation, record["settings"], "run.json: augment")
    copies = augmented_copies(augmentation, manifest, features_folder, talk)
    if [copy.key for copy in copies] != record["keys"]:
        raise RunError(
            f"{manifest.root}: a folder or a library of the augmentation has changed since this run began; put the old "
            "one back, or start the run anew"
        )
    return copies


def with_copies(corpus: Corpus, copies: tuple[AugmentedCopy, ...], rows: Sequence[int], talk: Talk) -> Corpus:
    """The corpus with copies of these rows computed, which must all be rows that some training may learn from."""
    if not copies:
        return corpus
    augmented = replace(corpus, copies=copies)
    augmented.make_copies(sorted(rows), talk.progress)
    return augmented
