"""Derivation of a supernet's genotype within hard limits.

Parameters and MACs of CNN cells are ceilings of an exact programme (`audionas.spaces.limited_derivation`). Everything
else is measured: the list of genotypes, best first, is gone through until one is within the limits. After
`MAX_MEASURED` of them a ceiling on MACs is lowered step by step, and at last the smallest network is taken, so that
the result is always within the limits.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audionas.models import Supernet
from audionas.models.cnn_supernet import CnnSupernet
from audionas.models.edge_costs import EdgeCosts, measure_edge_costs
from audionas.search.limits import LimitCheck
from audionas.search.limits_smallest import ceilings, smallest_within
from audionas.spaces import CnnCellSpace, CnnGenotype, Genotype
from audionas.spaces.cnn_cell import KINDS
from audionas.spaces.derived import derived_document
from audionas.spaces.limited_derivation import Ceiling, cheapest, genotypes_best_first

MAX_MEASURED = 64
SHARES = (0.8, 0.6, 0.4, 0.2, 0.1, 0.0)  # of the MACs between the least and the best genotype's


class LimitedDerivation:
    """From supernets of one space to their best genotypes within the limits; what is measured is kept."""

    def __init__(self, check: LimitCheck) -> None:
        self.check = check
        self._costs: EdgeCosts | None = None

    def __call__(self, supernet: Supernet) -> Genotype:
        """The genotype with the highest sum of weights over kept edges that is within the limits.

        Raises:
            SettingsError: no network of the space is.
        """
        unlimited = supernet.genotype()
        if self.check.refusal(unlimited) is None:
            return unlimited
        for genotype in self._candidates(supernet):
            if self.check.refusal(genotype) is None:
                return genotype
        return smallest_within(self.check.limits, supernet.space, self.check.meter)

    def unlimited(self, supernet: Supernet) -> dict[str, Any]:
        """What a line of the log says of the genotype that would be derived without limits."""
        genotype = supernet.genotype()
        parameters = self.check.meter.parameters(genotype)
        return {"unlimited": {"genotype": derived_document(genotype), "parameters": parameters}}

    def _candidates(self, supernet: Supernet) -> Iterator[Genotype]:
        if isinstance(supernet, CnnSupernet):
            yield from self._cells(supernet)

    def _cells(self, supernet: CnnSupernet) -> Iterator[CnnGenotype]:
        space, weights = supernet.space, {kind: op_weights(supernet, kind) for kind in KINDS}
        costs = self._edge_costs(space)
        within = ceilings(self.check.limits, costs, self.check.meter.place.length_s)
        yield from islice(genotypes_best_first(space, weights, within), MAX_MEASURED)
        best, least = next(genotypes_best_first(space, weights, within), None), cheapest(space, costs.macs, within)
        if best is None or least is None:
            return
        low, high = (costs.macs.total(space, genotype) for genotype in (least, best))
        own = [ceiling for ceiling in within if ceiling.cost is not costs.macs]
        for share in SHARES:
            lowered = Ceiling(costs.macs, low + int(share * (high - low)))
            yield from islice(genotypes_best_first(space, weights, [*own, lowered]), 1)

    def _edge_costs(self, space: CnnCellSpace) -> EdgeCosts:
        if self._costs is None:
            place = self.check.meter.place
            self._costs = measure_edge_costs(space, place.input_shape, place.n_outputs)
        return self._costs


def op_weights(supernet: CnnSupernet, kind: str) -> NDArray[np.float64]:
    """What derivation reads of the alphas of a cell kind: (edges, operations), 0 to 1."""
    weights = supernet.mixing.decided(supernet.alphas(kind).detach().double())
    edges = supernet.edge_weights(kind)
    if edges is not None:
        weights = weights * edges.detach().double()[:, None]
    return np.asarray(weights.cpu().numpy())
