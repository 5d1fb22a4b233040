"""Estimators of scikit-learn: a whole search, retraining and final model behind `fit`, `predict` and `score`."""

from __future__ import annotations

from audionas.estimators.audio_nas_classifier import AudioNASClassifier
from audionas.estimators.given_clips import InputError

__all__ = ["AudioNASClassifier", "InputError"]
