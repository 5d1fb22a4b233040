"""`metrics.json` of a fusion made again from the predictions of its streams and of its MLP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from audionas.audio.folds import outer_splits, split_folder
from audionas.experiment.fuse import FuseRequest, Outputs, fusion_document, fusion_rows
from audionas.experiment.fuse_clips import fusion_fold
from audionas.experiment.fuse_metrics import MLP
from audionas.experiment.fuse_streams import read_stream, refuse_unlike
from audionas.experiment.run_folder import RunFolder
from audionas.training.fusion import RULES_OF_TASKS
from audionas.training.predictions import Predictions


def recompute_fusion(run: RunFolder, streams: Sequence[Path], stored: Mapping[str, Any]) -> dict[str, Any]:
    """`metrics.json` of a fusion made again: the MLP's rows from its predictions, all others from the streams'.

    Args:
        streams: where the retrainings lie now, in the order of the run's record.

    Raises:
        AudionasError: a stream or a table is missing or damaged, or they do not fit each other.
    """
    found = [read_stream(RunFolder.open(path, "retrain")) for path in streams]
    is_paper = run.record["mode"] == "paper"
    request = FuseRequest(tuple(streams), is_paper)
    refuse_unlike(found, request.part)
    splits = outer_splits(found[0].manifest)
    folds = [fusion_fold(found, split, seed, request.part) for split in splits for seed in found[0].seeds]
    rules = RULES_OF_TASKS[found[0].manifest.task]
    outputs: Outputs = {name: {} for name in (MLP, *rules)}
    for fold in folds:
        key = fold.split, fold.seed
        outputs[MLP][key] = Predictions.read(run.path / split_folder(fold.split) / f"seed_{fold.seed}/predictions.csv")
        for name, rule in rules.items():
            outputs[name][key] = fold.fused(rule(fold.train)(fold.test))
    epochs = {(record["split"], record["seed"]): record["epochs"] for record in stored["epochs"]}
    document = fusion_document(request, found, splits, fusion_rows(found, folds, outputs), epochs)
    names = {str(path): record["path"] for path, record in zip(streams, stored["streams"], strict=True)}
    renamed: dict[str, Any] = _renamed(document, names)
    return renamed


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    """The document with each stream under the name that it had when it was fused."""
    if isinstance(value, str):
        for here, then in sorted(names.items(), key=lambda pair: -len(pair[0])):
            value = value.replace(here, then)
        return value
    if isinstance(value, list):
        return [_renamed(item, names) for item in value]
    if isinstance(value, dict):
        return {key: _renamed(item, names) for key, item in value.items()}
    return value
