"""The streams of a fusion: finished retrainings whose predictions may be put side by side, and those predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audionas.audio.folds import OuterSplit, outer_splits, split_folder
from audionas.audio.manifest import Manifest
from audionas.errors import RunError, SettingsError
from audionas.experiment.chosen_on_test import refuse_chosen_on_test
from audionas.experiment.genotype_sources import read_source, seen_groups
from audionas.experiment.provenance import is_known
from audionas.experiment.run_folder import RUN_FILE, RunFolder
from audionas.records import read_json
from audionas.training.predictions import Predictions, read_predictions

NEEDED = {"inner_oof": "--inner-folds 3", "train": "--select best", "validation": "--select best"}


@dataclass(frozen=True)
class Stream:
    """A finished retraining."""

    path: Path
    record: Mapping[str, Any]
    manifest: Manifest
    parameters: int

    @property
    def seeds(self) -> tuple[int, ...]:
        """The retraining seeds."""
        return tuple(self.record["seeds"])

    @property
    def n_inner_folds(self) -> int:
        """Inner folds of every split, 0 for none."""
        return int(self.record["options"].get("inner_folds", 0))

    def folder(self, split: str, seed: int) -> Path:
        """Where the predictions of one training lie."""
        return self.path / split_folder(split) / f"seed_{seed}"

    def predictions(self, split: str, seed: int, needed: Sequence[str]) -> dict[str, Predictions]:
        """The parts of one training's predictions.

        Raises:
            RunError: the table is damaged, has other labels than the manifest, or lacks one of the needed parts.
        """
        path = self.folder(split, seed) / "predictions.csv"
        found = read_predictions(path)
        for part in needed:
            if part not in found:
                raise RunError(_lacking(self, part))
            if found[part].labels != self.manifest.labels:
                raise RunError(
                    f"{path}: labels {', '.join(found[part].labels)}; the run has {', '.join(self.manifest.labels)}"
                )
        return found

    def groups_seen(self, split: OuterSplit) -> list[str]:
        """Test groups of a split that the search behind its genotype has read."""
        return seen_groups(self.manifest, split, read_source(self._genotype(split)))

    def knows_what_was_read(self, split: OuterSplit) -> bool:
        """Whether the genotype of a split tells which clips its search has read."""
        return is_known(read_source(self._genotype(split)).provenance)

    def _genotype(self, split: OuterSplit) -> Path:
        return self.path / split_folder(split.name) / "genotype.json"


def find_streams(paths: Sequence[Path]) -> list[Stream]:
    """The retrainings in these folders, each a retraining or a search that holds one.

    Raises:
        SettingsError: fewer than two are given, or one twice.
        RunError: a folder holds no retraining, or several, or one that is not finished; or a search that is not.
    """
    if len(paths) < 2:
        raise SettingsError(f"fusion needs two runs or more, got {len(paths)}: audionas fuse RUN_A RUN_B")
    streams = [read_stream(_retraining(path)) for path in paths]
    places = [stream.path.resolve() for stream in streams]
    for number, place in enumerate(places):
        if place in places[:number]:
            raise SettingsError(f"{streams[number].path}: given twice; name each run once")
    return streams


def refuse_unlike(streams: Sequence[Stream], part: str) -> None:
    """Refuse streams that were not retrained on the same clips, folds, seeds, labels and inner folds.

    Raises:
        RunError: they differ, with every field and both values; or a stream was retrained without what `part` needs.
    """
    first = streams[0]
    for stream in streams:
        if part == "inner_oof" and not stream.n_inner_folds:
            raise RunError(_lacking(stream, part))
        if part == "train" and stream.record["select"] != "best":
            raise RunError(_lacking(stream, "validation"))
    for other in streams[1:]:
        pairs = zip(_fields(first, part).items(), _fields(other, part).values(), strict=True)
        unlike = [f"{field}: {one} and {two}" for (field, one), two in pairs if one != two]
        if unlike:
            raise RunError(
                f"{first.path} and {other.path} cannot be fused, they differ in {'; '.join(unlike)}; "
                "retrain one with the data and options of the other"
            )


def _fields(stream: Stream, part: str) -> dict[str, str]:
    manifest = stream.manifest
    fields = {
        "task": manifest.task,
        "labels": ", ".join(manifest.labels),
        "folds": ", ".join(split.name for split in outer_splits(manifest)),
        "seeds": ", ".join(map(str, stream.seeds)),
        "manifest sha256": manifest.sha256[:12],
    }
    return {**fields, "inner folds": str(stream.n_inner_folds)} if part == "inner_oof" else fields


def _lacking(stream: Stream, part: str) -> str:
    names = {"inner_oof": "inner out-of-fold", "train": "training", "validation": "validation"}
    why = (
        "They train the fusion; test predictions of the other splits are refused: the networks that made them were "
        "trained on this split"
        if part == "inner_oof"
        else "--paper needs them to choose the epoch"
    )
    return f"{stream.path}: no {names[part]} predictions; run audionas retrain ... {NEEDED[part]}. {why}"


def _retraining(path: Path) -> RunFolder:
    run = RunFolder.open(path, "retrain", "search", "nested_search")
    if run.record["kind"] != "retrain":
        inside = sorted(place for place in path.glob("retrained*") if (place / RUN_FILE).exists())
        if not inside and run.record["status"] != "done":
            raise RunError(
                f"{path}: this search is not finished ({run.record['status']}); audionas search --resume {path}, "
                f"then audionas retrain {path} --inner-folds 3"
            )
        if not inside:
            raise RunError(f"{path}: holds no retraining; run audionas retrain {path} --inner-folds 3")
        if len(inside) > 1:
            raise RunError(
                f"{path}: holds {len(inside)} retrainings ({', '.join(p.name for p in inside)}); name one of them"
            )
        run = RunFolder.open(inside[0], "retrain")
    status = run.record["status"]
    if status != "done":
        raise RunError(f"{run.path}: this retraining is not finished ({status}); audionas retrain --resume {run.path}")
    return run


def read_stream(run: RunFolder) -> Stream:
    """The stream in a retraining's folder."""
    refuse_chosen_on_test(run.path, run.record, "fused")
    parameters = int(read_json(run.path / "metrics.json", "metrics file")["parameters"])
    return Stream(run.path, run.record, Manifest.read(run.path), parameters)
