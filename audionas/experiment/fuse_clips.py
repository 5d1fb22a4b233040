"""The clips of a fusion, stream beside stream: what trains it, what chooses its epoch, what tests it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from audionas.audio.folds import OuterSplit
from audionas.errors import RunError
from audionas.experiment.fuse_streams import Stream
from audionas.experiment.inner_folds import inner_fold_clips
from audionas.training.fusion import FusionClips
from audionas.training.predictions import Predictions


@dataclass(frozen=True)
class FusionFold:
    """One (split, seed): `streams` are the test predictions of each, in one order of clips."""

    split: str
    seed: int
    streams: tuple[Predictions, ...]
    train: FusionClips
    inner_folds: np.ndarray | None
    validation: FusionClips | None

    @property
    def test(self) -> np.ndarray:
        """Probabilities of the test clips, (streams, clips, classes)."""
        return np.stack([stream.scores for stream in self.streams])

    def fused(self, scores: np.ndarray) -> Predictions:
        """Fused probabilities of the test clips (clips, classes), as predictions."""
        one = self.streams[0]
        return Predictions(one.clips, one.groups, one.truth, scores, one.labels, task=one.task)


def fusion_fold(streams: Sequence[Stream], split: OuterSplit, seed: int, part: str) -> FusionFold:
    """The clips of one (split, seed); `part` is inner_oof, or train with the paper's reading.

    Raises:
        RunError: a part is missing, clips or inner folds differ between streams, or a training clip of the fusion
            is of a test group.
    """
    needed = ("test", part, *(("validation",) if part == "train" else ()))
    tables = [stream.predictions(split.name, seed, needed) for stream in streams]
    found = {name: _aligned(streams, tables, split.name, seed, name) for name in needed}
    _refuse_leak(streams[0], split, found, seed)
    inner = _inner_folds(streams, split.name, seed, found[part][0]) if part == "inner_oof" else None
    validation = _clips(found["validation"]) if part == "train" else None
    return FusionFold(split.name, seed, tuple(found["test"]), _clips(found[part]), inner, validation)


def _aligned(
    streams: Sequence[Stream], tables: Sequence[Mapping[str, Predictions]], split: str, seed: int, part: str
) -> list[Predictions]:
    """One part of every stream, in the first one's order of clips."""
    first, aligned = tables[0][part], []
    for stream, table in zip(streams, tables, strict=True):
        other = table[part]
        where = f"split {split}, seed {seed}, part {part}: {streams[0].path} and {stream.path}"
        if set(other.clips) != set(first.clips):
            n_common = len(set(other.clips) & set(first.clips))
            raise RunError(
                f"{where} have other clips ({len(first.clips)} and {len(other.clips)}, {n_common} in both); "
                "retrain both with the same --select and --inner-folds"
            )
        place = {clip: i for i, clip in enumerate(other.clips)}
        order = [place[clip] for clip in first.clips]
        groups = tuple(other.groups[i] for i in order)
        if not np.array_equal(other.truth[order], first.truth) or groups != first.groups:
            raise RunError(f"{where} call one clip's label or group differently; a predictions table was changed")
        aligned.append(
            Predictions(first.clips, groups, first.truth, other.scores[order], first.labels, part, first.task)
        )
    return aligned


def _refuse_leak(stream: Stream, split: OuterSplit, found: Mapping[str, Sequence[Predictions]], seed: int) -> None:
    """Test clips are those of the split; nothing of a test group trains the fusion or chooses its epoch."""
    clips = stream.manifest.clips
    where = stream.folder(split.name, seed) / "predictions.csv"
    if set(found["test"][0].clips) != {clips[row].clip for row in split.test}:
        raise RunError(f"{where}: its test clips are not those of split {split.name}; the table is of another split")
    group_of = {clip.clip: clip.group for clip in clips}
    tested = {clips[row].group for row in split.test}
    for part, predictions in found.items():
        leaked = sorted({group_of.get(clip, "") for clip in predictions[0].clips} & tested) if part != "test" else []
        if leaked:
            raise RunError(f"{where}: part {part} holds clips of {leaked[0]!r}, who is tested in split {split.name}")


def _inner_folds(streams: Sequence[Stream], split: str, seed: int, first: Predictions) -> np.ndarray:
    """The inner fold of each clip, (clips,) int64; the same in every stream."""
    tables = []
    for stream in streams:
        folds = inner_fold_clips(stream.folder(split, seed), stream.n_inner_folds)
        tables.append({clip: k for k, clips in enumerate(folds) for clip in clips})
        unlike = [clip for clip in first.clips if tables[-1].get(clip) != tables[0].get(clip)]
        if unlike or set(tables[-1]) != set(first.clips):
            raise RunError(
                f"split {split}, seed {seed}: {streams[0].path} and {stream.path} have other inner folds "
                f"({len(unlike)} of {len(first.clips)} clips in another one); retrain both with the same options"
            )
    return np.array([tables[0][clip] for clip in first.clips], dtype=np.int64)


def _clips(streams: Sequence[Predictions]) -> FusionClips:
    return FusionClips(np.stack([stream.scores for stream in streams]), streams[0].truth, streams[0].task)
