"""How a multi-trial search divides its clips: inner folds, another division for the re-test, own normalisation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from audionas.audio.folds import OuterSplit, divide_groups, missing_classes
from audionas.audio.manifest import Manifest
from audionas.errors import ManifestError
from audionas.experiment.candidate_costs import candidate_costs
from audionas.experiment.corpus import Corpus
from audionas.search import SearchData, Strategy, TrainingEvaluator
from audionas.training.tasks import task_of

Parts = Mapping[str, tuple[int, ...]]
PURPOSE = "retest parts"
N_DRAWS = 16
_NOT_TRAINED_ON = ("monitor", "validation", "unused")


def inner_fold_parts(
    manifest: Manifest, split: OuterSplit, n_folds: int, seed: int, purpose: str = "search inner folds"
) -> dict[str, tuple[int, ...]]:
    """The rows of each inner fold, `inner_1` and so on: whole groups of the search clips, stratified by class.

    Raises:
        ManifestError: fewer groups than inner folds, or the protocol's dev part already says who validates.
    """
    if split.dev:
        raise ManifestError(
            f"{manifest.root}: --inner-folds {n_folds}: fold {split.name} has a dev part, which alone validates "
            f"(protocol {manifest.protocol!r}); use --inner-folds 0, or --protocol folds or leave_one_group_out"
        )
    n_groups = _n_groups(manifest, split.search)
    if n_groups < n_folds:
        raise ManifestError(
            f"{manifest.root}: --inner-folds {n_folds}: fold {split.name} leaves {n_groups} group(s) to the search; "
            f"use {f'2 to {n_groups} inner folds' if n_groups > 1 else 'other folds'}, or 0 for none, or add groups"
        )
    return divide_groups(manifest, split.search, _equal_shares(n_folds), seed, purpose)


@dataclass(frozen=True)
class Redrawn:
    """The division of the re-test, and what is new in it, in words."""

    parts: Parts
    how: str


def redrawn_parts(manifest: Manifest, split: OuterSplit, strategy: Strategy, seed: int, first: Parts) -> Redrawn:
    """Another division of the same shares than `first`; where there is none, `first`, and only the seeds are new.

    Of up to 16 draws the first is taken that leaves no more parts without a class than `first` does, else the one
    that leaves the fewest.
    """
    if split.dev:
        return Redrawn(first, "new seeds, the same division: the dev part validates")
    shares = _equal_shares(len(first)) if strategy.inner_folds else strategy.shares(_n_groups(manifest, split.search))
    allowed = _n_missing(manifest, first)
    others: list[dict[str, tuple[int, ...]]] = []
    for draw in range(N_DRAWS):
        parts = divide_groups(manifest, split.search, shares, seed, f"{PURPOSE} {draw}", jitter=True)
        if _held_out(parts) != _held_out(first):
            others.append(parts)
            if _n_missing(manifest, parts) <= allowed:
                break
    if not others:
        return Redrawn(first, "new seeds, the same division: the groups allow no other")
    name = "inner folds" if strategy.inner_folds else "train and validation part"
    return Redrawn(min(others, key=lambda parts: _n_missing(manifest, parts)), f"new seeds, {name} redrawn")


def search_evaluator(corpus: Corpus, parts: Parts, strategy: Strategy, record: Mapping[str, Any]) -> TrainingEvaluator:
    """What trains candidates on these parts; each training is normalised with its own training rows alone.

    Args:
        record: that of the run, which says where and in which numbers.
    """
    device = record["device"]
    assert strategy.recipe is not None
    divisions = training_parts(parts) if strategy.inner_folds else [parts]
    datas = [search_data(corpus, each, strategy, device) for each in divisions]
    return TrainingEvaluator(
        replace(datas[0], parts=parts), strategy.recipe, device, strategy.objective, strategy.score_epoch,
        strategy.stop_diverging, tuple(datas) if strategy.inner_folds else (),
        candidate_costs(corpus, strategy, datas[0].n_outputs, device), precision=record.get("precision"),
        recomputes=record.get("recompute", False),
    )  # fmt: skip


def search_data(corpus: Corpus, parts: Parts, strategy: Strategy, device: str = "cpu") -> SearchData:
    """The clips of these parts; mean and sd are of all rows but those of a monitor or validation part.

    Clips that train weights may be replaced by augmented copies, where the corpus has some.
    """
    manifest = corpus.manifest
    rows = sorted(row for name, part in parts.items() if name not in _NOT_TRAINED_ON for row in part)
    tensors, _ = corpus.tensors(rows, _weights_rows(parts))
    return SearchData(
        manifest,
        tensors,
        parts,
        corpus.input_shape,
        task_of(manifest).fitted(manifest.targets[rows]),
        strategy.class_weighting,
        strategy.batch_size,
        device,
    )


def trained_rows(*divisions: Parts) -> list[int]:
    """Rows that train weights in one of these divisions, or in an inner training of it: those that may have copies.

    The alphas part of a one-shot search is not among them: it decides.
    """
    each = [part for parts in divisions for part in (training_parts(parts) if _is_inner(parts) else [parts])]
    return sorted({row for parts in each for row in _weights_rows(parts)})


def training_parts(folds: Parts) -> list[dict[str, tuple[int, ...]]]:
    """Of inner folds: what each training trains and validates on."""
    return [
        {
            "train": tuple(sorted(row for other, rows in folds.items() if other != name for row in rows)),
            "validation": held_out,
        }
        for name, held_out in folds.items()
    ]


def untrained_classes(manifest: Manifest, folds: Parts) -> list[str]:
    """Classes that the training without one inner fold does not see, though some of these rows have them."""
    lacking = set(missing_classes(manifest, [row for rows in folds.values() for row in rows]))
    found = {label for parts in training_parts(folds) for label in missing_classes(manifest, parts["train"])}
    return sorted(found - lacking)


def _weights_rows(parts: Parts) -> tuple[int, ...]:
    return parts["weights" if "weights" in parts else "train"]


def _is_inner(parts: Parts) -> bool:
    return all(name.startswith("inner_") for name in parts)


def _equal_shares(n_folds: int) -> dict[str, float]:
    return {f"inner_{k}": 1.0 / n_folds for k in range(1, n_folds + 1)}


def _n_groups(manifest: Manifest, rows: Sequence[int]) -> int:
    return len({manifest.clips[row].group for row in rows})


def _held_out(parts: Parts) -> set[tuple[int, ...]]:
    """What tells two divisions apart: the validation part, or the inner folds in any order."""
    return {parts["validation"]} if "validation" in parts else set(parts.values())


def _n_missing(manifest: Manifest, parts: Parts) -> int:
    return sum(len(missing_classes(manifest, rows)) for rows in parts.values())
