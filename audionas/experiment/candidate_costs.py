"""What measures the costs of a search's candidates, where its strategy has costs among its objectives."""

from __future__ import annotations

from audionas.experiment.corpus import Corpus
from audionas.features import extractor_from_settings
from audionas.models.meter import Meter, Place
from audionas.search import Strategy
from audionas.search.candidate_costs import MEASURED, CandidateCosts, costs_asked


def candidate_costs(corpus: Corpus, strategy: Strategy, n_outputs: int, device: str) -> CandidateCosts | None:
    """Measures on the corpus's features and this device; None where a score has all that is asked for."""
    names = costs_asked(strategy.algorithm, strategy.settings)
    if not set(names) & set(MEASURED):
        return None
    extractor = extractor_from_settings(corpus.settings, "features")
    return CandidateCosts(names, Meter(Place(extractor, n_outputs, device)))
