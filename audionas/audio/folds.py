"""Folds, outer splits and inner parts: whole groups only, stratified by class, fixed by a seed.

For an outer split, *test* are the clips of its groups and *search clips* are all others. Inner parts
(weights, alphas, monitor; or train, validation) divide the search clips by groups again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from audionas.audio.manifest import SPLITS, Manifest
from audionas.errors import ManifestError, unknown
from audionas.seeding import generator

SPLIT_NAMES = {"train": "train", "training": "train", "dev": "dev", "val": "dev", "valid": "dev",
               "validation": "dev", "test": "test", "testing": "test", "eval": "test"}  # fmt: skip


@dataclass(frozen=True)
class OuterSplit:
    """One test part and the clips that may be used to find and train the model that it tests.

    Rows are indices into `Manifest.clips`. `dev` is not empty only for a corpus with its own
    train/dev/test split: those clips select and monitor, and never train weights or alphas.
    """

    name: str
    test: tuple[int, ...]
    search: tuple[int, ...]
    dev: tuple[int, ...] = ()


def split_folder(name: str) -> str:
    """The folder name of a split: `split_` and the name, with what a file name cannot hold percent-encoded.

    >>> split_folder("3F"), split_folder("../x")
    ('split_3F', 'split_..%2Fx')
    """
    return "split_" + re.sub(r"[\x00-\x1f/\\:%]", lambda found: f"%{ord(found.group()):02X}", name)


def outer_splits(manifest: Manifest) -> list[OuterSplit]:
    """The outer splits of a manifest: one a fold, or one named `test` for a train/dev/test corpus.

    Raises:
        ManifestError: fewer than two folds, or a group stands in two folds or two splits.
    """
    clips = manifest.clips
    if any(clip.fold for clip in clips):
        _whole_groups(manifest, "fold", [clip.fold for clip in clips])
        folds = sorted({clip.fold for clip in clips}, key=_natural)
        if "" in folds:
            row = next(clip for clip in clips if not clip.fold)
            raise ManifestError(f"{manifest.root}: clip {row.path} has no fold; fill the column for every clip")
        if len(folds) < 2:
            raise ManifestError(f"{manifest.root}: one fold only ({folds[0]}); at least two are needed")
        return [
            OuterSplit(
                fold,
                tuple(i for i, clip in enumerate(clips) if clip.fold == fold),
                tuple(i for i, clip in enumerate(clips) if clip.fold != fold),
            )
            for fold in folds
        ]
    _whole_groups(manifest, "split", [clip.split for clip in clips])
    rows = {name: tuple(i for i, clip in enumerate(clips) if clip.split == name) for name in SPLITS}
    if not rows["test"] or not rows["train"]:
        raise ManifestError(f"{manifest.root}: neither folds nor a train and a test split; run prepare with --folds 5")
    return [OuterSplit("test", rows["test"], tuple(sorted(rows["train"] + rows["dev"])), rows["dev"])]


def find_split(manifest: Manifest, name: str) -> OuterSplit:
    """The outer split of a name.

    Raises:
        ManifestError: there is no such split.
    """
    splits = {split.name: split for split in outer_splits(manifest)}
    if name not in splits:
        raise ManifestError(f"{manifest.root}: {unknown('fold', name, splits)}")
    return splits[name]


def assign_folds(manifest: Manifest, n_folds: int, seed: int = 0) -> Manifest:
    """Give every clip one of `n_folds` folds named 1, 2, ...: whole groups, stratified by class.

    Raises:
        ManifestError: fewer than 2 folds, or a class has fewer groups than folds.
    """
    if n_folds < 2:
        raise ManifestError(f"{manifest.root}: got {n_folds} folds, must be 2 or more")
    for label in manifest.labels:
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


def divide_groups(
    manifest: Manifest, rows: Sequence[int], shares: Mapping[str, float], seed: int, purpose: str
) -> dict[str, tuple[int, ...]]:
    """Divide rows into parts of given shares: whole groups, each class spread as the shares say.

    Groups are taken largest first (ties in an order drawn by the seed), each to the part in which it
    leaves the smallest squared distance to the wanted class counts. Every part gets a group.

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
    generator(seed, purpose, "groups").shuffle(order)
    order.sort(key=lambda group: -len(by_group[group]))
    for position, group in enumerate(order):
        empty = [name for name in names if not parts[name]]
        open_names = empty if len(order) - position <= len(empty) else names
        best = min(open_names, key=lambda name: _strain(have, wanted, scale, name, counts[group]))
        have[best] += counts[group]
        parts[best].extend(by_group[group])
    return {name: tuple(sorted(part)) for name, part in parts.items()}


def missing_classes(manifest: Manifest, rows: Sequence[int]) -> list[str]:
    """Labels of the manifest that no clip of these rows has."""
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
    return np.bincount(manifest.targets[list(rows)], minlength=len(manifest.labels)).astype(float)


def _whole_groups(manifest: Manifest, what: str, names: Sequence[str]) -> None:
    seen: dict[str, str] = {}
    for clip, name in zip(manifest.clips, names, strict=True):
        other = seen.setdefault(clip.group, name)
        if other != name:
            raise ManifestError(
                f"{manifest.root}: group {clip.group!r} is in {what} {other!r} and in {what} {name!r}; a "
                f"group (speaker, recording) belongs to one {what}: mend the column, or make new folds with "
                "--folds 5"
            )


def _natural(name: str) -> tuple[int, str]:
    return (int(name) if re.fullmatch("[0-9]{1,9}", name) else 10**9, name)
