"""The policy gradient learns, leaves the world's chance alone, and turns repeats into something new."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from audionas.search import extra_rl
from audionas.search.evaluator import Score
from audionas.search.nni_quiet import import_nni
from audionas.search.tabular_space import TableSpace
from audionas.spaces import Genotype
from tests.conformance.multi_trial import Told, search

if not extra_rl.is_installed():
    pytest.skip("the extra rl is not installed", allow_module_level=True)
import_nni()

SPACE = TableSpace({f"layer_{i}": ("0", "1", "2") for i in range(8)})
SCORES = {
    SPACE.genotype({f"layer_{i}": digit for i, digit in enumerate(np.base_repr(n, 3).zfill(8))}).hash: np.base_repr(
        n, 3
    )
    for n in range(3**8)
}


class TwosAreGood(Told):
    """The score of an architecture is its share of twos: 1/3 in the mean over the space, sd 1/6."""

    def evaluate(self, genotype: Genotype, *, epochs: int, seed: int, fraction: float = 1.0) -> Score:
        super().evaluate(genotype, epochs=epochs, seed=seed, fraction=fraction)
        ua = SCORES[genotype.hash].count("2") / 8
        return Score(ua, ua, 1 - ua, 1 - ua, 10, 0.1, 0)


@pytest.mark.slow
def test_later_proposals_are_better_than_the_first_and_none_comes_twice(tmp_path: Path) -> None:
    told = TwosAreGood()
    search("policy_gradient", SPACE, tmp_path, told, trials=120)  # type: ignore[arg-type]
    scores = [SCORES[its_hash].count("2") / 8 for its_hash, *_ in told.seen]
    assert len({its_hash for its_hash, *_ in told.seen}) == 120
    assert np.mean(scores[:20]) < 0.5
    assert np.mean(scores[-20:]) > 0.6, "a mean of 20 random draws is above 0.45 once in a thousand"


def test_chance_outside_is_as_if_nothing_had_been_drawn() -> None:
    from audionas.search.nni_policy import keyed_chance

    def numbers() -> tuple[float, float]:
        return float(torch.rand(())), float(np.random.rand())  # noqa: NPY002

    with keyed_chance(1):
        inside = numbers()
    torch.manual_seed(5)
    np.random.seed(5)  # noqa: NPY002
    expected = numbers()
    torch.manual_seed(5)
    np.random.seed(5)  # noqa: NPY002
    with keyed_chance(1):
        assert numbers() == inside
    with suppress(ZeroDivisionError), keyed_chance(2):
        numbers()
        raise ZeroDivisionError
    assert numbers() == expected


def test_what_has_no_score_counts_as_the_worst_so_far() -> None:
    from audionas.search.nni_policy import KeyedPolicy

    policy: Any = KeyedPolicy(0, samples_per_update=2, learning_rate=1e-3, hidden=4, repeats=1)
    assert [policy._reward(metric) for metric in (None, 0.5, None, 0.2, 0.9, None)] == [None, 0.5, 0.5, 0.2, 0.9, 0.2]
