"""Which audio a search has read, kept inside its genotype file, so that a copied file still tells.

Groups are compared by the content of their audio (sha256 of the files), not by names: the same speaker's
clips are recognised in another folder, under another name, in a subset.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from audionas.audio.manifest import Manifest
from audionas.experiment.corpus import Corpus
from audionas.experiment.run_folder import RunFolder
from audionas.search import SearchResult

_DIGITS = 12
_MOST_HASHES = 40_000  # keeps a genotype file below its limit of 1 MB
_MOST_A_GROUP = 64


def groups_read(manifest: Manifest, rows: Sequence[int]) -> list[dict[str, Any]]:
    """One record a group: hash of its name, and the smallest hashes of its audio files."""
    audio: dict[str, set[str]] = {}
    for row in rows:
        clip = manifest.clips[row]
        audio.setdefault(clip.group, set()).add(clip.sha256[:_DIGITS])
    most = max(1, min(_MOST_A_GROUP, _MOST_HASHES // max(len(audio), 1)))
    return [
        {"group": hashlib.sha256(group.encode()).hexdigest()[:_DIGITS], "audio": sorted(hashes)[:most]}
        for group, hashes in sorted(audio.items())
    ]


def groups_seen(manifest: Manifest, rows: Sequence[int], provenance: Mapping[str, Any]) -> list[str]:
    """Groups among these rows of which the search that left this provenance read at least one file."""
    seen = {digest for record in provenance.get("groups_read", []) for digest in record["audio"]}
    return sorted({manifest.clips[row].group for row in rows if manifest.clips[row].sha256[:_DIGITS] in seen})


def provenance(
    run: RunFolder, manifest: Manifest, rows: Sequence[int], corpus: Corpus, result: SearchResult
) -> dict[str, Any]:
    """Where a genotype comes from: data, groups read, features, strategy, seed, versions."""
    record = run.record
    return {
        "manifest_sha256": manifest.sha256,
        "dataset": manifest.dataset,
        "split_left_out": record["split"],
        "groups_read": groups_read(manifest, rows),
        "speaker_independence_checked": manifest.speaker_independence_checked,
        "features": corpus.settings,
        "input_shape": list(corpus.input_shape),
        "labels": list(manifest.labels),
        "strategy": record["strategy"],
        "algorithm": record["algorithm"],
        "seed": record["seed"],
        "epoch_or_trial": result.epoch_or_trial,
        "versions": record["versions"],
        "created": record["created"],
    }
