"""Functionals of the clips of a corpus, for the plain baseline that hears them; cached beside its other features."""

from __future__ import annotations

import numpy as np

from audionas.errors import AudioError, ManifestError
from audionas.experiment.corpus import Corpus
from audionas.experiment.prepare import common_rate
from audionas.experiment.run_folder import RunFolder
from audionas.experiment.talk import Talk
from audionas.features.cache import ensure_features
from audionas.features.functionals import Functionals


def clip_functionals(corpus: Corpus, talk: Talk) -> np.ndarray:
    """Functionals of every row of the manifest, (rows, functionals) float32, whatever features the run has.

    Raises:
        AudioError: a clip cannot be read, or changed since it was prepared.
        ManifestError: the manifest does not say the sample rate of its files.
    """
    manifest = corpus.manifest
    durations = [clip.duration_s for clip in manifest.clips]  # of the length, which changes no value
    extractor = Functionals().resolve(common_rate(manifest), durations)
    features = ensure_features(manifest, extractor, corpus.features_folder, on_progress=talk.progress)
    return np.stack([features[row].ravel() for row in range(len(manifest))])


def functionals_or_warning(run: RunFolder, corpus: Corpus, talk: Talk) -> np.ndarray | None:
    """The functionals, or None with a warning: a run whose own features are cached needs no audio to go on."""
    try:
        return clip_functionals(corpus, talk)
    except (AudioError, ManifestError) as why:
        line = f"the plain baseline on functionals is left out: {why}"
        run.warn(line)
        talk.warn(line)
        return None
