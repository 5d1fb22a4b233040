"""Draws are keyed by seed and names, the same in every process."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import pytest
import torch

from audionas.seeding import derive, generator, seed_torch

PROGRAM = """
from audionas.seeding import derive, generator
print(derive(3, "order", 7, ("a", 1)), generator(3, "order", 7).integers(2**62, size=3).tolist())
"""


def test_a_derived_seed_is_the_first_63_bits_of_a_sha256() -> None:
    digest = hashlib.sha256(b"3\x1forder\x1f7").digest()
    assert derive(3, "order", 7) == int.from_bytes(digest[:8], "little") // 2


@pytest.mark.parametrize("hash_seed", ["0", "1", "random"])
def test_a_fresh_process_draws_the_same(hash_seed: str) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    found = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True)
    here = f"{derive(3, 'order', 7, ('a', 1))} {generator(3, 'order', 7).integers(2**62, size=3).tolist()}\n"
    assert found.stdout == here


def test_another_seed_or_key_gives_another_draw() -> None:
    keys = [(0, "order", 1), (0, "order", 2), (1, "order", 1), (0, "crops", 1), (0, "order1"), (0, "order", 1, 1)]
    assert len({derive(*key) for key in keys}) == len(keys)


def test_torch_draws_what_its_key_says_whatever_was_drawn_before() -> None:
    seed_torch(5, "noise", 2)
    first = torch.rand(4)
    torch.rand(100)
    seed_torch(5, "noise", 2)
    assert torch.equal(torch.rand(4), first)
    seed_torch(5, "noise", 3)
    assert not torch.equal(torch.rand(4), first)
