"""Which audio a search has read, kept inside its genotype file, so that a copied file still tells.

Groups are compared by the content of their audio (sha256 of the files), not by names: the same speaker's
clips are recognised in another folder, under another name, in a subset.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from audionas.audio.manifest import Clip, Manifest
from audionas.experiment.augmented_corpus import augment_settings
from audionas.experiment.corpus import Corpus
from audionas.experiment.encoder_groups import with_encoder_groups
from audionas.experiment.run_folder import RunFolder
from audionas.search import SearchResult
from audionas.spaces.genotype_file import GroupRead

_DIGITS = 12
_FEWEST_DIGITS = 8
_MOST_A_GROUP = 64
_MOST_BYTES = 800_000  # keeps a genotype file below its limit of 1 MB
_RECORD_BYTES, _DIGEST_BYTES = 85, 26  # in the indented JSON of a genotype file


def groups_read(
    manifest: Manifest, rows: Sequence[int], silent: frozenset[str] = frozenset(), most_bytes: int = _MOST_BYTES
) -> list[dict[str, Any]]:
    """One record a group: hash of its name, and the smallest hashes of its audio.

    Files whose sha256 is in `silent` (all zeros) are alike without being the same recording, and left out. Of
    thousands of groups (each file its own), one record: a single text of one hash a group, `digits` long each;
    when even that would be too much, the smallest hashes stand for all.
    """
    identity = _identities(manifest)
    audio: dict[str, set[str]] = {}
    for row in rows:
        clip = manifest.clips[row]
        audio.setdefault(clip.group, set()).update({identity(clip)} if clip.sha256 not in silent else ())
    most = (most_bytes // max(len(audio), 1) - _RECORD_BYTES) // _DIGEST_BYTES
    if most < 1:
        digits = max(_FEWEST_DIGITS, min(_DIGITS, most_bytes // len(audio)))
        digests = sorted(min(hashes)[:digits] for hashes in audio.values() if hashes)[: most_bytes // digits]
        return [{"group": _digest("\n".join(sorted(audio))), "digits": digits, "audio": ["".join(digests)]}]
    return [
        {"group": _digest(group), "audio": [digest[:_DIGITS] for digest in sorted(hashes)][: min(most, _MOST_A_GROUP)]}
        for group, hashes in sorted(audio.items())
    ]


def is_known(provenance: Mapping[str, Any]) -> bool:
    """Whether a genotype tells which audio its search has read."""
    return "groups_read" in provenance


def groups_seen(manifest: Manifest, rows: Sequence[int], provenance: Mapping[str, Any]) -> list[str]:
    """Groups among these rows that the search behind this provenance has read: by their audio, or by their name.

    Names count only where speakers are known on both sides; two corpora that call different people alike
    would be told apart by renaming the groups, never the other way round.
    """
    records = [GroupRead.model_validate(record) for record in provenance.get("groups_read", [])]
    identity = _identities(manifest)
    seen: dict[int, set[str]] = {}
    for record in records:
        parts = (text[at : at + record.digits] for text in record.audio for at in range(0, len(text), record.digits))
        seen.setdefault(record.digits, set()).update(parts)
    by_name = manifest.speaker_independence_checked and provenance.get("speaker_independence_checked", False)
    names = {record.group for record in records} if by_name else set()
    clips = [manifest.clips[row] for row in rows]
    by_audio = {clip.group for clip in clips if any(identity(clip)[:n] in found for n, found in seen.items())}
    return sorted(by_audio | {clip.group for clip in clips if _digest(clip.group) in names})


def groups_shared(manifest: Manifest, tested: Manifest, rows: Sequence[int], silent: frozenset[str]) -> list[str]:
    """Groups of `manifest` that hold a file of these rows of `tested`, or are called as one of their groups.

    Names count only where speakers are known on both sides; files whose sha256 is in `silent` do not count.
    """
    clips = [tested.clips[row] for row in rows]
    files = {clip.sha256 for clip in clips} - silent
    by_name = manifest.speaker_independence_checked and tested.speaker_independence_checked
    names = {clip.group for clip in clips} if by_name else set()
    return sorted({clip.group for clip in manifest.clips if clip.sha256 in files or clip.group in names})


def _identities(manifest: Manifest) -> Callable[[Clip], str]:
    """What tells audio apart: the file's hash, or, of a file with several speakers, that of the cut."""
    groups: dict[str, set[str]] = {}
    for clip in manifest.clips:
        groups.setdefault(clip.sha256, set()).add(clip.group)

    def identity(clip: Clip) -> str:
        if len(groups[clip.sha256]) == 1:
            return clip.sha256
        return hashlib.sha256(clip.audio_key.encode()).hexdigest()

    return identity


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
        "groups_read": with_encoder_groups(groups_read(manifest, rows, corpus.silent_files()), corpus.settings),
        "speaker_independence_checked": manifest.speaker_independence_checked,
        "features": corpus.settings,
        "input_shape": list(corpus.input_shape),
        "labels": list(manifest.labels),
        "strategy": record["strategy"],
        "algorithm": record["algorithm"],
        "seed": record["seed"],
        "augment": augment_settings(record.get("augment")),
        "epoch_or_trial": result.epoch_or_trial,
        "versions": record["versions"],
        "created": record["created"],
    }
