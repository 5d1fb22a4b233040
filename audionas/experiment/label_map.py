"""A declared map from the labels of another corpus to those of a network: `joy=happiness,rage=anger`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from audionas.audio.labels import SEPARATOR, label_names
from audionas.audio.manifest import Clip, Manifest, count_by
from audionas.errors import ManifestError, SettingsError, unknown
from audionas.records import parse_yaml


@dataclass(frozen=True)
class Mapped:
    """A corpus under the labels of a network; `left_out` counts the rows of each label that is not mapped."""

    manifest: Manifest
    label_map: dict[str, str]
    left_out: dict[str, int]


def read_label_map(text: str | None, file: Path | None) -> dict[str, str] | None:
    """The map of `--map a=b,c=d` or of a YAML file with lines `a: b`; None where neither is given.

    Raises:
        SettingsError: both are given, or one is not such a map.
    """
    if text is not None and file is not None:
        raise SettingsError("--map and --label-map exclude each other")
    if file is not None:
        return _from_file(file)
    return None if text is None else _from_text(text)


def map_labels(manifest: Manifest, labels: Sequence[str], label_map: Mapping[str, str] | None) -> Mapped:
    """The rows whose label is mapped, relabelled; without a map, labels of equal names mean the same.

    A map is complete: a label that it does not name is left out, also where the network has one of that name. Of
    several labels a clip only the label is left out, and the clip stays; of numbers each target of the network needs
    exactly one, in the same unit.

    Raises:
        SettingsError: the map names a label that one of the two sides does not have, or two numbers as one target.
        ManifestError: no label is mapped, or a target is not.
    """
    if label_map is None:
        label_map = {label: label for label in manifest.labels if label in labels}
        if not label_map:
            raise ManifestError(
                f"{manifest.root}: none of its labels ({', '.join(manifest.labels)}) is one of the network's "
                f"({', '.join(labels)}); declare which is which: --map {manifest.labels[0]}={labels[0]}"
            )
    faults = [
        f"{unknown('label of the data', given, manifest.labels)}" for given in label_map if given not in manifest.labels
    ]
    faults += [unknown("label of the network", to, labels) for to in label_map.values() if to not in labels]
    if faults:
        raise SettingsError(f"label map: {'; '.join(faults)}", faults)
    if manifest.task == "regression":
        _check_targets(manifest, labels, label_map)
    clips, gone = _RELABELLED[manifest.task](manifest, labels, label_map)
    return Mapped(replace(manifest, clips=clips, labels=tuple(labels)), dict(label_map), count_by(gone))


Relabelled = tuple[tuple[Clip, ...], list[str]]


def _classes(manifest: Manifest, labels: Sequence[str], label_map: Mapping[str, str]) -> Relabelled:  # noqa: ARG001
    """The clips that are kept, relabelled, and the label of each that is not."""
    kept = [replace(clip, label=label_map[clip.label]) for clip in manifest.clips if clip.label in label_map]
    return tuple(kept), [clip.label for clip in manifest.clips if clip.label not in label_map]


def _label_sets(manifest: Manifest, labels: Sequence[str], label_map: Mapping[str, str]) -> Relabelled:  # noqa: ARG001
    """All clips, each with its mapped labels, and every label that a clip lost."""
    sets = [label_names(clip.label) for clip in manifest.clips]
    texts = [SEPARATOR.join(sorted({label_map[name] for name in own if name in label_map})) for own in sets]
    kept = (replace(clip, label=text) for clip, text in zip(manifest.clips, texts, strict=True))
    return tuple(kept), [name for own in sets for name in own if name not in label_map]


def _numbers(manifest: Manifest, labels: Sequence[str], label_map: Mapping[str, str]) -> Relabelled:
    """All clips, with the network's targets in its order; targets that are not mapped are lost by every clip."""
    column = {label_map[name]: i for i, name in enumerate(manifest.labels) if name in label_map}
    cells = [clip.label.split(SEPARATOR) for clip in manifest.clips]
    texts = [SEPARATOR.join(own[column[name]] for name in labels) for own in cells]
    kept = (replace(clip, label=text) for clip, text in zip(manifest.clips, texts, strict=True))
    return tuple(kept), [name for name in manifest.labels if name not in label_map for _ in manifest.clips]


_RELABELLED: dict[str, Callable[[Manifest, Sequence[str], Mapping[str, str]], Relabelled]] = {
    "classification": _classes,
    "multilabel": _label_sets,
    "regression": _numbers,
}


def _check_targets(manifest: Manifest, labels: Sequence[str], label_map: Mapping[str, str]) -> None:
    mapped = list(label_map.values())
    twice = next((name for name in mapped if mapped.count(name) > 1), None)
    if twice is not None:
        raise SettingsError(f"label map: two numbers are mapped to target {twice!r}; map one")
    missing = [name for name in labels if name not in mapped]
    if missing:
        raise ManifestError(
            f"{manifest.root}: no number is mapped to target {missing[0]!r} of the network (the data has: "
            f"{', '.join(manifest.labels)}); declare which it is: --map {manifest.labels[0]}={missing[0]}"
        )


def _from_text(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in text.split(","):
        given, equals, to = (part.strip() for part in pair.partition("="))
        if not (given and equals and to):
            raise SettingsError(f"--map: got {pair!r}, must be LABEL_OF_DATA=LABEL_OF_NETWORK, with commas between")
        if given in found:
            raise SettingsError(f"--map: label {given!r} stands twice on the left")
        found[given] = to
    return found


def _from_file(path: Path) -> dict[str, str]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as why:
        raise SettingsError(f"{path}: cannot read this label map ({why})") from why
    settings = parse_yaml(text, str(path))
    wrong = [
        f"{key}: {value}" for key, value in settings.items() if not (isinstance(key, str) and isinstance(value, str))
    ]
    if wrong or not settings:
        given = f"line {wrong[0]!r} is not text on both sides, put quotes around it" if wrong else "the map is empty"
        raise SettingsError(f"{path}: {given}; accepted: lines LABEL_OF_DATA: LABEL_OF_NETWORK")
    return dict(settings)
