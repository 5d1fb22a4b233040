"""Decision-level fusion of retrained streams: what one stream gets wrong, the other may get right.

A fusion of (split, seed) is trained on predictions of the same split and seed alone. By default these are inner
out-of-fold predictions of its training clips; with `is_paper` those of the training clips by the networks trained on
them, and the epoch with the highest validation UA. Nothing takes another split's test predictions: the networks that
made them were trained on this split's test clips.

Source: Sun et al., "EmotionNAS", 2022, section 2.3. The paper does not say what its MLP is trained on.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np

from audionas.audio.folds import OuterSplit, outer_splits, split_folder
from audionas.errors import RunError, SettingsError
from audionas.experiment.corpus import data_record
from audionas.experiment.fuse_clips import FusionFold, fusion_fold
from audionas.experiment.fuse_metrics import MLP, Row, comparison
from audionas.experiment.fuse_streams import Stream, find_streams, refuse_unlike
from audionas.experiment.machine import use_threads
from audionas.experiment.retrain_metrics import ALL, CLEAN, UNKNOWN
from audionas.experiment.run_folder import RUN_FILE, RunFolder, fresh_folder, refuse_occupied
from audionas.experiment.talk import Silent, Talk
from audionas.models import n_parameters
from audionas.records import write_json
from audionas.training.fusion import EPOCHS, RULES_OF_TASKS, Weighting, epochs_by_folds, fit_mlp, fusion_mlp
from audionas.training.measures import in_measure
from audionas.training.predictions import Predictions

KIND = "fuse"
WEIGHTINGS = ("balanced", "none")
Outputs = dict[str, dict[tuple[str, int], Predictions]]


@dataclass(frozen=True)
class FuseRequest:
    """What the user asked for; None and defaults as `audionas fuse --help` says."""

    runs: tuple[Path, ...]
    is_paper: bool = False
    epochs: int | Literal["chosen"] = EPOCHS
    class_weighting: str = "none"
    out: Path | None = None
    argv: tuple[str, ...] = ("fuse",)

    @property
    def part(self) -> str:
        """Which predictions train the fusion."""
        return "train" if self.is_paper else "inner_oof"


def fuse(request: FuseRequest, talk: Talk | None = None) -> Path:
    """Fuse finished retrainings; returns the run folder, which holds `metrics.json`.

    A fusion takes seconds, so it has no resume: the same command starts a stopped one anew.

    Raises:
        SettingsError: the request cannot be carried out.
        RunError: the runs were not retrained alike, or lack what trains the fusion.
    """
    talk = talk or Silent()
    _check(request)
    streams = find_streams(request.runs)
    refuse_unlike(streams, request.part)
    out = request.out or fresh_folder("fused")
    _refuse_occupied(out)
    splits = outer_splits(streams[0].manifest)
    folds = [fusion_fold(streams, split, seed, request.part) for split in splits for seed in streams[0].seeds]
    run = RunFolder.create(
        out, KIND, list(request.argv),
        streams=[str(stream.path.resolve()) for stream in streams],
        mode="paper" if request.is_paper else "inner_oof",
        epochs=request.epochs,
        class_weighting=request.class_weighting,
        seeds=list(streams[0].seeds),
        data=data_record(streams[0].manifest),
    )  # fmt: skip
    with run.working():
        for left in out.glob("split_*"):  # of a fusion that was stopped
            shutil.rmtree(left)
        write_json(out / "metrics.json", _fuse(run, request, streams, splits, folds, talk))
    return out


def _check(request: FuseRequest) -> None:
    if request.class_weighting not in WEIGHTINGS:
        raise SettingsError(f"--class-weighting: got {request.class_weighting!r}; accepted: {', '.join(WEIGHTINGS)}")
    if request.epochs == "chosen":
        if request.is_paper:
            raise SettingsError("--epochs chosen: with --paper the validation part chooses already; give a number")
    elif request.epochs < 1:
        raise SettingsError(f"--epochs: got {request.epochs}, must be 1 or more, or chosen")


def _refuse_occupied(out: Path) -> None:
    """Refuse a place that holds anything but a fusion that was stopped."""
    if (out / RUN_FILE).exists():
        record = RunFolder.open(out).record
        if record["kind"] == KIND and record["status"] != "done":
            return
        raise RunError(f"{out}: holds another run; choose another --out")
    refuse_occupied(out)


def _fuse(
    run: RunFolder,
    request: FuseRequest,
    streams: Sequence[Stream],
    splits: Sequence[OuterSplit],
    folds: Sequence[FusionFold],
    talk: Talk,
) -> dict[str, Any]:
    use_threads(1)
    rules = RULES_OF_TASKS[streams[0].manifest.task]
    outputs: Outputs = {name: {} for name in (MLP, *rules)}
    epochs: dict[tuple[str, int], int] = {}
    for number, fold in enumerate(folds, start=1):
        key = fold.split, fold.seed
        scores, epochs[key] = _mlp_scores(fold, request)
        table = run.path / split_folder(fold.split) / f"seed_{fold.seed}" / "predictions.csv"
        fold.fused(scores).write(table)
        outputs[MLP][key] = Predictions.read(table)  # scored is what is written, so that it can be verified
        for name, rule in rules.items():
            outputs[name][key] = fold.fused(rule(fold.train)(fold.test))
        talk.progress("fusion", number, len(folds))
    document = fusion_document(request, streams, splits, fusion_rows(streams, folds, outputs), epochs)
    seen = ", ".join(split["name"] for split in document["splits"] if split["seen_by_search"])
    if seen:
        line = f"the search of a stream has read clips of test fold(s) {seen}: scored, kept out of the headline"
        run.warn(line)
        talk.warn(line)
    return document


def _mlp_scores(fold: FusionFold, request: FuseRequest) -> tuple[np.ndarray, int]:
    """Fused probabilities of the test clips, and after how many epochs of the MLP."""
    weighting = cast(Weighting, request.class_weighting)
    if request.epochs == "chosen":
        assert fold.inner_folds is not None
        epochs = epochs_by_folds(fold.train, fold.inner_folds, fold.seed, weighting=weighting)
    else:
        epochs = request.epochs
    fitted = fit_mlp(fold.train, fold.seed, epochs=epochs, weighting=weighting, judge=fold.validation)
    return fitted(fold.test), fitted.epochs


def fusion_rows(streams: Sequence[Stream], folds: Sequence[FusionFold], outputs: Outputs) -> list[Row]:
    """Each stream alone, the MLP and the untrained rules."""
    counts = tuple(stream.parameters for stream in streams)
    own = {
        MLP: n_parameters(fusion_mlp(streams[0].manifest.task, len(streams), len(streams[0].manifest.labels))),
        "temperature-scaled averaging": len(streams),
    }
    alone = [
        Row(str(stream.path), "stream", (stream.parameters,), 0,
            {(fold.split, fold.seed): fold.streams[i] for fold in folds})
        for i, stream in enumerate(streams)
    ]  # fmt: skip
    fused = [
        Row(name, "mlp" if name == MLP else "rule", counts, own.get(name, 0), found) for name, found in outputs.items()
    ]
    return [*alone, *fused]


def fusion_document(
    request: FuseRequest,
    streams: Sequence[Stream],
    splits: Sequence[OuterSplit],
    rows: Sequence[Row],
    epochs: Mapping[tuple[str, int], int],
) -> dict[str, Any]:
    """The document; `headline` is null when a search has read clips of every test fold."""
    manifest, seeds = streams[0].manifest, streams[0].seeds
    data = {"task": manifest.task}
    seen = {split.name: sorted({g for stream in streams for g in stream.groups_seen(split)}) for split in splits}
    clean = [name for name, groups in seen.items() if not groups]
    are_known = manifest.speaker_independence_checked
    is_known = all(stream.knows_what_was_read(split) for stream in streams for split in splits)
    return {
        "schema_version": 1,
        "task": manifest.task,
        "labels": list(manifest.labels),
        "mode": "paper" if request.is_paper else "inner_oof",
        "speaker_independence_checked": manifest.speaker_independence_checked,
        "streams": [{"path": str(stream.path), "parameters": stream.parameters} for stream in streams],
        "splits": [
            {"name": split.name, "seen_by_search": bool(seen[split.name]), "groups_seen": seen[split.name]}
            for split in splits
        ],
        "headline": comparison(rows, clean, seeds, in_measure(CLEAN if is_known else UNKNOWN, data), are_known)
        if clean
        else None,
        "all_splits": comparison(rows, list(seen), seeds, in_measure(ALL, data), are_known),
        "epochs": [{"split": split, "seed": seed, "epochs": n} for (split, seed), n in epochs.items()],
    }
