"""`metrics.json` of an evaluation from its predictions: the one way by which it is made, and made again to verify."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from audionas.audio.manifest import Manifest
from audionas.errors import RunError
from audionas.experiment.final_model import FINAL
from audionas.experiment.group_scores import group_records
from audionas.experiment.run_folder import RunFolder
from audionas.experiment.score_means import mean_scores
from audionas.statistics.evidence import evidence
from audionas.statistics.scores import score_of
from audionas.statistics.system import System
from audionas.training.predictions import Predictions
from audionas.training.tasks import task_of

WHAT_FINAL = "the final model (trained on all clips of its corpus) on another corpus"
WHAT_EACH = (
    "every network of the retraining by itself on another corpus; mean and sd over networks, which share training "
    "clips and are no independent samples: the sd is no interval"
)


def network_record(
    other: Manifest, found: Predictions, name: str, left_out: Sequence[str], *, is_chance: bool
) -> dict[str, Any]:
    """The scores of one network.

    Args:
        left_out: groups that it, or the search of its genotype, has read.
        is_chance: whether its training diverged, so that it is scored as chance.
    """
    scores = task_of(other).metrics(found.truth, found.scores, found.labels).as_record()
    n_all = len({clip.clip for clip in other.clips})
    left = {"n_clips_left_out": n_all - len(found.clips), "groups_left_out": list(left_out)}
    return {"network": name, "is_chance": is_chance, **scores, **left}


def evaluation_metrics(
    record: Mapping[str, Any], other: Manifest, tables: Sequence[Predictions], networks: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """The document of an evaluation.

    Args:
        record: its `run.json`.
        other: the other corpus, with the labels of the networks.
        tables: the predictions of each network that has clips to score.
        networks: the record of each of these.
    """
    is_final = [network["network"] for network in networks] == [FINAL]
    scored = {network["network"] for network in networks}
    has_groups = other.speaker_independence_checked
    groups = group_records(tables, task_of(other)) if has_groups else {"per_group": [], "worst_group": None}
    return {
        "schema_version": 1,
        "task": other.task,
        "labels": list(other.labels),
        "label_map": record["label_map"],
        "labels_left_out": record["labels_left_out"],
        "headline": {
            "what": WHAT_FINAL if is_final else WHAT_EACH,
            **mean_scores(networks),
            "n_networks": len(networks),
            "n_clips": max(network["n_clips"] for network in networks),
            "n_clips_left_out": max(network["n_clips_left_out"] for network in networks),
            **_evidence(tables, other),
        },
        "chance": _chance(other),
        "speaker_independence_checked": has_groups,
        "networks": list(networks),
        "networks_without_clips": [name for name in record["networks"] if name not in scored],
        **groups,
    }


def _evidence(tables: Sequence[Predictions], other: Manifest) -> dict[str, Any]:
    """Interval, p and verdict over groups, all networks together; nothing where they have other clips to score."""
    if any(set(table.clips) != set(tables[0].clips) for table in tables):
        return {}
    return evidence(System("networks", tuple(tables), score_of(other.task), other.speaker_independence_checked))


def _chance(other: Manifest) -> dict[str, float]:
    """What knows nothing scores: of classes also the share of the largest; of numbers the mean of these clips."""
    rows = list({clip.clip: row for row, clip in enumerate(other.clips)}.values())
    if other.task == "classification":
        counts = Counter(other.clips[row].label for row in rows)
        return {"ua": 1 / len(counts), "majority_wa": max(counts.values()) / len(rows)}
    targets = other.targets[rows]
    task = task_of(other).fitted(targets)
    guess = np.tile(task.chance(len(other.labels)), (len(rows), 1))
    return task.metrics(targets, guess, other.labels).scores


def recompute_evaluation(run: RunFolder, stored: Mapping[str, Any]) -> dict[str, Any]:
    """`metrics.json` made again; the groups left out are those stored, as the networks' training clips lie elsewhere.

    Raises:
        AudionasError: a table or the manifest is missing or damaged, or a name leaves the run.
    """
    other = Manifest.read(run.path)
    tables, networks = [], []
    for network in stored["networks"]:
        name = str(network["network"])
        path = (run.path / name / "predictions.csv").resolve()
        if not path.is_relative_to(run.path.resolve()):
            raise RunError(f"its network {name!r} lies outside of the run")
        tables.append(Predictions.read(path))
        left_out, is_chance = network["groups_left_out"], bool(network["is_chance"])
        networks.append(network_record(other, tables[-1], name, left_out, is_chance=is_chance))
    return evaluation_metrics(run.record, other, tables, networks)
