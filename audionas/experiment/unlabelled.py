"""Audio that is learnt from without labels: any corpus, prepared folder, table, or folder of recordings.

Labels, folds and splits are dropped as the corpus is read, so that nothing after it could use them. Groups
(speakers, recordings) are kept where the corpus names them.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from audionas.audio.clip_checks import check_clips
from audionas.audio.manifest import Clip, Manifest, read_table
from audionas.audio.scan import Progress
from audionas.datasets import Columns, find_reader, recognise
from audionas.datasets.files import audio_files
from audionas.datasets.groups import group_by_file
from audionas.errors import ManifestError
from audionas.experiment.prepare import Prepared, PrepareOptions, prepare, scanned
from audionas.experiment.prepared_folder import cache_folder, is_prepared, locked
from audionas.records import write_json

# The reader that takes every recording of a corpus, where its own takes those with certain labels.
_WHOLE = {"iemocap": "iemocap_all"}


def prepare_unlabelled(data: Path, skip_bad: bool = False, on_progress: Progress | None = None) -> Prepared:
    """Prepare audio without labels in a cache folder, or open a prepared folder.

    Raises:
        AudioError: a file is unusable and `skip_bad` is false.
        ManifestError: there is no audio, or clips and groups contradict each other.
        RunError: the cache folder cannot be written.
    """
    if (data / "run.json").is_file():
        raise ManifestError(f"{data}: is a run folder; name the audio that it was made from")
    if is_prepared(data):
        prepared = prepare(data, None, PrepareOptions(), on_progress)
        return replace(prepared, manifest=without_labels(prepared.manifest))
    manifest = read_unlabelled(data.resolve())
    source: dict[str, Any] = {"data": str(data.resolve()), "options": {"unlabelled": True, "skip_bad": skip_bad}}
    folder = cache_folder(data, source)
    with locked(folder):
        write_json(folder / "source.json", source)
        manifest = scanned(manifest, folder / "scan.jsonl", PrepareOptions(skip_bad=skip_bad), on_progress)
        manifest.write(folder)
    return Prepared(folder, manifest)


def read_unlabelled(data: Path) -> Manifest:
    """The clips of a corpus with their groups and without labels; nothing is decoded yet.

    Raises:
        ManifestError: there is no audio, or the corpus is not as its layout has it.
    """
    name = _layout(data)
    if name is None:
        clips = tuple(Clip(path=path, label="") for path in audio_files(data))
        manifest = Manifest(root=data, clips=clips, labels=(), dataset="unlabelled")
    else:
        columns = Columns(label=_any_column(data) if name == "csv" else None, may_be_empty=True)
        manifest = find_reader(name)(data, columns)
    manifest = without_labels(manifest if manifest.group_source else group_by_file(manifest))
    check_clips(manifest)
    return manifest


def without_labels(manifest: Manifest) -> Manifest:
    """The same clips and groups; no labels, folds or splits."""
    clips = tuple(replace(clip, label="", fold="", split="") for clip in manifest.clips)
    return replace(manifest, clips=clips, labels=(), task="multilabel", fold_source="", protocol="folds")


def _layout(data: Path) -> str | None:
    """The name of a corpus whose reader tells groups; None: all audio files below the folder."""
    if not data.exists():
        raise ManifestError(f"{data}: no such file or folder")
    try:
        name = recognise(data)
    except ManifestError:
        if data.is_dir() and audio_files(data):
            return None
        raise
    return None if name == "folder_per_label" else _WHOLE.get(name, name)


def _any_column(data: Path) -> str | None:
    """A column that can stand for the label, as a table of unlabelled clips has none."""
    table = data / "manifest.csv" if data.is_dir() else data
    return None if "label" in read_table(table).columns else "path"
