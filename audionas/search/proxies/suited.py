"""Which zero-cost proxy suits a space: `proxy: auto`."""

from __future__ import annotations

import numpy as np

from audionas.spaces import CnnGenotype, SearchSpace

AUTO = "auto"
GATED = {"squeeze_excitation", "glu_3x3", "attention"}  # operations and poolings that synflow cannot follow


def suited_proxy(name: str, space: SearchSpace) -> str:
    """The proxy itself, or for `auto` synflow where every network of the space lets it through, else grad_norm."""
    if name != AUTO:
        return name
    genotype = space.random(np.random.default_rng(0))
    if not isinstance(genotype, CnnGenotype):
        return "grad_norm"
    found = {option for options in space.choices().values() for option in options}
    found |= {op for op, _ in (*genotype.normal, *genotype.reduce)} | {genotype.macro.pooling}
    return "grad_norm" if found & GATED else "synflow"
