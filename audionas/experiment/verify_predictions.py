"""Tables of predictions against the manifest: the right clips, each as it is labelled, nobody tested who trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from audionas.audio.folds import OuterSplit, split_folder
from audionas.audio.manifest import Manifest, read_table
from audionas.experiment.figures import Findings, Mismatch
from audionas.training.prediction_columns import PROBABILITY, TRUTH, read_values, text_columns

SUM_TOLERANCE = 1e-6  # probabilities are written with 9 digits


def verify_predictions(
    run: Path,
    name: str,
    manifest: Manifest,
    splits: Sequence[OuterSplit],
    seeds: Sequence[int],
    findings: Findings,
    tables: Sequence[str] = ("predictions.csv",),
) -> None:
    """The tables of every split and seed of a retraining or a fusion."""
    for split in splits:
        tested = {manifest.clips[row].clip for row in split.test}
        for seed in seeds:
            for table in tables:
                place = f"{split_folder(split.name)}/seed_{seed}/{table}"
                verify_table(run / place, f"{name}/{place}", manifest, tested, findings)


def verify_table(path: Path, file: str, manifest: Manifest, tested: set[str], findings: Findings) -> None:
    """One table, told as `file`: its test part are these clips, and it says of each clip what the manifest says."""
    with findings.reading(file):
        table = read_table(path)
        _verify_clips(table, manifest, tested, file, findings)
        if manifest.task == "classification":
            _verify_labels(table, manifest, file, findings)
            _verify_probabilities(table, file, findings)
        else:
            _verify_values(table, manifest, file, findings)


def _verify_clips(table: pd.DataFrame, manifest: Manifest, tested: set[str], file: str, findings: Findings) -> None:
    """The test part holds the tested clips, as the manifest has them; no other part holds one of their groups."""
    clips = {clip.clip: clip for clip in manifest.clips}
    found = set(table.loc[table["part"] == "test", "clip"])
    findings.expect(file, "test clips", len(found), len(tested))
    for clip in sorted(found ^ tested):
        wrong = ("in the table", "not of this split") if clip in found else ("absent", "a test clip of this split")
        findings.mismatches.append(Mismatch(file, f"clip {clip}", *wrong))
    groups = {clips[clip].group for clip in tested}
    for clip, group, part in zip(table["clip"], table["group"], table["part"], strict=True):
        if clip not in clips:
            if part != "test":
                findings.mismatches.append(Mismatch(file, f"clip {clip}", "in the table", "not in the manifest"))
            continue
        findings.expect(file, f"clip {clip}, group", group, clips[clip].group)
        if part != "test" and clips[clip].group in groups:
            wrong = (f"in part {part}", f"group {clips[clip].group} is tested in this split")
            findings.mismatches.append(Mismatch(file, f"clip {clip}", *wrong))


def _verify_labels(table: pd.DataFrame, manifest: Manifest, file: str, findings: Findings) -> None:
    labels = {clip.clip: clip.label for clip in manifest.clips}
    for clip, label in zip(table["clip"], table["label"], strict=True):
        if clip in labels:
            findings.expect(file, f"clip {clip}, label", label, labels[clip])


def _verify_probabilities(table: pd.DataFrame, file: str, findings: Findings) -> None:
    """The probabilities of a clip add up to 1, and the predicted class is the likeliest."""
    columns = [str(name) for name in table.columns if str(name).startswith(PROBABILITY)]
    scores = table[columns].to_numpy(dtype=np.float64)
    for row in np.flatnonzero(~(np.abs(scores.sum(axis=1) - 1.0) <= SUM_TOLERANCE)):
        clip = table["clip"].iloc[row]
        findings.mismatches.append(Mismatch(file, f"clip {clip}, sum of probabilities", float(scores[row].sum()), 1.0))
    likeliest = [columns[i].removeprefix(PROBABILITY) for i in scores.argmax(axis=1)]
    for clip, stored, predicted in zip(table["clip"], table["predicted"], likeliest, strict=True):
        findings.expect(file, f"clip {clip}, predicted", stored, predicted)


def _verify_values(table: pd.DataFrame, manifest: Manifest, file: str, findings: Findings) -> None:
    """Of several labels, or numbers: the truth of each clip; the listed labels, and probabilities from 0 to 1."""
    labels, truth, scores = read_values(Path(file), table, manifest.task)
    findings.expect(file, "labels", list(labels), list(manifest.labels))
    wanted = {clip.clip: target for clip, target in zip(manifest.clips, manifest.targets, strict=True)}
    for clip, own in zip(table["clip"], truth, strict=True):
        for label, stored, told in zip(labels, own, wanted.get(clip, own), strict=True):
            findings.expect(file, f"clip {clip}, {TRUTH}{label}", float(stored), float(told))
    if manifest.task == "regression":
        return
    for column, texts in text_columns(labels, truth, scores).items():
        for clip, stored, told in zip(table["clip"], table[column], texts, strict=True):
            findings.expect(file, f"clip {clip}, {column}", stored, told)
    for row in np.flatnonzero(((scores < 0) | (scores > 1)).any(axis=1)):
        odd = float(scores[row][(scores[row] < 0) | (scores[row] > 1)][0])
        findings.mismatches.append(Mismatch(file, f"clip {table['clip'].iloc[row]}, probability", odd, "from 0 to 1"))
