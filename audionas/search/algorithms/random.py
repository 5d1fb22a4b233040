"""Random search: uniform draws without repetition.

Source: Li and Talwalkar 2019, section 3.
"""

from __future__ import annotations

from typing import Any


def build(*, seed: int) -> Any:
    """NNI's Random; `seed` fixes the sequence of genotypes."""
    from nni.nas.strategy import Random

    return Random(dedup=True, seed=seed % 2**32)
