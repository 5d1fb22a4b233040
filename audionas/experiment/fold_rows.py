"""Rows of one training under an outer split: what trains, what selects the epoch, what is tested."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from audionas.audio.folds import divide_groups
from audionas.audio.manifest import Manifest
from audionas.errors import ManifestError

Select = Literal["last", "best", "best_on_test"]
VALIDATION_SHARE = 0.2
MIN_VALIDATION_GROUPS = 2


@dataclass(frozen=True)
class FoldRows:
    """Rows of one training: what trains, what selects the epoch (may be empty), what is tested."""

    train: tuple[int, ...]
    validation: tuple[int, ...]
    test: tuple[int, ...]


def fold_rows(
    manifest: Manifest,
    search: Sequence[int],
    test: Sequence[int],
    dev: Sequence[int],
    select: Select,
    seed: int,
) -> FoldRows:
    """All search clips train; with `best`, the corpus's dev part or a fifth of the groups (two at least) selects.

    With `best_on_test` there is no validation part either: `chosen_on_test` says what is done, and how it is marked.

    Raises:
        ManifestError: too few groups to set two aside.
    """
    if select != "best":
        return FoldRows(tuple(search), (), tuple(test))
    if dev:
        validating = set(dev)
        return FoldRows(tuple(row for row in search if row not in validating), tuple(dev), tuple(test))
    n_groups = len({manifest.clips[row].group for row in search})
    if n_groups < MIN_VALIDATION_GROUPS + 1:
        raise ManifestError(
            f"{manifest.root}: {n_groups} training groups; --select best needs {MIN_VALIDATION_GROUPS} to validate "
            "and one to train; use --select last"
        )
    share = max(VALIDATION_SHARE, MIN_VALIDATION_GROUPS / n_groups)
    for wanted in (share, 0.4, 0.5, 0.6):
        parts = divide_groups(manifest, search, {"train": 1 - wanted, "validation": wanted}, seed, "inner validation")
        if len({manifest.clips[row].group for row in parts["validation"]}) >= MIN_VALIDATION_GROUPS:
            return FoldRows(parts["train"], parts["validation"], tuple(test))
    raise ManifestError(f"{manifest.root}: groups too uneven to set two aside for --select best; use --select last")
