"""The networks of a finished retraining, and which clips of another corpus each may be scored on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audionas.audio.folds import outer_splits, split_folder
from audionas.audio.manifest import Manifest
from audionas.errors import RunError
from audionas.experiment.final_model import FINAL
from audionas.experiment.genotype_sources import Source, read_source, source_features
from audionas.experiment.provenance import groups_seen
from audionas.experiment.run_folder import RUN_FILE, RunFolder
from audionas.records import read_json


@dataclass(frozen=True)
class EvaluatedNetwork:
    """One training: `name` is its folder within the run, `seen` the rows that it trained on or was chosen by."""

    name: str
    folder: Path
    source: Source
    features: dict[str, Any]
    seen: tuple[int, ...]


def finished_retraining(path: Path) -> RunFolder:
    """The retraining in a folder, or the only one in a search's folder.

    Raises:
        RunError: there is none, there are several, or it is not finished.
    """
    run = RunFolder.open(path, "retrain", "search", "nested_search")
    if run.record["kind"] != "retrain":
        inside = sorted(place for place in path.glob("retrained*") if (place / RUN_FILE).exists())
        if len(inside) != 1:
            names = f" ({', '.join(place.name for place in inside)}); name one of them" if inside else ""
            raise RunError(
                f"{path}: holds {len(inside) or 'no'} retraining{'s' if inside else ''}{names}"
                + ("" if inside else f"; run audionas retrain {path}")
            )
        run = RunFolder.open(inside[0], "retrain")
    if run.record["status"] != "done":
        status = run.record["status"]
        raise RunError(f"{run.path}: this retraining is not finished ({status}); audionas retrain --resume {run.path}")
    return run


def networks_of(run: RunFolder) -> list[EvaluatedNetwork]:
    """The final model where there is one, else the network of every split and seed."""
    final = final_network(run)
    return [final] if final else fold_networks(run)


def final_network(run: RunFolder) -> EvaluatedNetwork | None:
    """The final model, trained on all clips, where there is one."""
    if not (run.path / FINAL / "model.json").is_file():
        return None
    manifest = Manifest.read(run.path)
    model = read_json(run.path / FINAL / "model.json", "model file")
    source = read_source(run.path / split_folder(outer_splits(manifest)[0].name) / "genotype.json")
    return EvaluatedNetwork(FINAL, run.path / FINAL, source, model["features"], tuple(range(len(manifest))))


def fold_networks(run: RunFolder) -> list[EvaluatedNetwork]:
    """The network of every split and seed, split by split."""
    found = []
    for split in outer_splits(Manifest.read(run.path)):
        source = read_source(run.path / split_folder(split.name) / "genotype.json")
        for seed in run.record["seeds"]:
            name = f"{split_folder(split.name)}/seed_{seed}"
            found.append(EvaluatedNetwork(name, run.path / name, source, source_features(source), split.search))
    return found


def groups_left_out(
    other: Manifest, trained: Manifest, network: EvaluatedNetwork, silent: frozenset[str], are_distinct: bool
) -> list[str]:
    """Groups of the other corpus that a network, or the search of its genotype, has read.

    A group is left out whole when one of its files is, byte for byte, one that the network was trained on or its
    search has read, or (unless `are_distinct`) when groups are known on both sides and two bear the same name. Files
    whose sha256 is in `silent` (all zeros) tell nothing. Of a file with several speakers all are left out.
    """
    clips = [trained.clips[row] for row in network.seen]
    files = {clip.sha256 for clip in clips} - silent
    found = {clip.group for clip in other.clips if clip.sha256 in files}
    by_name = not are_distinct and other.speaker_independence_checked and trained.speaker_independence_checked
    if by_name:
        found |= {clip.group for clip in other.clips} & {clip.group for clip in clips}
    provenance = dict(network.source.provenance)
    if are_distinct:  # then the names of the search's groups do not count either
        provenance["speaker_independence_checked"] = False
    heard = [row for row, clip in enumerate(other.clips) if clip.sha256 not in silent]
    return sorted(found | set(groups_seen(other, heard, provenance)))


def rows_to_score(other: Manifest, left_out: Sequence[str]) -> list[int]:
    """Rows of the groups that are not left out."""
    out = set(left_out)
    return [row for row, clip in enumerate(other.clips) if clip.group not in out]
