"""`crema_d`: CREMA-D under its original file names, the repository (`AudioWAV/`) or any folder of its files.

A name is actor, sentence, emotion, level: `1001_DFA_ANG_XX`. `VideoDemographics.csv` tells sex and age of the actors,
`SentenceFilenames.csv` which clips there are; both may be missing, which is told. Only `AudioWAV` is read where
there is one: `AudioMP3` holds what the raters heard, of which the authors say that four files are not what their
names say. The corpus has no folds of its own.

Source: Cao, Cooper, Keutmann, Gur, Nenkova, Verma, "CREMA-D: Crowd-sourced Emotional Multimodal Actors Dataset", IEEE
    Transactions on Affective Computing 5(4), 2014: 7,442 clips of 91 actors (48 men, 43 women).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from audionas.audio.manifest import Clip, Manifest, read_table, table_rows
from audionas.datasets.columns import Columns, apply_columns
from audionas.datasets.files import audio_files
from audionas.datasets.named_files import all_read, one_of_each
from audionas.datasets.releases import Release, release_notes, shown
from audionas.errors import ManifestError, unknown

NAME = re.compile(r"\d{4}_[A-Z]{3}_[A-Z]{3}_[A-Z]{1,2}", re.ASCII)
AUDIO = "AudioWAV"
DEMOGRAPHICS = "VideoDemographics.csv"
FILENAMES = "SentenceFilenames.csv"
EMOTIONS = {
    "ANG": "anger",
    "DIS": "disgust",
    "FEA": "fear",
    "HAP": "happiness",
    "NEU": "neutral",
    "SAD": "sadness",
}
# X: 1040_ITH_SAD_X.wav, as one file was named until October 2022.
LEVELS = {"LO": "low", "MD": "medium", "HI": "high", "XX": "unspecified", "X": "unspecified"}
SENTENCES = ("DFA", "IEO", "IOM", "ITH", "ITS", "IWL", "IWW", "MTI", "TAI", "TIE", "TSI", "WSI")
FIRST_ACTOR, LAST_ACTOR = 1001, 1091
SEXES = {"Female": "f", "Male": "m"}
# Counted in the repository's SentenceFilenames.csv.
RELEASE = Release("CREMA-D", {name: 1087 if name == "neutral" else 1271 for name in EMOTIONS.values()}, 91, "actors")
_LFS_POINTER = b"version https://git-lfs"


def read(root: Path, columns: Columns) -> Manifest:
    """CREMA-D: 7,442 clips of 6 emotions, 91 actors.

    Group = actor, clip = the file's name. Kept: actor, age (years) and gender (f, m) where the table of actors is
    there, level (low, medium, high, unspecified), sentence. Missing clips, actors and tables, and files that lie
    twice, are notes.

    Raises:
        ManifestError: file names not of CREMA-D, two different files of one name, Git LFS pointers instead of audio,
            an actor or a column missing in a table.
    """
    paths, notes = one_of_each(root, _audio(root))
    clips = all_read(
        root, paths, _clip, "file name(s) not of CREMA-D", "move these files out, or name another --dataset"
    )
    _check_fetched(root, paths)
    actors = _actors(root)
    if actors:
        clips = [_with_actor(root, clip, actors) for clip in clips]
    else:
        notes.append(f"no {DEMOGRAPHICS}: gender and age of the actors are not known")
    manifest = Manifest(
        root=root,
        clips=(),
        labels=(),
        dataset="crema_d",
        group_source="CREMA-D actor",
        notes=(*release_notes(clips, RELEASE), *_missing(root, clips), *_mp3(paths), *notes),
    )
    return apply_columns(manifest.with_clips(clips), columns)


def is_here(paths: Sequence[str]) -> bool:
    """Whether these files are CREMA-D's: one in `AudioWAV` has such a name, or all have."""
    own = [path for path in paths if NAME.fullmatch(PurePosixPath(path).stem)]
    return any(AUDIO in path.split("/") for path in own) or (bool(own) and len(own) == len(paths))


def _audio(root: Path) -> list[str]:
    paths = audio_files(root)
    return [path for path in paths if AUDIO in path.split("/")[:-1]] or paths


def _clip(path: str) -> Clip:
    """The clip of one file. Raises ValueError for a name that CREMA-D does not have."""
    name = PurePosixPath(path).stem
    if not NAME.fullmatch(name):
        raise ValueError(f"{path} (ACTOR_SENTENCE_EMOTION_LEVEL such as 1001_DFA_ANG_XX)")
    actor, sentence, emotion, level = name.split("_")
    if not FIRST_ACTOR <= int(actor) <= LAST_ACTOR:
        raise ValueError(f"{path} (actor {actor!r}, there are {FIRST_ACTOR} to {LAST_ACTOR})")
    for what, code, known in (
        ("sentence", sentence, SENTENCES),
        ("emotion", emotion, EMOTIONS),
        ("level", level, LEVELS),
    ):
        if code not in known:
            raise ValueError(f"{path} ({unknown(what, code, known)})")
    extra = (("actor", actor), ("level", LEVELS[level]), ("sentence", sentence))
    return Clip(path=path, label=EMOTIONS[emotion], group=actor, clip=_full_name(name), extra=extra)


def _full_name(name: str) -> str:
    """The name with the level as the tables have it."""
    return f"{name}X" if name.endswith("_X") else name


def _actors(root: Path) -> dict[str, tuple[str, str]]:
    """Age and gender of each actor; nothing without the table."""
    if not (root / DEMOGRAPHICS).is_file():
        return {}
    rows = _rows(root / DEMOGRAPHICS, ("ActorID", "Age", "Sex"))
    return {row["ActorID"].strip(): (row["Age"].strip(), SEXES.get(row["Sex"].strip(), "")) for row in rows}


def _with_actor(root: Path, clip: Clip, actors: Mapping[str, tuple[str, str]]) -> Clip:
    if clip.group not in actors:
        raise ManifestError(
            f"{root / DEMOGRAPHICS}: no row for actor {clip.group} of {clip.path}; take the whole table"
        )
    age, gender = actors[clip.group]
    extra = dict(clip.extra) | {"age": age, "gender": gender}
    return Clip(clip.path, clip.label, clip.group, clip=clip.clip, extra=tuple(sorted(extra.items())))


def _missing(root: Path, clips: Sequence[Clip]) -> list[str]:
    """Names of clips that the repository's list has and the folder has not."""
    if not (root / FILENAMES).is_file():
        return []
    listed = {_full_name(row["Filename"].strip()) for row in _rows(root / FILENAMES, ("Filename",))}
    names = sorted(listed - {clip.clip for clip in clips})
    return [f"{len(names):,} clip(s) of {FILENAMES} have no audio: {shown(names)}"] if names else []


def _rows(path: Path, needed: Sequence[str]) -> list[dict[str, str]]:
    table = read_table(path)
    for name in needed:
        if name not in table.columns:
            raise ManifestError(f"{path}: {unknown('column', name, list(table.columns))}")
    return table_rows(table)


def _check_fetched(root: Path, paths: Sequence[str]) -> None:
    """The repository without Git LFS, or its zip, holds a line of text in place of each recording."""
    for path in paths[:1]:
        with (root / path).open("rb") as file:
            if file.read(len(_LFS_POINTER)) == _LFS_POINTER:
                raise ManifestError(
                    f"{root / path}: a Git LFS pointer, not audio; run `git lfs pull` in the clone of CREMA-D"
                )


def _mp3(paths: Sequence[str]) -> list[str]:
    n_mp3 = sum(path.lower().endswith(".mp3") for path in paths)
    told = f"{n_mp3:,} MP3 file(s): the authors say that four of AudioMP3 are not what their names say; use {AUDIO}"
    return [told] if n_mp3 else []
