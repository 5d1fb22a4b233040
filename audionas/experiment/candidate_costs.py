"""What measures the costs of a search's candidates, where its strategy has costs among its objectives."""

from __future__ import annotations

from audionas.experiment.corpus import Corpus
from audionas.search import Strategy
from audionas.search.candidate_costs import CandidateCosts, costs_asked


def candidate_costs(corpus: Corpus, strategy: Strategy, n_outputs: int, device: str) -> CandidateCosts | None:  # noqa: ARG001
    """Measures on the corpus's features; None where nothing is asked for that a score has not anyway."""
    names = costs_asked(strategy.algorithm, strategy.settings)
    if not set(names) - {"parameters"}:
        return None
    return CandidateCosts(names, corpus.input_shape, n_outputs, corpus.length_s)
