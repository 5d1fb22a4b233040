"""`Clip` and `Manifest`: which pieces of which audio files exist, what they are labelled, who speaks.

A manifest is a folder's `manifest.csv` (one row a clip) with `manifest.json` beside it (what the rows
cannot say: task, where groups and folds come from).
"""

from __future__ import annotations

import hashlib
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from io import StringIO
from pathlib import Path
from typing import Literal, cast

import numpy as np
import pandas as pd

from audionas.audio.labels import label_names, labels_of, strata_of, target_values, targets_of
from audionas.errors import ManifestError, unknown
from audionas.records import read_json, write_json, write_text

Task = Literal["classification", "multilabel", "regression"]
TASK_NAMES: tuple[Task, ...] = ("classification", "multilabel", "regression")
SPLITS = ("train", "dev", "test")
SCHEMA_VERSION = 1
DEFAULT_PROTOCOL = "folds"
COLUMNS = ("clip", "path", "start_s", "duration_s", "label", "group", "fold", "split", "sha256")


@dataclass(frozen=True)
class Clip:
    """One labelled piece of one audio file.

    `clip` names the labelled recording: the windows of a long recording share it, and predictions are
    averaged over it before any metric. `duration_s` 0 means until the end of the file.
    """

    path: str
    label: str
    group: str = ""
    fold: str = ""
    split: str = ""
    start_s: float = 0.0
    duration_s: float = 0.0
    clip: str = ""
    sha256: str = ""
    extra: tuple[tuple[str, str], ...] = ()

    @property
    def audio_key(self) -> str:
        """Content and cut of this clip's audio; equal keys give equal features."""
        return f"{self.sha256}:{self.start_s:.6f}:{self.duration_s:.6f}"


@dataclass(frozen=True)
class Manifest:
    """The clips of a corpus, in a fixed order, with the folds that every later step keeps to.

    `protocol` is a name in `audionas.audio.protocols.PROTOCOLS`: how folds and groups become outer splits.
    """

    root: Path
    clips: tuple[Clip, ...]
    labels: tuple[str, ...]
    task: Task = "classification"
    dataset: str = "csv"
    group_source: str = ""
    fold_source: str = ""
    notes: tuple[str, ...] = field(default=(), compare=False)
    protocol: str = DEFAULT_PROTOCOL

    def __len__(self) -> int:
        return len(self.clips)

    @cached_property
    def targets(self) -> np.ndarray:
        """Class index of each clip: (clips,), int64, an index into `labels`; else (clips, labels), float32.

        Of several labels a clip, 1 where it has the label and 0 where not; of a regression, the numbers.
        """
        return targets_of(self.task, [clip.label for clip in self.clips], self.labels)

    @cached_property
    def strata(self) -> np.ndarray:
        """What folds and parts spread evenly: (clips, strata), float64."""
        return strata_of(self.task, self.targets, len(self.labels))

    @property
    def speaker_independence_checked(self) -> bool:
        """Whether groups are known; otherwise each file is its own group and nothing is known of speakers."""
        return self.group_source != "each file"

    @cached_property
    def sha256(self) -> str:
        """Identity of clips, labels, groups, folds and protocol; independent of where the files lie."""
        # Manifests of before protocols keep their hash.
        protocol = "" if self.protocol == DEFAULT_PROTOCOL else f"protocol: {self.protocol}\n"
        task = "" if self.task == "classification" else f"{self.task}: {self.labels}\n"
        return hashlib.sha256((self._csv() + protocol + task).encode()).hexdigest()

    def path_of(self, clip: Clip) -> Path:
        """The audio file of a clip."""
        return self.root / clip.path

    def with_clips(self, clips: Iterable[Clip]) -> Manifest:
        """The same corpus with other rows; labels are taken anew from the rows."""
        rows = tuple(clips)
        return replace(self, clips=rows, labels=labels_of(self.task, [clip.label for clip in rows], self.labels))

    def write(self, folder: Path) -> None:
        """Write `manifest.csv` and `manifest.json` into `folder`, each atomically."""
        header = {
            "schema_version": SCHEMA_VERSION,
            "root": str(self.root.resolve()),
            "task": self.task,
            "dataset": self.dataset,
            "group_source": self.group_source,
            "fold_source": self.fold_source,
            "protocol": self.protocol,
            "labels": list(self.labels),
            "notes": list(self.notes),
        }
        write_json(folder / "manifest.json", header)
        write_text(folder / "manifest.csv", self._csv())

    @staticmethod
    def read(folder: Path, root: Path | None = None) -> Manifest:
        """Read what `write` wrote; `root` replaces the audio folder on record (after a move, say).

        Raises:
            ManifestError: a file is missing, of a newer version, or not as `write` writes it.
        """
        header = read_json(folder / "manifest.json", "manifest header")
        if not isinstance(header, dict) or header.get("schema_version") != SCHEMA_VERSION:
            raise ManifestError(f"{folder / 'manifest.json'}: not a manifest header of version {SCHEMA_VERSION}")
        if header.get("task") not in TASK_NAMES:
            raise ManifestError(f"{folder / 'manifest.json'}: {unknown('task', str(header.get('task')), TASK_NAMES)}")
        header = {"protocol": DEFAULT_PROTOCOL} | header  # absent in older files
        texts = ("root", "dataset", "group_source", "fold_source", "protocol")
        wrong = [key for key in texts if not isinstance(header.get(key), str)]
        wrong += [key for key in ("labels", "notes") if not _is_texts(header.get(key))]
        if wrong:
            raise ManifestError(f"{folder / 'manifest.json'}: damaged: {', '.join(wrong)}; prepare the data again")
        table = read_table(folder / "manifest.csv")
        missing = [name for name in COLUMNS if name not in table.columns]
        if missing:
            raise ManifestError(f"{folder / 'manifest.csv'}: missing columns {', '.join(missing)}")
        extras = [name for name in table.columns if name not in COLUMNS]
        try:
            clips = tuple(_clip(row, extras) for row in table_rows(table))
        except ValueError as why:
            raise ManifestError(f"{folder / 'manifest.csv'}: damaged: {why}; prepare the data again") from why
        _check_labels(folder / "manifest.csv", header["task"], clips, header["labels"])
        return Manifest(
            root=root or Path(header["root"]),
            clips=clips,
            labels=tuple(header["labels"]),
            task=cast(Task, header["task"]),
            dataset=header["dataset"],
            group_source=header["group_source"],
            fold_source=header["fold_source"],
            notes=tuple(header["notes"]),
            protocol=header["protocol"],
        )

    def _csv(self) -> str:
        extras = sorted({name for clip in self.clips for name, _ in clip.extra})
        rows = []
        for clip in self.clips:
            row = {name: getattr(clip, name) for name in COLUMNS}
            row["start_s"] = f"{clip.start_s:.6f}"
            row["duration_s"] = f"{clip.duration_s:.6f}"
            rows.append(row | {name: dict(clip.extra).get(name, "") for name in extras})
        text = StringIO()
        pd.DataFrame(rows, columns=[*COLUMNS, *extras]).to_csv(text, index=False, lineterminator="\n")
        return text.getvalue()


def read_table(path: Path) -> pd.DataFrame:
    """A CSV as text cells (a label "NA" or "007" stays as it is); UTF-8, with or without a byte-order mark.

    Raises:
        ManifestError: the file is missing, empty, not UTF-8 or not a table.
    """
    try:
        with warnings.catch_warnings():
            # Rows longer than the header: pandas would shift all columns by one, or drop cells.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig", index_col=False)
    except FileNotFoundError as why:
        raise ManifestError(f"{path}: no such file") from why
    except (OSError, ValueError, pd.errors.ParserWarning) as why:
        raise ManifestError(f"{path}: not a readable CSV table ({' '.join(str(why).split())})") from why


def table_rows(table: pd.DataFrame) -> list[dict[str, str]]:
    """The rows of `read_table` as dicts, in order."""
    return [{str(name): str(cell) for name, cell in row.items()} for row in table.to_dict("records")]


def count_by(values: Sequence[str]) -> dict[str, int]:
    """How often each value occurs, by name."""
    return dict(sorted(Counter(values).items()))


def _check_labels(path: Path, task: str, clips: Sequence[Clip], labels: Sequence[str]) -> None:
    """Refuse a table whose labels are not those of its header."""
    if task == "regression":
        for clip in clips:
            try:
                n_values = len(target_values(clip.label))
            except ValueError as why:
                raise ManifestError(f"{path}: damaged: clip {clip.path}: {why}; prepare the data again") from why
            if n_values != len(labels):
                raise ManifestError(f"{path}: clip {clip.path} has {n_values} value(s), manifest.json {len(labels)}")
        return
    names = {clip.label for clip in clips}
    if task == "multilabel":
        names = {name for text in names for name in label_names(text)}
    unlisted = names - set(labels)
    if unlisted:
        raise ManifestError(f"{path}: label {min(unlisted)!r} is not one of manifest.json's")


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _clip(row: dict[str, str], extras: list[str]) -> Clip:
    return Clip(
        path=row["path"],
        label=row["label"],
        group=row["group"],
        fold=row["fold"],
        split=row["split"],
        start_s=float(row["start_s"]),
        duration_s=float(row["duration_s"]),
        clip=row["clip"],
        sha256=row["sha256"],
        extra=tuple((name, row[name]) for name in extras),
    )


__all__ = [
    "COLUMNS", "DEFAULT_PROTOCOL", "SPLITS", "TASK_NAMES", "Clip", "Manifest", "Task", "count_by",
    "read_table", "table_rows",
]  # fmt: skip
