"""The task that the user declares: how the label cells of a corpus are read, and what in them is refused.

Without a declaration each cell is one class, unless a cell holds `;`: then the corpus is taken as `multilabel`, and a
note says so. Several labels are separated by `;`, or by commas where no cell holds `;`. An empty cell then means that
none of the labels holds. The targets of a regression are one or more columns of numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from audionas.audio.labels import SEPARATOR, label_names, target_values
from audionas.audio.manifest import TASK_NAMES, Clip, Manifest, Task
from audionas.errors import ManifestError, SettingsError, unknown

_SHOWN = 5
_LABEL = "label"


def find_task(name: str | None) -> Task | None:
    """The task of a name, None of none.

    Raises:
        SettingsError: there is no such task.
    """
    if name is None:
        return None
    for task in TASK_NAMES:
        if task == name:
            return task
    raise SettingsError(f"--task: {unknown('task', name, TASK_NAMES)}")


def label_columns(task: Task | None, label: str | None) -> tuple[str, ...]:
    """The columns named by `--label`: of a regression several, separated by commas; empty if none is named.

    >>> label_columns("regression", "valence, activation"), label_columns(None, "a,b")
    (('valence', 'activation'), ('a,b',))
    """
    if label is None or task != "regression":
        return () if label is None else (label,)
    return tuple(dict.fromkeys(name.strip() for name in label.split(",") if name.strip()))


def declare_task(manifest: Manifest, task: Task | None, columns: Sequence[str]) -> Manifest:
    """The manifest with its cells read as the task says.

    Args:
        columns: of `label_columns`; the first is in `label` already, the others are kept columns of the clips.

    Raises:
        ManifestError: a target is missing, no finite number, or the same for all clips; no clip has a label, or all
            clips have the same ones.
    """
    if task == "regression":
        return _regression(manifest, columns or (_LABEL,))
    texts = [clip.label for clip in manifest.clips]
    if task == "multilabel" or (task is None and any(SEPARATOR in text for text in texts)):
        return _multilabel(manifest, is_declared=task is not None)
    return manifest


def _multilabel(manifest: Manifest, *, is_declared: bool) -> Manifest:
    texts = [clip.label for clip in manifest.clips]
    has_commas = not any(SEPARATOR in text for text in texts) and any("," in text for text in texts)
    separator = "," if has_commas else SEPARATOR
    clips = [replace(clip, label=SEPARATOR.join(label_names(clip.label, separator))) for clip in manifest.clips]
    n_empty = sum(not clip.label for clip in clips)
    if n_empty == len(clips):
        raise ManifestError(f"{manifest.root}: no clip has a label; name the column with --label")
    if len({clip.label for clip in clips}) == 1:
        raise ManifestError(
            f"{manifest.root}: every clip has the labels {clips[0].label!r}; there is nothing to predict"
        )
    notes = {
        f"labels hold {SEPARATOR!r}: taken as several labels a clip; --task classification keeps them whole": (
            not is_declared
        ),
        "no label holds ';': commas separate the labels": has_commas,
        f"{n_empty} of {len(clips)} clips have an empty label: none of the labels holds for them": n_empty,
    }
    told = tuple(note for note, is_so in notes.items() if is_so)
    return replace(manifest, task="multilabel", notes=(*manifest.notes, *told)).with_clips(clips)


def _regression(manifest: Manifest, columns: Sequence[str]) -> Manifest:
    clips, wrong = [], []
    for clip in manifest.clips:
        try:
            clips.append(replace(clip, label=SEPARATOR.join(_targets(manifest, clip, columns))))
        except ValueError as why:
            wrong.append(f"clip {clip.path}: {why}")
    if wrong:
        more = f"; and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise ManifestError(
            f"{manifest.root}: {'; '.join(wrong[:_SHOWN])}{more}; --task regression needs numbers, name their column "
            "with --label"
        )
    declared = replace(manifest, task="regression", labels=tuple(columns)).with_clips(clips)
    for name, column in zip(columns, declared.targets.T, strict=True):
        if len(column) and np.ptp(column) == 0:
            raise ManifestError(
                f"{manifest.root}: target {name!r} is {column[0]:g} for every clip; there is nothing to predict"
            )
    return declared


def _targets(manifest: Manifest, clip: Clip, columns: Sequence[str]) -> list[str]:
    """The cells of a clip. Raises ValueError for one that is no finite number."""
    kept = dict(clip.extra)
    texts = [clip.label]
    for name in columns[1:]:
        found = next((kept[key] for key in (name, f"source_{name}") if key in kept), None)
        if found is None:
            known = sorted(key.removeprefix("source_") for key in kept)
            raise ManifestError(f"{manifest.root}: {unknown('column', name, known)} (asked for as target)")
        texts.append(found)
    for name, text in zip(columns, texts, strict=True):
        _check_number(name, text)
    return [text.strip() for text in texts]


def _check_number(name: str, text: str) -> None:
    if not text.strip():
        raise ValueError(f"no value of {name!r}")
    try:
        values = target_values(text)
    except ValueError as why:
        raise ValueError(f"{name} {text!r} is not a finite number") from why
    if len(values) > 1:
        raise ValueError(f"{name} {text!r} is not one number")


def rare_labels(manifest: Manifest) -> list[str]:
    """A line that names the labels of one group alone: no fold can both train and test them."""
    if manifest.task != "multilabel":
        return []
    groups: dict[str, set[str]] = {}
    for clip in manifest.clips:
        for name in label_names(clip.label):
            groups.setdefault(name, set()).add(clip.group)
    rare = [name for name in manifest.labels if len(groups[name]) == 1]
    if not rare:
        return []
    more = f" and {len(rare) - _SHOWN} more" if len(rare) > _SHOWN else ""
    return [f"{len(rare)} label(s) in one group only, never trained and tested: {', '.join(rare[:_SHOWN])}{more}"]
