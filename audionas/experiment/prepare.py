"""From audio files to a prepared folder: a manifest with groups and folds, every file read and hashed.

A prepared folder holds `manifest.csv` and `manifest.json`, `source.json` (what it was made from),
`scan.jsonl` (what is known of each file, by which a killed preparation goes on) and `features/`.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from audionas import sample
from audionas.audio.clip_checks import check_clips, merge_identical_audio
from audionas.audio.folds import PROTOCOLS, assign_folds, outer_splits
from audionas.audio.manifest import DEFAULT_PROTOCOL, Manifest
from audionas.audio.scan import Progress, scan
from audionas.audio.windows import cut_windows
from audionas.datasets import Columns, find_reader, recognise
from audionas.datasets.declared_task import declare_task, find_task, label_columns, rare_labels
from audionas.datasets.groups import group_by_file, group_by_pattern
from audionas.errors import AudioError, ManifestError, SettingsError, unknown
from audionas.experiment.described_clips import SAMPLE_RATE_COLUMN, describe_clip, name_clips, remarks
from audionas.experiment.prepared_folder import cache_folder, check_out, is_prepared, locked
from audionas.records import write_json

DEFAULT_FOLDS = 5
FOLDS_SEED = 0
SHORTEST_WINDOW_S = 0.01


@dataclass(frozen=True)
class PrepareOptions:
    """What the user may say of a corpus; None leaves it to the corpus.

    `folds` is a number of folds to make, "split" for the corpus's train/dev/test, or a column's name.
    `window_s` cuts long recordings; `skip_bad` lists unreadable clips instead of stopping at the first.
    `protocol` is a name in PROTOCOLS; None is the corpus's own, or `folds` where groups or folds are given here.
    `task` is classification, multilabel or regression; None takes each label as one class, unless one holds `;`.
    """

    dataset: str | None = None
    label: str | None = None
    group: str | None = None
    group_from: str | None = None
    folds: str | None = None
    window_s: float | None = None
    hop_s: float | None = None
    skip_bad: bool = False
    protocol: str | None = None
    task: str | None = None

    def record(self) -> dict[str, Any]:
        """JSON form; without a protocol or a task it is that of folders made before there were such."""
        later = ("protocol", "task")
        return {key: value for key, value in asdict(self).items() if key not in later or value is not None}


@dataclass(frozen=True)
class Prepared:
    """A prepared folder and its manifest."""

    folder: Path
    manifest: Manifest

    @property
    def features_folder(self) -> Path:
        """Where the feature caches of this corpus lie."""
        return self.folder / "features"


def prepare(
    data: Path | None = None,
    out: Path | None = None,
    options: PrepareOptions = PrepareOptions(),
    on_progress: Progress | None = None,
) -> Prepared:
    """Prepare a corpus, or open a prepared folder; without `data` the sample, without `out` a cache folder.

    Raises:
        AudioError: a file is unusable and `skip_bad` is false.
        ManifestError: clips, labels, groups or folds contradict each other or the options, or `out` holds
            something else.
        SettingsError: an option is not one of those accepted.
        RunError: the folder cannot be written.
    """
    data = sample.folder() if data is None else data
    if (data / "run.json").is_file():
        raise ManifestError(
            f"{data}: is a run folder; name the audio folder, or the prepared one, that it was made from"
        )
    if is_prepared(data):
        return _open(data, out, options, on_progress)
    manifest = _read(data.resolve(), options)
    source: dict[str, Any] = {"data": str(data.resolve()), "options": options.record()}
    folder = cache_folder(data, source) if out is None else out
    return _made(manifest, folder, source, options, on_progress)


def prepare_clips(manifest: Manifest, out: Path, n_folds: int, on_progress: Progress | None = None) -> Prepared:
    """Prepare clips that are known already, as a program gives them; their folds are made anew.

    Args:
        manifest: root, paths, labels and, where they are known, groups and their source.

    Raises:
        AudionasError: of its kinds, as `prepare`.
    """
    options = PrepareOptions(folds=str(n_folds))
    manifest = manifest if manifest.group_source else group_by_file(manifest)
    check_clips(manifest)
    _check_present(manifest, _paths(manifest))
    source: dict[str, Any] = {"data": str(manifest.root.resolve()), "options": options.record()}
    return _made(manifest, out, source, options, on_progress)


def _made(
    manifest: Manifest, folder: Path, source: dict[str, Any], options: PrepareOptions, on_progress: Progress | None
) -> Prepared:
    """The prepared folder of raw clips."""
    check_out(folder, source)
    with locked(folder):
        write_json(folder / "source.json", source)
        manifest = scanned(manifest, folder / "scan.jsonl", options, on_progress)
        manifest = _with_folds(manifest, options)
        manifest.write(folder)
    return Prepared(folder, manifest)


def common_rate(manifest: Manifest) -> int:
    """The sample rate, in Hz, that most files of a prepared corpus have (of equally many, the lower).

    Raises:
        ManifestError: the manifest does not say, because it was not prepared.
    """
    rates = {clip.path: dict(clip.extra).get(SAMPLE_RATE_COLUMN, "") for clip in manifest.clips}
    if not all(rate.isdigit() for rate in rates.values()):
        raise ManifestError(f"{manifest.root}: no column {SAMPLE_RATE_COLUMN!r} in the manifest; run prepare again")
    counts = Counter(int(rate) for rate in rates.values())
    return min(counts, key=lambda rate: (-counts[rate], rate))


def _open(data: Path, out: Path | None, options: PrepareOptions, on_progress: Progress | None) -> Prepared:
    if replace(options, skip_bad=False) != PrepareOptions():
        raise ManifestError(
            f"{data}: is prepared already, its labels, groups and folds are fixed; "
            "give the audio folder to prepare it in another way"
        )
    if out is not None and out.resolve() != data.resolve():
        raise ManifestError(f"{data}: is a prepared folder already; use it as it is, without --out")
    manifest = Manifest.read(data)
    paths = _paths(manifest)
    _check_present(manifest, paths)
    known = {clip.path: clip.sha256 for clip in manifest.clips}
    files, _ = scan(manifest.root, paths, data / "scan.jsonl", on_progress=on_progress)
    changed = [path for path in paths if files[path].sha256 != known[path]]
    if changed:
        raise ManifestError(
            f"{manifest.root / changed[0]}: changed since {data} was prepared, as did {len(changed) - 1} "
            "other file(s); prepare the audio folder again"
        )
    return Prepared(data, manifest)


def _read(data: Path, options: PrepareOptions) -> Manifest:
    """The manifest of raw data with groups, not yet scanned; what can be refused without audio is."""
    for flag, seconds in (("--window", options.window_s), ("--hop", options.hop_s)):
        if seconds is not None and not (math.isfinite(seconds) and seconds >= SHORTEST_WINDOW_S):
            raise SettingsError(f"{flag}: got {seconds:g}, must be {SHORTEST_WINDOW_S:g} s or more")
    if options.hop_s is not None and options.window_s is None:
        raise SettingsError(f"--hop {options.hop_s:g} needs --window")
    if options.group is not None and options.group_from is not None:
        raise SettingsError("--group and --group-from exclude each other")
    if options.protocol is not None and options.protocol not in PROTOCOLS:
        raise SettingsError(f"--protocol: {unknown('protocol', options.protocol, PROTOCOLS)}")
    _, column = _folds_asked(options)
    task = find_task(options.task)
    name = options.dataset or recognise(data)
    reader = find_reader(name)
    if not data.exists():
        raise ManifestError(f"{data}: no such file or folder")
    columns = label_columns(task, options.label)
    label = columns[0] if columns else None
    manifest = reader(data, Columns(label, options.group, column, may_be_empty=task == "multilabel"))
    manifest = declare_task(manifest, task, columns)
    if options.group_from is not None:
        manifest = group_by_pattern(manifest, options.group_from)
    elif not manifest.group_source:
        manifest = group_by_file(manifest)
    check_clips(manifest)
    if not options.skip_bad:
        _check_present(manifest, _paths(manifest))
    return manifest


def _folds_asked(options: PrepareOptions) -> tuple[int | None, str | None]:
    """A number of folds, or a column's name, or neither."""
    if options.folds is None or options.folds == "split":
        return None, None
    if re.fullmatch("-?[0-9]{1,6}", options.folds):
        return int(options.folds), None
    return None, options.folds


def scanned(manifest: Manifest, journal: Path, options: PrepareOptions, on_progress: Progress | None) -> Manifest:
    """Every file read: hash, rate, duration and clip name filled in, windows cut, twins in one group."""
    files, bad = scan(manifest.root, _paths(manifest), journal, skip_bad=options.skip_bad, on_progress=on_progress)
    clips, skipped = [], [f"skipped: {why}" for why in bad]
    for clip in manifest.clips:
        if clip.path in files:
            try:
                clips.append(describe_clip(manifest, clip, files[clip.path]))
            except AudioError as why:
                if not options.skip_bad:
                    raise
                skipped.append(f"skipped: {why}")
    if skipped:
        skipped.insert(0, f"{len(skipped)} unreadable clip(s) skipped")
    described = name_clips(manifest.with_clips(clips))
    check_clips(described)
    silent = frozenset(file.sha256 for file in files.values() if file.is_silent)
    merged, n_merged = merge_identical_audio(described, silent)
    notes = [*manifest.notes, *skipped, *remarks(manifest, merged, files, n_merged), *rare_labels(merged)]
    if options.window_s is not None:
        merged = cut_windows(merged, options.window_s, options.hop_s)
    return replace(merged, notes=tuple(notes))


def _with_folds(manifest: Manifest, options: PrepareOptions) -> Manifest:
    """The folds asked for, else the corpus's own, else five made by seed 0; the protocol; checked on the groups."""
    n_folds, _ = _folds_asked(options)
    has_folds, has_split = (any(getattr(clip, name) for clip in manifest.clips) for name in ("fold", "split"))
    if options.folds == "split":
        if not has_split:
            raise ManifestError(
                f"{manifest.root}: --folds split, and there is no split; give a column 'split' (train, dev, "
                "test) or train/dev/test folders"
            )
        clips = tuple(replace(clip, fold="") for clip in manifest.clips)
        manifest = replace(manifest, clips=clips, fold_source="split")
    elif n_folds is not None or not (has_folds or has_split or options.protocol == "leave_one_group_out"):
        manifest = assign_folds(manifest, DEFAULT_FOLDS if n_folds is None else n_folds, FOLDS_SEED)
    manifest = replace(manifest, protocol=_protocol(manifest, options))
    outer_splits(manifest)
    return manifest


def _protocol(manifest: Manifest, options: PrepareOptions) -> str:
    """The protocol asked for, else the corpus's own, which holds for its own groups and folds only."""
    if options.protocol is not None:
        return options.protocol
    is_own = options.folds is None and options.group is None and options.group_from is None
    return manifest.protocol if is_own else DEFAULT_PROTOCOL


def _paths(manifest: Manifest) -> list[str]:
    return list(dict.fromkeys(clip.path for clip in manifest.clips))


def _check_present(manifest: Manifest, paths: list[str]) -> None:
    missing = [path for path in paths if not (manifest.root / path).exists()]
    if missing:
        raise AudioError(
            f"{manifest.root / missing[0]}: no such audio file ({len(missing)} of {len(paths)} are missing); "
            "put the files back, or prepare the corpus again from where they are"
        )
