"""Evaluation protocols: which clips of a manifest test, which select, which train; named in the manifest.

Under every protocol a group (speaker, recording) is on one side of a split only, and a group that stands
in two folds is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from audionas.audio.manifest import SPLITS, Manifest
from audionas.errors import ManifestError, unknown

PROTOCOLS: dict[str, str] = {
    "folds": "each fold tests once, all others train; a corpus with its own train/dev/test keeps those",
    "folds_with_dev": "each fold tests once, the next fold selects, the others train",
    "leave_one_group_out": "each group (speaker) tests once, all others train",
    "speaker_pairs": "each of a fold's two speakers tests once, the other one selects, the other folds train",
    "speaker_pairs:F": "speaker_pairs, only the women test",
    "speaker_pairs:M": "speaker_pairs, only the men test",
}
_SEXES = {"f": "F", "female": "F", "m": "M", "male": "M"}


@dataclass(frozen=True)
class OuterSplit:
    """One test part and the clips that may be used to find and train the model that it tests.

    Rows are indices into `Manifest.clips`. `search` is everything but `test`, `dev` is a part of `search`: not
    empty only for a corpus with its own train/dev/test split and under the protocols `speaker_pairs` and
    `folds_with_dev`. Dev clips select and monitor; a search never trains weights on them.
    """

    name: str
    test: tuple[int, ...]
    search: tuple[int, ...]
    dev: tuple[int, ...] = ()


def outer_splits(manifest: Manifest) -> list[OuterSplit]:
    """The outer splits of a manifest, by its protocol, in the natural order of their names.

    Protocol `folds`: one a fold, or one named `test` for a train/dev/test corpus. `leave_one_group_out`: one a
    group. `folds_with_dev`: one a fold, `dev` is the next fold (after the last comes the first). SUPERB draws its
    dev part at random, a fifth of the training clips, so that its speakers also train; here they do not.
    `speaker_pairs`: two a fold, named by fold and sex (1F, 1M), or fold:group where the column `gender` does not
    tell them apart; `dev` is the other speaker of the fold.

    Source of `speaker_pairs`: Sun et al., "EmotionNAS", 2022, arXiv:2203.13617. The paper does not say which of
    the two speakers tests: both do here, in turn.

    Raises:
        ManifestError: unknown protocol; fewer folds or groups than it needs, or groups that are not known; a fold
            without a pair; a group stands in two folds or two splits.
    """
    if manifest.protocol not in PROTOCOLS:
        raise ManifestError(f"{manifest.root}: {unknown('protocol', manifest.protocol, PROTOCOLS)}")
    has_folds = any(clip.fold for clip in manifest.clips)
    if manifest.protocol == "folds" and not has_folds:
        return [_own_split(manifest)]
    if manifest.protocol == "leave_one_group_out":
        return _one_a_group(manifest, has_folds)
    if not has_folds:
        raise ManifestError(
            f"{manifest.root}: protocol {manifest.protocol!r} needs folds, and no clip has one; prepare with --folds 5"
        )
    folds = _rows_of_folds(manifest)
    if manifest.protocol == "folds":
        return [_split(manifest, name, rows) for name, rows in folds.items()]
    if manifest.protocol == "folds_with_dev":
        return _next_fold_selects(manifest, folds)
    return _pairs(manifest, folds)


def find_split(manifest: Manifest, name: str) -> OuterSplit:
    """The outer split of a name.

    Raises:
        ManifestError: there is no such split.
    """
    splits = {split.name: split for split in outer_splits(manifest)}
    if name not in splits:
        raise ManifestError(f"{manifest.root}: {unknown('fold', name, splits)}")
    return splits[name]


def split_folder(name: str) -> str:
    """The folder name of a split: `split_` and the name, with what a file name cannot hold percent-encoded.

    >>> split_folder("3F"), split_folder("../x")
    ('split_3F', 'split_..%2Fx')
    """
    return "split_" + re.sub(r"[\x00-\x1f/\\:%]", lambda found: f"%{ord(found.group()):02X}", name)


def _split(manifest: Manifest, name: str, test: Sequence[int], dev: Sequence[int] = ()) -> OuterSplit:
    tested = set(test)
    search = tuple(row for row in range(len(manifest)) if row not in tested)
    return OuterSplit(name, tuple(test), search, tuple(dev))


def _own_split(manifest: Manifest) -> OuterSplit:
    """The train/dev/test split of the corpus."""
    clips = manifest.clips
    _whole_groups(manifest, "split", [clip.split for clip in clips])
    rows = {name: tuple(i for i, clip in enumerate(clips) if clip.split == name) for name in SPLITS}
    if not rows["test"] or not rows["train"]:
        raise ManifestError(f"{manifest.root}: neither folds nor a train and a test split; run prepare with --folds 5")
    return OuterSplit("test", rows["test"], tuple(sorted(rows["train"] + rows["dev"])), rows["dev"])


def _rows_of_folds(manifest: Manifest) -> dict[str, list[int]]:
    """The rows of each fold, folds in natural order, no group in two of them."""
    clips = manifest.clips
    _whole_groups(manifest, "fold", [clip.fold for clip in clips])
    folds: dict[str, list[int]] = {name: [] for name in sorted({clip.fold for clip in clips}, key=_natural)}
    if "" in folds:
        unfilled = next(clip for clip in clips if not clip.fold)
        raise ManifestError(f"{manifest.root}: clip {unfilled.path} has no fold; fill the column for every clip")
    if len(folds) < 2:
        raise ManifestError(f"{manifest.root}: one fold only ({next(iter(folds))}); at least two are needed")
    for row, clip in enumerate(clips):
        folds[clip.fold].append(row)
    return folds


def _rows_of_groups(manifest: Manifest, rows: Sequence[int]) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = {}
    for row in rows:
        groups.setdefault(manifest.clips[row].group, []).append(row)
    return {group: groups[group] for group in sorted(groups, key=_natural)}


def _one_a_group(manifest: Manifest, has_folds: bool) -> list[OuterSplit]:
    if has_folds:  # a speaker in two folds is a mistake whatever the protocol
        _whole_groups(manifest, "fold", [clip.fold for clip in manifest.clips])
    _known_groups(manifest)
    groups = _rows_of_groups(manifest, range(len(manifest)))
    if len(groups) < 2:
        raise ManifestError(f"{manifest.root}: one group only ({next(iter(groups))!r}); at least two are needed")
    return [_split(manifest, group, rows) for group, rows in groups.items()]


def _next_fold_selects(manifest: Manifest, folds: Mapping[str, list[int]]) -> list[OuterSplit]:
    names = list(folds)
    if len(names) < 3:
        raise ManifestError(
            f"{manifest.root}: protocol 'folds_with_dev' needs three folds (test, dev, train), there are {len(names)}; "
            "use --protocol folds"
        )
    following = [*names[1:], names[0]]
    return [_split(manifest, test, folds[test], folds[dev]) for test, dev in zip(names, following, strict=True)]


def _pairs(manifest: Manifest, folds: Mapping[str, list[int]]) -> list[OuterSplit]:
    _known_groups(manifest)
    wanted = manifest.protocol.partition(":")[2]
    splits = []
    for fold, rows in folds.items():
        groups = _rows_of_groups(manifest, rows)
        if len(groups) != 2:
            raise ManifestError(
                f"{manifest.root}: protocol {manifest.protocol!r} needs exactly two groups (speakers) in each fold, "
                f"fold {fold!r} has {len(groups)} ({', '.join(groups)}); use --protocol folds or leave_one_group_out"
            )
        sexes = [_sex(manifest, members) for members in groups.values()]
        if wanted and sorted(sexes) != ["F", "M"]:
            raise ManifestError(
                f"{manifest.root}: protocol {manifest.protocol!r} needs a column 'gender' with f for one speaker of "
                f"each fold and m for the other, fold {fold!r} has none such; use --protocol speaker_pairs"
            )
        names = [fold + sex for sex in sexes] if sorted(sexes) == ["F", "M"] else [f"{fold}:{name}" for name in groups]
        first, second = groups.values()
        pair = [_split(manifest, names[0], first, second), _split(manifest, names[1], second, first)]
        kept = [split for split, sex in zip(pair, sexes, strict=True) if not wanted or sex == wanted]
        splits += sorted(kept, key=lambda split: split.name)
    return splits


def _sex(manifest: Manifest, rows: Sequence[int]) -> str:
    """F or M, or nothing where the column `gender` is missing, says something else, or contradicts itself."""
    found = {dict(manifest.clips[row].extra).get("gender", "").strip().lower() for row in rows}
    return _SEXES.get(found.pop(), "") if len(found) == 1 else ""


def _known_groups(manifest: Manifest) -> None:
    if not manifest.speaker_independence_checked:
        raise ManifestError(
            f"{manifest.root}: protocol {manifest.protocol!r} needs speakers or recordings, and each file is its own "
            "group here; name them with --group or --group-from"
        )


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
