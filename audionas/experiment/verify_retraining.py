"""A retraining verified: tables of predictions, metrics, sizes of its networks, the plain baselines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from audionas.audio.folds import OuterSplit, outer_splits, split_folder
from audionas.audio.manifest import Manifest
from audionas.experiment.baseline_scores import baseline_place, baseline_record
from audionas.experiment.figures import Findings
from audionas.experiment.genotype_sources import read_source
from audionas.experiment.noise_scores import table_name
from audionas.experiment.recompute import recompute_retraining
from audionas.experiment.run_folder import RunFolder
from audionas.experiment.second_task_scores import verify_second_task
from audionas.experiment.verify_predictions import verify_predictions, verify_table
from audionas.features import extractor_from_settings
from audionas.models import build_model, n_parameters
from audionas.models.macs import n_macs
from audionas.records import read_json
from audionas.training.metrics import ClassificationMetrics
from audionas.training.tasks import task_of


def verify_retraining(run: RunFolder, root: Path, name: str, findings: Findings) -> None:  # noqa: ARG001
    """Verify the retraining in a folder; `name` is how its files are told."""
    manifest, seeds = Manifest.read(run.path), run.record["seeds"]
    splits = outer_splits(manifest)
    noise = run.record["options"].get("test_noise") or {"snr_db": []}
    tables = ["predictions.csv", *map(table_name, noise["snr_db"])]
    verify_predictions(run.path, name, manifest, splits, seeds, findings, tables)
    with findings.reading(f"{name}/metrics.json"):
        stored = read_json(run.path / "metrics.json", "metrics file")
        own, found = (
            {key: value for key, value in document.items() if key != "baselines"}
            for document in (stored, recompute_retraining(run, stored))
        )
        is_same_version = findings.is_same_version(run.record)
        findings.compare(f"{name}/metrics.json", own, found, is_same_version=is_same_version)
        _verify_baselines(run, manifest, splits, stored, name, findings)
        _verify_final(run.path, stored, name, findings)
        verify_second_task(run.path, name, manifest, splits, stored, findings)
    for split in splits:
        with findings.reading(f"{name}/{split_folder(split.name)}"):
            _verify_sizes(run, manifest, split, name, findings)


def _verify_sizes(run: RunFolder, manifest: Manifest, split: OuterSplit, name: str, findings: Findings) -> None:
    """Parameters and MACs of the split's genotype, built anew without values; clips of the test part."""
    source = read_source(run.path / split_folder(split.name) / "genotype.json")
    shape = source.provenance["input_shape"]
    options = {"auxiliary": True} if run.record["options"]["auxiliary"] else {}
    with torch.device("meta"):
        network = build_model(
            source.genotype, input_shape=shape, n_classes=task_of(manifest).n_outputs(manifest), **options
        )
    extractor = extractor_from_settings(source.provenance["features"], "features")
    macs = n_macs(network, shape)
    found = {
        "parameters": n_parameters(network),
        "macs": macs,
        "macs_per_second": macs / (extractor.length_samples / extractor.rate_hz),
        "n_test": len(split.test),
    }
    for seed in run.record["seeds"]:
        place = f"{split_folder(split.name)}/seed_{seed}/result.json"
        result = read_json(run.path / place, "result")
        for key, value in found.items():
            if key in result or findings.is_same_version(run.record):
                findings.expect(f"{name}/{place}", key, result.get(key), value)


def _verify_baselines(
    run: RunFolder,
    manifest: Manifest,
    splits: Sequence[OuterSplit],
    stored: Mapping[str, Any],
    name: str,
    findings: Findings,
) -> None:
    """The scores of a plain baseline are those of its predictions, which are of the clips that are scored."""
    scored = set((stored["headline"] or stored["all_splits"])["splits"])
    rows = {manifest.clips[row].clip: row for split in splits if split.name in scored for row in split.test}
    for number, record in enumerate(stored["baselines"]["headline"]):
        key, place = f"baselines.headline[{number}]", baseline_place(record["name"])
        if "predictions" not in record and not (run.path / place).is_file():
            if manifest.task == "classification":
                _verify_confusion(manifest, list(rows.values()), record, key, f"{name}/metrics.json", findings)
            continue
        verify_table(run.path / place, f"{name}/{place}", manifest, set(rows), findings)
        with findings.reading(f"{name}/{place}"):
            found = baseline_record(run.path, record["name"], task_of(manifest))
            findings.compare(f"{name}/metrics.json", {key: record}, {key: found})


def _verify_confusion(
    manifest: Manifest, rows: Sequence[int], record: Mapping[str, Any], key: str, file: str, findings: Findings
) -> None:
    """Of a run of before baselines left predictions: rows of the confusion are the tested clips of each class."""
    counts = Counter(manifest.clips[row].label for row in rows)
    table = ClassificationMetrics(manifest.labels, tuple(tuple(row) for row in record["confusion"]))
    findings.compare(file, {key: record}, {key: {"name": record["name"], **table.as_record()}})
    for label, row in zip(manifest.labels, record["confusion"], strict=True):
        findings.expect(file, f"{key}.confusion, clips of {label}", sum(row), counts[label])


def _verify_final(run: Path, stored: Mapping[str, Any], name: str, findings: Findings) -> None:
    """The expected score of the final model is the k-fold estimate."""
    file = run / "final" / "model.json"
    if file.is_file():
        expected = read_json(file, "model file")["expected"]
        findings.compare(f"{name}/final/model.json", expected, stored["headline"] or stored["all_splits"])
