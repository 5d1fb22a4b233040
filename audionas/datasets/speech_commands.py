"""`speech_commands`: Google's Speech Commands v0.01 (30 words) and v0.02 (35 words), with the official split.

Below the root, or below `audio/` in it, a folder a word holds `<speaker>_nohash_<n>.wav`; `validation_list.txt` and
`testing_list.txt` in the root name the files of dev and test, all others train. The task is that of all words. The
task of 12 classes (ten words, unknown, silence) is not here: its silence and its share of unknown words are drawn
anew by each paper.

Source: P. Warden, "Speech Commands: A Dataset for Limited-Vocabulary Speech Recognition", 2018, arXiv:1804.03209. The
    64,727 files of v0.01 that are usually named are taken to count its six recordings of background noise: the usual
    sizes of its parts (51,088, 6,798, 6,835) add up to 64,721. The counts by word could not be compared with the files.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from audionas.audio.manifest import Clip, Manifest
from audionas.datasets.columns import Columns, apply_columns
from audionas.datasets.files import audio_files
from audionas.datasets.named_files import all_read, name_in, one_of_each
from audionas.datasets.releases import Release, release_notes, shown
from audionas.errors import ManifestError, unknown

NAME = re.compile(r"([0-9a-f]+)_nohash_(\d+)", re.ASCII)
LISTS = {"validation_list.txt": "dev", "testing_list.txt": "test"}
NOISE = "_background_noise_"
V2 = Release(
    "Speech Commands v0.02",
    {
        "backward": 1664, "bed": 2014, "bird": 2064, "cat": 2031, "dog": 2128, "down": 3917, "eight": 3787,
        "five": 4052, "follow": 1579, "forward": 1557, "four": 3728, "go": 3880, "happy": 2054, "house": 2113,
        "learn": 1575, "left": 3801, "marvin": 2100, "nine": 3934, "no": 3941, "off": 3745, "on": 3845,
        "one": 3890, "right": 3778, "seven": 3998, "sheila": 2022, "six": 3860, "stop": 3872, "three": 3727,
        "tree": 1759, "two": 3880, "up": 3723, "visual": 1592, "wow": 2123, "yes": 4044, "zero": 4052,
    },
    2618,
    "speakers",
)  # fmt: skip
V1 = Release(
    "Speech Commands v0.01",
    {
        "bed": 1713, "bird": 1731, "cat": 1733, "dog": 1746, "down": 2359, "eight": 2352, "five": 2357, "four": 2372,
        "go": 2372, "happy": 1742, "house": 1750, "left": 2353, "marvin": 1746, "nine": 2364, "no": 2375, "off": 2357,
        "on": 2367, "one": 2370, "right": 2367, "seven": 2377, "sheila": 1734, "six": 2369, "stop": 2380,
        "three": 2356, "tree": 1733, "two": 2373, "up": 2375, "wow": 1745, "yes": 2377, "zero": 2376,
    },
    1881,
    "speakers",
)  # fmt: skip
_WORD_AND_NAME = 2


def read(root: Path, columns: Columns) -> Manifest:
    """Speech Commands, official train/dev/test: v0.02 has 105,829 clips of 35 words, 2,618 speakers.

    Group = speaker (the hash before `_nohash_`), split = that of the official lists. Kept: repetition (the number
    after it). `_background_noise_` is left out. That, files of the lists that are not there and counts that are not
    the release's are notes. A copy without any of the five words that v0.02 added is compared with v0.01.

    Raises:
        ManifestError: a list is missing or names no `word/file`, a file stands in both, file names or words not of
            Speech Commands, two different files of one name.
    """
    paths, notes = one_of_each(root, audio_files(root), _WORD_AND_NAME)
    spoken = [path for path in paths if NOISE not in path.split("/")[:-1]]
    clips = all_read(
        root, spoken, _clip, "file(s) not of Speech Commands", "move them out, or use --dataset folder_per_label"
    )
    splits = _splits(root)
    parts = {clip.path: splits.get(name_in(clip.path, _WORD_AND_NAME), "train") for clip in clips}
    clips = [Clip(c.path, c.label, c.group, split=parts[c.path], extra=c.extra) for c in clips]
    absent = sorted(splits.keys() - {name_in(path, _WORD_AND_NAME) for path in spoken})
    if absent:
        notes.append(f"{len(absent):,} file(s) of the official lists are not here: {shown(absent)}")
    if len(spoken) < len(paths):
        notes.append(f"{len(paths) - len(spoken):,} recording(s) of background noise are left out")
    manifest = Manifest(
        root=root,
        clips=(),
        labels=(),
        dataset="speech_commands",
        group_source="Speech Commands speaker",
        fold_source="Speech Commands official lists",
        notes=(*release_notes(clips, _release({clip.label: 1 for clip in clips})), *notes),
    )
    return apply_columns(manifest.with_clips(clips), columns)


def is_here(root: Path, paths: Sequence[str]) -> bool:
    """Whether these files are Speech Commands': names with `_nohash_`, and an official list or no other names."""
    spoken = [path for path in paths if NOISE not in path.split("/")]
    own = [path for path in spoken if NAME.fullmatch(PurePosixPath(path).stem)]
    return bool(own) and (len(own) == len(spoken) or any((root / name).is_file() for name in LISTS))


def _release(words: Mapping[str, object]) -> Release:
    return V2 if words.keys() & (V2.labels.keys() - V1.labels.keys()) else V1


def _clip(path: str) -> Clip:
    """The clip of one file, without its split. Raises ValueError for a file that Speech Commands does not have."""
    match = NAME.fullmatch(PurePosixPath(path).stem)
    if match is None:
        raise ValueError(f"{path} (SPEAKER_nohash_NUMBER such as 0a7c2a8d_nohash_0)")
    word = PurePosixPath(path).parent.name
    if word not in V2.labels:
        raise ValueError(f"{path} ({unknown('word', word, V2.labels)})")
    return Clip(path=path, label=word, group=match[1], extra=(("repetition", match[2]),))


def _splits(root: Path) -> dict[str, str]:
    """`word/name` -> dev or test."""
    missing = [name for name in LISTS if not (root / name).is_file()]
    if missing:
        raise ManifestError(
            f"{root}: no {' and no '.join(missing)}; the official split needs both lists of the release: put them "
            "back, or use --dataset folder_per_label with --group-from '^(.+)_nohash_'"
        )
    splits: dict[str, str] = {}
    for name, split in LISTS.items():
        for entry in _entries(root / name):
            if splits.setdefault(entry, split) != split:
                raise ManifestError(f"{root}: {entry} stands in {' and in '.join(LISTS)}; take the release's lists")
    return splits


def _entries(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except ValueError as why:
        raise ManifestError(f"{path}: not a text file ({why})") from why
    filled = [line.strip() for line in lines if line.strip()]
    return all_read(path, filled, _entry, "line(s) that are no WORD/FILE", "take the release's list")


def _entry(line: str) -> str:
    if line.count("/") != 1 or not NAME.fullmatch(PurePosixPath(line).stem):
        raise ValueError(repr(line))
    return name_in(line, _WORD_AND_NAME)
