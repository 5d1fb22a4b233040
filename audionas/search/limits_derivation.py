"""Derivation of a supernet's genotype within hard limits.

Parameters and MACs of CNN cells are ceilings of an exact programme (`audionas.spaces.limited_derivation`). Everything
else is measured: the list of genotypes, best first, is gone through until one is within the limits. After
`MAX_MEASURED` of them, CNN cells have a ceiling on MACs lowered step by step, and recurrent cells take one cheaper
option after another; at last the smallest network is taken, so that the result is always within the limits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audionas.models import Supernet
from audionas.models.cnn_supernet import CnnSupernet
from audionas.models.edge_costs import EdgeCosts, measure_edge_costs
from audionas.models.recurrent_supernet import RecurrentSupernet
from audionas.search.limits import LimitCheck
from audionas.search.limits_smallest import ceilings, smallest_within
from audionas.spaces import CnnCellSpace, CnnGenotype, Genotype
from audionas.spaces.best_assignments import assignments_best_first
from audionas.spaces.cnn_cell import KINDS
from audionas.spaces.darts_recurrent import DartsRecurrentSpace
from audionas.spaces.derived import derived_document
from audionas.spaces.limited_derivation import Ceiling, cheapest, genotypes_best_first

MAX_MEASURED = 64
MAX_LISTED = 2000  # assignments of a recurrent space, of which many are the same recipe
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
        elif isinstance(supernet, RecurrentSupernet):
            yield from self._recipes(supernet)

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

    def _recipes(self, supernet: RecurrentSupernet) -> Iterator[Genotype]:
        space, weights = supernet.space, option_weights(supernet)
        listed: dict[str, Genotype] = {}
        for sample in islice(assignments_best_first(weights), MAX_LISTED):
            genotype = space.genotype(sample)
            if genotype.hash not in listed:
                listed[genotype.hash] = genotype
                yield genotype
            if len(listed) == MAX_MEASURED:
                break
        yield from self._lowered(space, weights)

    def _lowered(self, space: DartsRecurrentSpace, weights: Mapping[str, Mapping[str, float]]) -> Iterator[Genotype]:
        """From the best assignment on, each time the change of an option that loses least weight for what it saves."""
        sample = next(assignments_best_first(weights))
        while True:
            measure = self.check.limits.exceeded(space.genotype(sample), self.check.meter)
            if measure is None:
                return
            size = measure(space.genotype(sample))
            rates = []
            for label, options in weights.items():
                for option, weight in options.items():
                    saved = size - measure(space.genotype({**sample, label: option}))
                    if saved > 0:
                        rates.append(((options[sample[label]] - weight) / saved, label, option))
            if not rates:
                return
            _, label, option = min(rates)
            sample = {**sample, label: option}
            yield space.genotype(sample)

    def _edge_costs(self, space: CnnCellSpace) -> EdgeCosts:
        if self._costs is None:
            place = self.check.meter.place
            self._costs = measure_edge_costs(space, place.input_shape, place.n_outputs)
        return self._costs


def option_weights(supernet: RecurrentSupernet) -> dict[str, dict[str, float]]:
    """What derivation reads of the alphas: decision -> option -> weight."""
    found = {}
    for label, options in supernet.space.choices().items():
        weights = supernet.mixing.decided(supernet.logits(label).detach().double()).tolist()
        found[label] = dict(zip(options, weights, strict=True))
    return found


def op_weights(supernet: CnnSupernet, kind: str) -> NDArray[np.float64]:
    """What derivation reads of the alphas of a cell kind: (edges, operations), 0 to 1."""
    weights = supernet.mixing.decided(supernet.alphas(kind).detach().double())
    edges = supernet.edge_weights(kind)
    if edges is not None:
        weights = weights * edges.detach().double()[:, None]
    return np.asarray(weights.cpu().numpy())
