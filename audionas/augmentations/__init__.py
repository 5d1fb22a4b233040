"""Augmentation of waveforms: which copies of training clips are made, and how each is made."""

from __future__ import annotations

from audionas.augmentations.augmented_copy import AugmentedCopy, import_audiomentations
from audionas.augmentations.waveform_augmentation import WaveformAugmentation, load_augmentation

__all__ = ["AugmentedCopy", "WaveformAugmentation", "import_audiomentations", "load_augmentation"]
