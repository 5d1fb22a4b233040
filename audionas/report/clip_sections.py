"""Test clips to listen to, embedded in the page, each with what the network made of it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from audionas.audio.excerpts import MIME, excerpt
from audionas.audio.manifest import Clip, Manifest
from audionas.audio.waveform import sha256_of
from audionas.errors import AudioError, AudionasError
from audionas.quantities import count_text
from audionas.report.blocks import Block, Clips, Notes, Section, Sound
from audionas.report.clip_choice import choose_clips
from audionas.report.label_sections import seed_predictions
from audionas.report.quantities import group_word
from audionas.report.run_files import RunFiles
from audionas.training.prediction_columns import text_columns
from audionas.training.predictions import Predictions

MOST_SCORES = 6
PRIVATE = (
    "These recordings are part of this file: whoever has the page can hear and keep them. "
    "audionas report --no-clips makes it without them."
)


def clip_section(files: RunFiles) -> Section | None:
    """A few clips of the retraining's test folds; None where none are asked for or nothing is predicted yet.

    Audio that is not there, or is not what the network heard, is left out and named; it never stops the page.
    """
    retraining = files.retraining
    metrics = retraining.metrics if retraining else None
    seeds = (metrics or {}).get("per_seed") or []
    if not files.shows_clips or retraining is None or not seeds:
        return None
    try:
        found = seed_predictions(files, seeds[0])
        manifest = Manifest.read(retraining.folder)
    except AudionasError:  # what is damaged there is told where it is needed
        return None
    if found is None:
        return None
    chosen = choose_clips(found)
    faults: list[str] = []
    blocks: list[Block] = []
    for title, rows in ((chosen.right_title, chosen.right), (chosen.wrong_title, chosen.wrong)):
        sounds = _sounds(files, found, manifest, rows, faults)
        if sounds:
            blocks.append(Clips(title, sounds))
    if faults:
        n_all = len(chosen.right) + len(chosen.wrong)
        text = f"{count_text(len(faults), 'clip')} of {n_all} cannot be played here; the first: {faults[0]}"
        blocks.append(Notes((text,)))
    intro = f"Test clips, each as heard by the network of seed {seeds[0].get('seed')} that was not trained on it. "
    has_sound = any(isinstance(block, Clips) for block in blocks)
    return Section("clips", "Clips to listen to", tuple(blocks), intro + (PRIVATE if has_sound else ""))


def _sounds(
    files: RunFiles, found: Predictions, manifest: Manifest, rows: Sequence[int], faults: list[str]
) -> tuple[Sound, ...]:
    sounds = []
    for row in rows:
        pieces = [clip for clip in manifest.clips if clip.clip == found.clips[row]]
        try:
            sounds.append(_sound(files, found, manifest, row, pieces))
        except AudioError as why:
            faults.append(str(why))
    return tuple(sounds)


def _sound(files: RunFiles, found: Predictions, manifest: Manifest, row: int, pieces: Sequence[Clip]) -> Sound:
    """One clip; of a recording in several windows its first seconds.

    Raises:
        AudioError: its file is not there, is not the one that was trained on, or lies outside of the corpus.
    """
    if not pieces:
        raise AudioError(f"clip {found.clips[row]!r}: is not in the manifest")
    first = min(pieces, key=lambda clip: clip.start_s)
    path = manifest.path_of(first)
    _check(manifest, first, path)
    ends = [clip.start_s + clip.duration_s for clip in pieces]
    until_end = any(not clip.duration_s for clip in pieces)
    piece = excerpt(path, first.start_s, 0.0 if until_end else max(ends) - first.start_s)
    length = f"{piece.duration_s:.1f} s"
    if not piece.is_whole:
        length = f"the first {piece.excerpt_s:.1f} s of {length}"
    truth, predicted = _labels(found, row)
    speaker = f"{group_word(files.data)} {first.group}, " if manifest.speaker_independence_checked else ""
    return Sound(
        uri=f"data:{MIME};base64,{base64.b64encode(piece.data).decode()}",
        title=first.path,
        truth=truth,
        predicted=predicted,
        lines=(f"{speaker}{length}", _scores(found, row)),
    )


def _check(manifest: Manifest, clip: Clip, path: Path) -> None:
    if not path.resolve().is_relative_to(manifest.root.resolve()):
        raise AudioError(f"{path}: lies outside of the corpus")
    if clip.sha256 and sha256_of(path) != clip.sha256:
        raise AudioError(f"{path}: has changed since the network heard it")


def _labels(found: Predictions, row: int) -> tuple[str, str]:
    """Truth and prediction as text."""
    if found.task == "classification":
        return found.labels[found.truth[row]], found.labels[int(found.scores[row].argmax())]
    if found.task == "multilabel":
        texts = text_columns(found.labels, found.truth[[row]], found.scores[[row]])
        return texts["label"][0] or "no label", texts["predicted"][0] or "no label"
    values = [
        ", ".join(f"{label} {value:.3g}" for label, value in zip(found.labels, each[row], strict=True))
        for each in (found.truth, found.scores)
    ]
    return values[0], values[1]


def _scores(found: Predictions, row: int) -> str:
    """The scores of the labels, the highest first; of a regression nothing, as they are the prediction."""
    if found.task == "regression":
        return ""
    order = np.argsort(-found.scores[row], kind="stable")[:MOST_SCORES]
    text = ", ".join(f"{found.labels[i]} {found.scores[row, i]:.2f}" for i in order)
    left = len(found.labels) - len(order)
    return text + (f" and {count_text(left, 'label')} with less" if left else "")
