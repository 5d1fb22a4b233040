"""The algorithmic delay of a retraining's networks, and the refusal of features that no causal network can have."""

from __future__ import annotations

from collections.abc import Mapping

from audionas.experiment.genotype_sources import Source, source_features
from audionas.features import extractor_from_settings
from audionas.models.algorithmic_delay import AlgorithmicDelay, algorithmic_delay, check_causal_features
from audionas.spaces import BaselineGenotype


def causal_delay(table: Mapping[str, Source]) -> AlgorithmicDelay | None:
    """The longest delay of the splits' networks; None where none is causal.

    Raises:
        SettingsError: a causal genotype has features that read the whole clip.
    """
    delays = []
    for source in table.values():
        if isinstance(source.genotype, BaselineGenotype):
            continue
        extractor = extractor_from_settings(source_features(source), str(source.path))
        check_causal_features(source.genotype.macro, extractor, str(source.path))
        delays.append(algorithmic_delay(source.genotype.macro, extractor))
    return max((delay for delay in delays if delay), key=lambda delay: delay.total_ms, default=None)
