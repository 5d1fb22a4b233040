"""Which audio a search has read, kept inside its genotype file, so that a copied file still tells.

Groups are compared by the content of their audio (sha256 of the files), not by names: the same speaker's
clips are recognised in another folder, under another name, in a subset.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from audionas.audio.manifest import Manifest
from audionas.experiment.corpus import Corpus
from audionas.experiment.run_folder import RunFolder
from audionas.records import Record, validate
from audionas.search import SearchResult

_DIGITS = 12
_MOST_A_GROUP = 64
_MOST_BYTES = 800_000  # keeps a genotype file below its limit of 1 MB
_RECORD_BYTES, _DIGEST_BYTES = 85, 26  # in the indented JSON of a genotype file


class _GroupRead(Record):
    group: str
    digits: int = Field(default=_DIGITS, ge=1, le=64)
    audio: tuple[str, ...]


class _GroupsRead(Record):
    groups_read: tuple[_GroupRead, ...]


def groups_read(manifest: Manifest, rows: Sequence[int]) -> list[dict[str, Any]]:
    """One record a group: hash of its name, and the smallest hashes of its audio files.

    Of thousands of groups (each file its own), one record: a single text of one hash a group, `digits` long each.
    """
    audio: dict[str, set[str]] = {}
    for row in rows:
        clip = manifest.clips[row]
        audio.setdefault(clip.group, set()).add(clip.sha256)
    most = (_MOST_BYTES // max(len(audio), 1) - _RECORD_BYTES) // _DIGEST_BYTES
    if most < 1:
        digits = min(_DIGITS, _MOST_BYTES // len(audio))
        digests = sorted(min(hashes)[:digits] for hashes in audio.values())
        return [{"group": _digest("\n".join(sorted(audio))), "digits": digits, "audio": ["".join(digests)]}]
    return [
        {"group": _digest(group), "audio": [digest[:_DIGITS] for digest in sorted(hashes)][: min(most, _MOST_A_GROUP)]}
        for group, hashes in sorted(audio.items())
    ]


def groups_seen(manifest: Manifest, rows: Sequence[int], provenance: Mapping[str, Any]) -> list[str]:
    """Groups among these rows of which the search that left this provenance read at least one file.

    Raises:
        SettingsError: the provenance is not as `groups_read` writes it.
    """
    seen: dict[int, set[str]] = {}
    records = validate(_GroupsRead, {"groups_read": provenance.get("groups_read", [])}, "genotype: provenance")
    for record in records.groups_read:
        digits = record.digits
        parts = (text[at : at + digits] for text in record.audio for at in range(0, len(text), digits))
        seen.setdefault(digits, set()).update(parts)
    clips = [manifest.clips[row] for row in rows]
    return sorted({clip.group for clip in clips if any(clip.sha256[:n] in found for n, found in seen.items())})


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


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
