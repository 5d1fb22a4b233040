"""Random architectures: genotypes drawn uniformly from the space, as large as the searched one.

What is retrained without any choice shows what the space and the retraining give by themselves (Yang, Esperanca,
Carlucci, "NAS evaluation is frustratingly hard", ICLR 2020; Li, Talwalkar, UAI 2019).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from audionas.models import build_model, n_parameters
from audionas.seeding import generator
from audionas.spaces import Genotype, SearchSpace

TOLERANCES = (0.1, 0.2, 0.3, 0.5)
TRIES = 4000


@dataclass(frozen=True)
class Drawn:
    """Genotypes of other hashes than the searched one and each other; `tolerance` is how far sizes may be off."""

    genotypes: tuple[Genotype, ...]
    tolerance: float


def draw_architectures(
    space: SearchSpace, searched: Genotype, n: int, input_shape: Sequence[int], n_classes: int, split: str
) -> Drawn:
    """`n` genotypes within 10 % of the searched one's parameters, drawn from (seed 0, "random architectures", split).

    Where the space has too few of them the tolerance grows by steps to 50 %; fewer than `n` may be found even so.
    """
    wanted = size_of(searched, input_shape, n_classes)
    rng = generator(0, "random architectures", split)
    sizes: dict[str, tuple[Genotype, int]] = {}
    for _ in range(TRIES):
        genotype = _drawn(space, rng)
        if genotype.hash != searched.hash and genotype.hash not in sizes:
            sizes[genotype.hash] = (genotype, size_of(genotype, input_shape, n_classes))
        near = _near(sizes, wanted, TOLERANCES[0])
        if len(near) == n:
            return Drawn(near, TOLERANCES[0])
    for tolerance in TOLERANCES[1:]:
        near = _near(sizes, wanted, tolerance)
        if len(near) >= n:
            return Drawn(near[:n], tolerance)
    return Drawn(near, TOLERANCES[-1])


def size_of(genotype: Genotype, input_shape: Sequence[int], n_classes: int) -> int:
    """Parameters of the genotype's network; nothing is allocated."""
    with torch.device("meta"):
        return n_parameters(build_model(genotype, input_shape=input_shape, n_classes=n_classes))


def _near(sizes: dict[str, tuple[Genotype, int]], wanted: int, tolerance: float) -> tuple[Genotype, ...]:
    return tuple(genotype for genotype, size in sizes.values() if abs(size - wanted) <= tolerance * wanted)


def _drawn(space: SearchSpace, rng: np.random.Generator) -> Genotype:
    return space.genotype({label: str(rng.choice(options)) for label, options in space.choices().items()})
