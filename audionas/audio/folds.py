"""Folds and inner parts: whole groups only, stratified by class, fixed by a seed.

For an outer split, *test* are the clips of its groups and *search clips* are all others: `outer_splits` makes
them by the protocol of the manifest (`PROTOCOLS`, in `audionas.audio.protocols`). Inner parts (weights, alphas,
monitor; or train, validation) divide the search clips by groups again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from audionas.audio.manifest import Manifest
from audionas.audio.protocols import PROTOCOLS, OuterSplit, find_split, outer_splits, split_folder
from audionas.errors import ManifestError
from audionas.seeding import generator

SPLIT_NAMES = {"train": "train", "training": "train", "dev": "dev", "val": "dev", "valid": "dev",
               "validation": "dev", "test": "test", "testing": "test", "eval": "test"}  # fmt: skip


def assign_folds(manifest: Manifest, n_folds: int, seed: int = 0) -> Manifest:
    """Give every clip one of `n_folds` folds named 1, 2, ...: whole groups, stratified by class.

    Raises:
        ManifestError: fewer than 2 folds, or a class has fewer groups than folds; of other tasks, fewer groups.
    """
    if n_folds < 2:
        raise ManifestError(f"{manifest.root}: got {n_folds} folds, must be 2 or more")
    if manifest.task != "classification":
        _check_groups(manifest, n_folds)
    for label in manifest.labels if manifest.task == "classification" else ():
        groups = {clip.group for clip in manifest.clips if clip.label == label}
        if len(groups) < n_folds:
            raise ManifestError(
                f"{manifest.root}: class {label!r} has {len(groups)} group(s), fewer than {n_folds} folds; "
                + (f"use --folds {len(groups)} or fewer, " if len(groups) > 1 else "")
                + "add groups, or leave the class out"
            )
    shares = {str(k): 1.0 / n_folds for k in range(1, n_folds + 1)}
    rows = range(len(manifest.clips))
    parts = divide_groups(manifest, rows, shares, seed, "folds")
    fold_of = {row: name for name, part in parts.items() for row in part}
    clips = [replace(clip, fold=fold_of[i], split="") for i, clip in enumerate(manifest.clips)]
    return replace(manifest, clips=tuple(clips), fold_source=f"{n_folds} grouped stratified folds, seed {seed}")


def _check_groups(manifest: Manifest, n_folds: int) -> None:
    """A label of several may be in few groups: then it is absent from some folds, which say so."""
    n_groups = len({clip.group for clip in manifest.clips})
    if n_groups < n_folds:
        raise ManifestError(f"{manifest.root}: {n_groups} group(s), fewer than {n_folds} folds; ask for fewer folds")


def divide_groups(
    manifest: Manifest,
    rows: Sequence[int],
    shares: Mapping[str, float],
    seed: int,
    purpose: str,
    *,
    jitter: bool = False,
) -> dict[str, tuple[int, ...]]:
    """Divide rows into parts of given shares: whole groups, each class spread as the shares say.

    Groups are taken largest first (ties in an order drawn by the seed), each to the part in which it
    leaves the smallest squared distance to the wanted counts of the strata (classes, labels, fifths of a
    target). Every part gets a group. Where no two groups are of one size the seed so changes nothing; with
    `jitter` the order is by size times a factor drawn from 1/2 to 2.

    Raises:
        ManifestError: fewer groups than parts.
    """
    names = [name for name, share in shares.items() if share > 0]
    by_group: dict[str, list[int]] = {}
    for row in rows:
        by_group.setdefault(manifest.clips[row].group, []).append(row)
    if len(by_group) < len(names):
        raise ManifestError(
            f"{manifest.root}: {len(by_group)} group(s) cannot be divided into {' and '.join(names)}; "
            "add groups (speakers, recordings) or ask for fewer parts"
        )
    counts = {group: _histogram(manifest, members) for group, members in by_group.items()}
    total = np.sum(list(counts.values()), axis=0)
    scale = np.maximum(total, 1.0)
    wanted = {name: total * shares[name] / sum(shares[n] for n in names) for name in names}
    have = {name: np.zeros_like(total) for name in names}
    parts: dict[str, list[int]] = {name: [] for name in names}
    order = sorted(by_group)
    rng = generator(seed, purpose, "groups")
    rng.shuffle(order)
    factors = dict(zip(order, 2.0 ** rng.uniform(-1, 1, len(order)) if jitter else np.ones(len(order)), strict=True))
    order.sort(key=lambda group: -len(by_group[group]) * factors[group])
    for position, group in enumerate(order):
        empty = [name for name in names if not parts[name]]
        open_names = empty if len(order) - position <= len(empty) else names
        best = min(open_names, key=lambda name: _strain(have, wanted, scale, name, counts[group]))
        have[best] += counts[group]
        parts[best].extend(by_group[group])
    return {name: tuple(sorted(part)) for name, part in parts.items()}


def missing_classes(manifest: Manifest, rows: Sequence[int]) -> list[str]:
    """Labels of the manifest that no clip of these rows has; a regression has none that could be missing."""
    if manifest.task == "regression":
        return []
    if manifest.task == "multilabel":
        counts = manifest.targets[list(rows)].sum(axis=0)
        return [label for label, count in zip(manifest.labels, counts, strict=True) if not count]
    present = {manifest.clips[row].label for row in rows}
    return [label for label in manifest.labels if label not in present]


def _strain(
    have: Mapping[str, np.ndarray],
    wanted: Mapping[str, np.ndarray],
    scale: np.ndarray,
    name: str,
    added: np.ndarray,
) -> float:
    before = np.sum(((have[name] - wanted[name]) / scale) ** 2)
    after = np.sum(((have[name] + added - wanted[name]) / scale) ** 2)
    return float(after - before)


def _histogram(manifest: Manifest, rows: Sequence[int]) -> np.ndarray:
    return np.asarray(manifest.strata[list(rows)].sum(axis=0))


__all__ = [
    "PROTOCOLS", "SPLIT_NAMES", "OuterSplit", "assign_folds", "divide_groups", "find_split", "missing_classes",
    "outer_splits", "split_folder",
]  # fmt: skip
