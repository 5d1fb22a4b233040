"""How many clips a published release has, and what a copy's difference from it looks like."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from audionas.audio.manifest import Clip

_SHOWN = 5


@dataclass(frozen=True)
class Release:
    """The published counts of clips by label and of groups; `groups` names these, in the plural."""

    name: str
    labels: Mapping[str, int]
    n_groups: int
    groups: str

    @property
    def n_clips(self) -> int:
        """Clips of the whole release."""
        return sum(self.labels.values())


def release_notes(clips: Sequence[Clip], release: Release) -> list[str]:
    """One line if the clips are not, label by label and in the number of groups, those of the release.

    A copy without a whole label is told like one that lacks clips; nothing is said of a whole copy.
    """
    counts = Counter(clip.label for clip in clips)
    n_groups = len({clip.group for clip in clips})
    labels = release.labels
    wrong = [f"{name} ({counts[name]:,} of {n:,})" for name, n in labels.items() if counts[name] != n]
    wrong += [f"{name} ({n:,} of 0)" for name, n in sorted(counts.items()) if name not in labels]
    if not wrong and n_groups == release.n_groups:
        return []
    where = [f"counts differ in {shown(wrong)}"] if wrong else []
    where += [f"{n_groups:,} of {release.n_groups:,} {release.groups}"] if n_groups != release.n_groups else []
    return [f"{_verdict(len(clips), release)}; {'; '.join(where)}"]


def joined_notes(clips: Sequence[Clip]) -> list[str]:
    """One line if clips are in another fold than their column `official_fold` says."""
    n = sum(clip.fold != dict(clip.extra)["official_fold"] for clip in clips)
    told = f"{n:,} clip(s) of recordings that stand in two official folds are in one here (column official_fold)"
    return [told] if n else []


def shown(names: Iterable[str], most: int = _SHOWN) -> str:
    """The first few of many names, and how many more there are.

    >>> shown(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    listed = list(names)
    more = f" and {len(listed) - most:,} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more


def _verdict(n: int, release: Release) -> str:
    if n < release.n_clips:
        return f"{n:,} of the {release.n_clips:,} clips of {release.name}: a partial copy"
    return f"{n:,} clips, {release.name} has {release.n_clips:,}: not the release as published"
