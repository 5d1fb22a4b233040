"""Preparation with a summary, and optionally the features of one extractor."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audionas.audio.folds import outer_splits
from audionas.audio.manifest import Manifest, count_by
from audionas.experiment.corpus import Corpus, load_corpus
from audionas.experiment.prepare import PrepareOptions, common_rate, prepare
from audionas.experiment.talk import Talk
from audionas.features import load_features


@dataclass(frozen=True)
class PreparedSummary:
    """What a user wants to read after `audionas prepare`."""

    folder: Path
    manifest: Manifest
    corpus: Corpus | None

    def record(self) -> dict[str, Any]:
        """JSON form."""
        manifest = self.manifest
        return {
            "folder": str(self.folder),
            "dataset": manifest.dataset,
            "clips": len({clip.clip for clip in manifest.clips}),
            "rows": len(manifest),
            **_label_record(manifest),
            "groups": len({clip.group for clip in manifest.clips}),
            "group_source": manifest.group_source,
            "fold_source": manifest.fold_source,
            "protocol": manifest.protocol,
            "splits": {split.name: len(split.test) for split in outer_splits(manifest)},
            "notes": [*manifest.notes, *(self.corpus.remarks() if self.corpus else [])],
        }

    def lines(self) -> list[str]:
        """Text form."""
        record = self.record()
        labels = _label_text(record)
        splits = ", ".join(f"{name} {count}" for name, count in record["splits"].items())
        return [
            f"prepared: {record['folder']} ({record['dataset']})",
            f"clips: {record['clips']} in {record['rows']} rows; {labels}",
            f"groups: {record['groups']} ({record['group_source']})",
            f"test clips per split: {splits} ({record['fold_source']}; protocol {record['protocol']})",
            *(f"note: {note}" for note in record["notes"]),
        ]


def _label_record(manifest: Manifest) -> dict[str, Any]:
    """Rows of each label; of a regression the range and mean of each target."""
    if manifest.task == "classification":
        return {"labels": count_by([clip.label for clip in manifest.clips])}
    table = list(zip(manifest.labels, manifest.targets.astype(float).T, strict=True))
    if manifest.task == "multilabel":
        return {"task": manifest.task, "labels": {name: int(column.sum()) for name, column in table}}
    ranges = {name: {"min": min(column), "mean": column.mean(), "max": max(column)} for name, column in table}
    return {"task": manifest.task, "targets": ranges}


def _label_text(record: dict[str, Any]) -> str:
    if "targets" in record:
        pairs = record["targets"].items()
        return ", ".join(f"{name} {r['min']:g} to {r['max']:g}, mean {r['mean']:.3g}" for name, r in pairs)
    head = f"task {record['task']}: " if "task" in record else ""
    return head + ", ".join(f"{name} {count}" for name, count in record["labels"].items())


def prepare_with_features(
    data: Path, out: Path, options: PrepareOptions, features: str | None, talk: Talk
) -> PreparedSummary:
    """Prepare a corpus; with `features`, also fill their cache, as a search without the first fold needs them."""
    extractor = load_features(features) if features else None
    prepared = prepare(data, out, options, talk.progress)
    corpus = None
    if extractor is not None:
        first = outer_splits(prepared.manifest)[0]
        durations = [prepared.manifest.clips[row].duration_s for row in first.search]
        settings = extractor.resolve(common_rate(prepared.manifest), durations).settings()
        corpus = load_corpus(prepared.manifest, prepared.features_folder, settings, talk)
    return PreparedSummary(prepared.folder, prepared.manifest, corpus)
