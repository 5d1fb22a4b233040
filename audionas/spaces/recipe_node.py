"""`RecipeNode`, and the names that mean something in a NAS-Bench-NLP recipe: x, h_prev_i, h_new_i."""

from __future__ import annotations

import re
from dataclasses import dataclass

INPUT = "x"
MAX_STATES = 3
MAX_NODES = 256
OUTPUT = re.compile(r"h_new_(0|[1-9][0-9]*)")
STATE = re.compile(r"h_prev_(0|[1-9][0-9]*)")


@dataclass(frozen=True)
class RecipeNode:
    """One node: its name, operation, and the names that it reads, in order."""

    name: str
    op: str
    inputs: tuple[str, ...]
