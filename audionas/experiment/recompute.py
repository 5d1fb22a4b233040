"""`metrics.json` of a retraining from its predictions: the one way by which it is made, and made again to verify it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audionas.audio.folds import OuterSplit, outer_splits, split_folder
from audionas.audio.manifest import Manifest
from audionas.experiment.chosen_on_test import marked
from audionas.experiment.genotype_sources import read_source, seen_groups
from audionas.experiment.group_scores import group_scores
from audionas.experiment.network_sizes import network_sizes
from audionas.experiment.noise_scores import robustness
from audionas.experiment.provenance import is_known as knows_what_was_read
from audionas.experiment.retrain_metrics import metrics_document, read_fold_scores
from audionas.experiment.run_folder import RunFolder
from audionas.experiment.second_task_scores import second_task_metrics
from audionas.training.tasks import task_of


def metrics_of_run(
    run: RunFolder,
    manifest: Manifest,
    splits: Sequence[OuterSplit],
    seen: Mapping[str, list[str]],
    is_known: bool,
    parameters: int,
    baselines: Mapping[str, Any],
) -> dict[str, Any]:
    """The document of a retraining from the predictions in its folder; the plain baselines are handed in."""
    task, seeds = task_of(manifest), run.record["seeds"]
    scores = read_fold_scores(run.path, splits, seeds, seen, task)
    names = [split.name for split in splits if not seen[split.name]] or [split.name for split in splits]
    groups = group_scores(run.path, names, seeds, task, manifest.speaker_independence_checked)
    document = metrics_document(manifest, splits, scores, parameters, baselines, is_known)
    document |= groups | robustness(run, names, task) | second_task_metrics(run.path, names, seeds)
    return marked(document, run.path, run.record)


def recompute_retraining(run: RunFolder, stored: Mapping[str, Any]) -> dict[str, Any]:
    """`metrics.json` of a retraining made again, but for its plain baselines, which are those stored.

    Raises:
        AudionasError: a table, a genotype or the manifest is missing or damaged.
    """
    manifest = Manifest.read(run.path)
    splits = outer_splits(manifest)
    sources = {split.name: read_source(run.path / split_folder(split.name) / "genotype.json") for split in splits}
    seen = {split.name: seen_groups(manifest, split, sources[split.name]) for split in splits}
    is_known = all(knows_what_was_read(source.provenance) for source in sources.values())
    sizes = network_sizes(run.path)
    document = metrics_of_run(run, manifest, splits, seen, is_known, sizes["parameters"], stored["baselines"])
    return document | sizes
