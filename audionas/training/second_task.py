"""The second class of clips: another categorical column of the manifest, which the same network learns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from torch import Tensor

from audionas.audio.manifest import Clip, Manifest
from audionas.models.baselines.abilities import MISSING, SecondTask
from audionas.training.batches import ClipTensors
from audionas.training.predictions import Predictions, average_windows
from audionas.training.scoring import score_rows
from audionas.training.tasks import Classification


def second_cells(manifest: Manifest, column: str) -> tuple[str, ...]:
    """The value of each clip in a column, empty where it has none (or the manifest no such column)."""
    return tuple(columns_of_clip(clip).get(column, "").strip() for clip in manifest.clips)


def columns_of_clip(clip: Clip) -> dict[str, str]:
    """What could be a second class of a clip: the corpus's own columns, its group, fold and split."""
    own = {"group": clip.group, "fold": clip.fold, "split": clip.split}
    return {**own, **dict(clip.extra)}


def second_targets(manifest: Manifest, column: str, labels: Sequence[str], rows: Sequence[int]) -> np.ndarray:
    """Second class of each clip, (clips,) int64: an index into `labels` for these rows, `MISSING` for all others."""
    index, cells = {label: i for i, label in enumerate(labels)}, second_cells(manifest, column)
    found = np.full(len(manifest), MISSING, dtype=np.int64)
    for row in rows:
        found[row] = index.get(cells[row], MISSING)
    return found


def second_manifest(manifest: Manifest, column: str, labels: Sequence[str], rows: Sequence[int]) -> Manifest:
    """Those of these rows that have one of the labels in the column, labelled by it."""
    cells = second_cells(manifest, column)
    known = known_rows(manifest, column, labels, rows)
    clips = tuple(replace(manifest.clips[row], label=cells[row]) for row in known)
    return replace(manifest, clips=clips, labels=tuple(labels), task="classification")


def known_rows(manifest: Manifest, column: str, labels: Sequence[str], rows: Sequence[int]) -> list[int]:
    """Those of these rows that have one of the labels in the column."""
    cells = second_cells(manifest, column)
    return [row for row in rows if cells[row] in labels]


def predict_second(
    network: SecondTask,
    tensors: ClipTensors,
    manifest: Manifest,
    rows: Sequence[int],
    device: str,
    *,
    has_diverged: bool = False,
) -> Predictions | None:
    """Probabilities of the second class of those of these rows where it is known; None where it is of none.

    The caller sets eval mode. A training that has diverged is scored as guessing.
    """
    known = known_rows(manifest, network.second_column, network.second_labels, rows)
    if not known:
        return None

    def forward(x: Tensor, lengths: Tensor | None = None) -> Tensor:
        return network.both(x, lengths)[:, -network.n_second :]

    scores = np.full((len(known), network.n_second), 1.0 / network.n_second)
    if not has_diverged:
        scores = score_rows(forward, tensors, known, Classification(), batch_size=64, device=device)
    found = second_manifest(manifest, network.second_column, network.second_labels, known)
    return average_windows(found, range(len(known)), scores)
