"""The audio of a pre-training: several corpora as one, without labels, and who of it must be left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from audionas.audio.folds import divide_groups
from audionas.audio.manifest import Manifest
from audionas.errors import ManifestError, RunError
from audionas.experiment.corpus import Corpus, load_corpus
from audionas.experiment.provenance import groups_read, groups_shared
from audionas.experiment.talk import Talk
from audionas.features import load_features
from audionas.quantities import count_text
from audionas.training.clip_copies import StackedRows

FEATURES = "fop"
VALIDATION_SHARE = 0.1
ENCODER_GROUPS_BYTES = 150_000  # of the groups that a file of weights names; they are added to a genotype's own
# Whole clips are stored whatever the input of a later network, so that all splits share one cache.
_SHORTEST_S = 0.025


@dataclass(frozen=True)
class Pool:
    """Corpora one after the other; rows count through all of them.

    In `manifest` the label of a clip is the number of its corpus, so that parts hold a share of each.
    """

    corpora: tuple[Corpus, ...]

    @staticmethod
    def load(places: Sequence[Mapping[str, str]], folder: Path, talk: Talk) -> Pool:
        """The corpora that a run of `audionas pretrain` keeps in `data_<k>`, with their features."""
        settings = stored_features()
        return Pool(
            tuple(
                load_corpus(Manifest.read(folder / f"data_{k}"), Path(place["features_folder"]), settings, talk)
                for k, place in enumerate(places, start=1)
            )
        )

    @cached_property
    def manifest(self) -> Manifest:
        """All clips; it has no root and is for groups only."""
        parts = [corpus.manifest for corpus in self.corpora]
        clips = [replace(clip, label=str(k)) for k, part in enumerate(parts) for clip in part.clips]
        are_known = any(part.speaker_independence_checked for part in parts)
        manifest = Manifest(Path("pre-training"), (), (), group_source="several corpora" if are_known else "each file")
        return manifest.with_clips(clips)

    @cached_property
    def features(self) -> StackedRows:
        """Features of all rows."""
        return StackedRows([corpus.features for corpus in self.corpora])

    @cached_property
    def own_frames(self) -> np.ndarray:
        """Frames of each row, (rows,) int64."""
        return np.concatenate([corpus.own_frames for corpus in self.corpora])

    @cached_property
    def silent(self) -> frozenset[str]:
        """sha256 of files that hold nothing but zeros."""
        return frozenset().union(*(corpus.silent_files() for corpus in self.corpora))

    def rows_without(self, tested: Manifest, rows: Sequence[int]) -> list[int]:
        """Rows of all clips but those of the groups of these rows of a tested corpus, known by content or name.

        Raises:
            ManifestError: nothing is left.
        """
        kept, start = [], 0
        for corpus in self.corpora:
            shared = set(groups_shared(corpus.manifest, tested, rows, self.silent))
            kept += [start + k for k, clip in enumerate(corpus.manifest.clips) if clip.group not in shared]
            start += len(corpus.manifest)
        if not kept:
            raise ManifestError(
                f"{tested.root}: every clip of the data is of a group that is tested; nothing is left to learn from"
            )
        return kept

    def divided(self, rows: Sequence[int], seed: int) -> tuple[list[int], list[int]]:
        """Rows that train, and about a tenth of the groups that says when to stop; none of a single group."""
        if len({self.manifest.clips[row].group for row in rows}) < 2:
            return list(rows), []
        shares = {"train": 1 - VALIDATION_SHARE, "validation": VALIDATION_SHARE}
        parts = divide_groups(self.manifest, rows, shares, seed, "pretrain validation")
        return list(parts["train"]), list(parts["validation"])

    def groups_read(self, rows: Sequence[int], most_bytes: int) -> list[dict[str, Any]]:
        """What a genotype's provenance says of these rows."""
        return groups_read(self.manifest, rows, self.silent, most_bytes)

    def hours(self, rows: Sequence[int]) -> float:
        """Length of the audio of these rows."""
        return sum(self.manifest.clips[row].duration_s for row in rows) / 3600

    def sentence(self, rows: Sequence[int], left_out: str) -> str:
        """What was learnt from, for people."""
        names = ", ".join(dict.fromkeys(corpus.manifest.root.name for corpus in self.corpora))
        return f"{names}: {count_text(len(rows), 'clip')}, {self.hours(rows):.2f} h, {left_out}"


def stored_features() -> dict[str, Any]:
    """Settings of the features that a pre-training reads."""
    asked = load_features(FEATURES).model_copy(update={"length_s": _SHORTEST_S})
    return asked.resolve(16_000, [_SHORTEST_S]).settings()


def check_left_out(pool: Pool, rows: Sequence[int], tested: Manifest, test: Sequence[int]) -> None:
    """The last line against leaks: none of the tested files is among the rows that are learnt from.

    Raises:
        RunError: one is. This is a defect of audionas, or of a folder that was changed by hand.
    """
    files = {tested.clips[row].sha256 for row in test} - pool.silent
    leaked = next((clip for row in rows if (clip := pool.manifest.clips[row]).sha256 in files), None)
    if leaked is not None:
        raise RunError(
            f"{tested.root}: leak: clip {leaked.path!r}, which is tested, would be learnt from; nothing was trained. "
            "Prepare the data anew; if that does not help, please report it"
        )
