"""Catalogue search: the recipes of a catalogue one after another, each trained on the audio features.

Source: Sun et al. 2022 (EmotionNAS), section 2.2: of the NAS-Bench-NLP structures the one with the lowest
validation loss is taken. How many the paper tried, and in which order, it does not say.
"""

from __future__ import annotations

from typing import Any


def build(*, seed: int, start: str = "random") -> Any:
    """NNI's GridSearch over the one decision of a catalogue.

    Args:
        start: `random` draws an order from the seed; `best_on_text` takes the catalogue's own order, in which
            the recipes with the lowest language-model loss come first.

    Raises:
        SettingsError: `start` is neither.
    """
    from nni.nas.strategy import GridSearch

    from audionas.errors import SettingsError

    if start not in ("random", "best_on_text"):
        raise SettingsError(f"settings.start: got {start!r}; accepted: random, best_on_text")

    class Enumeration(GridSearch):  # type: ignore[misc]
        """NNI shuffles a hundred candidates at a time, which would keep most of the catalogue's order."""

        _shuffle_buffer_size = 2**31

    return Enumeration(shuffle=start == "random", seed=seed % 2**32)
