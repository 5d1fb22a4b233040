"""Inner out-of-fold predictions: what a network says of training clips whose groups it was not trained on.

Within the training clips of one outer split, each of N inner folds is predicted by a fresh network of the same
genotype, trained by the same plan on the others. The predictions are neither saturated, as those of training clips
by their own network are, nor has any test clip of the split played a part in them: what a fusion is trained on.

An inner training lives in `inner_<k>/` of its seed's folder (history, predictions, result; weights are not kept), so
that a kill loses the one under way at most, and that down to its checkpoint.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from audionas.audio.folds import divide_groups, missing_classes
from audionas.audio.manifest import Manifest
from audionas.errors import ManifestError
from audionas.experiment.corpus import Corpus
from audionas.experiment.fold_rows import FoldRows
from audionas.experiment.fold_training import OnEpoch, TrainingPlan, train_network
from audionas.models import n_parameters
from audionas.records import write_json
from audionas.seeding import derive
from audionas.spaces import Genotype
from audionas.training.predictions import Predictions, joined

PART = "inner_oof"
SEED = 0


def inner_fold_rows(manifest: Manifest, rows: Sequence[int], n_folds: int) -> list[tuple[int, ...]]:
    """The rows of each inner fold: whole groups, stratified by class.

    Drawn from (seed 0, "inner folds") whatever the retraining seed: two streams with the same manifest and the same
    training rows have the same inner folds.

    Raises:
        ManifestError: fewer groups than inner folds.
    """
    n_groups = len({manifest.clips[row].group for row in rows})
    if n_groups < n_folds:
        raise ManifestError(
            f"{manifest.root}: {n_groups} training group(s) in a split, fewer than --inner-folds {n_folds}; "
            "use fewer inner folds (2 at least), 0 for none, or add groups"
        )
    shares = {str(k): 1.0 / n_folds for k in range(1, n_folds + 1)}
    return list(divide_groups(manifest, rows, shares, SEED, "inner folds").values())


def untrained_classes(manifest: Manifest, rows: Sequence[int], n_folds: int) -> list[str]:
    """Classes of these rows that at least one inner training does not see."""
    lacking = set(missing_classes(manifest, rows))
    found: set[str] = set()
    for held_out in inner_fold_rows(manifest, rows, n_folds):
        found |= set(missing_classes(manifest, _others(rows, held_out))) - lacking
    return sorted(found)


def inner_out_of_fold(
    genotype: Genotype,
    corpus: Corpus,
    rows: FoldRows,
    plan: TrainingPlan,
    folder: Path,
    seed: int,
    on_epoch: Callable[[int], OnEpoch],
) -> Predictions:
    """Predictions of all training clips, inner fold after inner fold; finished inner trainings are read.

    Args:
        folder: of the (split, seed); the inner trainings are in `inner_1`, ... below it.
        on_epoch: gives what to call after an epoch of inner training k.
    """
    found = []
    for k, held_out in enumerate(inner_fold_rows(corpus.manifest, rows.train, plan.inner_folds), start=1):
        inner = FoldRows(_others(rows.train, held_out), (), held_out)
        found.append(_train_inner(genotype, corpus, inner, plan, folder, (seed, k), on_epoch(k)))
    return joined(found, PART)


def inner_fold_clips(folder: Path, n_folds: int) -> list[tuple[str, ...]]:
    """The clips of each inner fold, as the inner trainings of one (split, seed) left them."""
    return [Predictions.read(_place(folder, k) / "predictions.csv", PART).clips for k in range(1, n_folds + 1)]


def _train_inner(
    genotype: Genotype,
    corpus: Corpus,
    rows: FoldRows,
    plan: TrainingPlan,
    folder: Path,
    which: tuple[int, int],
    on_epoch: OnEpoch,
) -> Predictions:
    seed, k = which
    place = _place(folder, k)
    if (place / "result.json").exists():
        return Predictions.read(place / "predictions.csv", PART)
    trained = train_network(
        genotype, corpus, rows, replace(plan, select="last"), place, derive(seed, "inner fold", k), on_epoch
    )
    trained.predict(rows.test, PART).write(place / "predictions.csv")
    write_json(place / "result.json", {
        "seed": seed,
        "inner_fold": k,
        "epochs": plan.epochs,
        "parameters": n_parameters(trained.network),
        "n_train": len(rows.train),
        "n_test": len(rows.test),
        "seconds": trained.seconds,
        "failed": trained.failures[0] if trained.failures else None,
    })  # fmt: skip
    shutil.rmtree(place / "checkpoint", ignore_errors=True)
    return Predictions.read(place / "predictions.csv", PART)


def _others(rows: Sequence[int], held_out: Sequence[int]) -> tuple[int, ...]:
    out = set(held_out)
    return tuple(row for row in rows if row not in out)


def _place(folder: Path, k: int) -> Path:
    return folder / f"inner_{k}"
