"""`ravdess`, `ravdess_song`, `ravdess_all`: the audio files of RAVDESS, in any folders below the root.

A name is seven numbers: modality, vocal channel, emotion, intensity, statement, repetition, actor. Actors with an
odd number are men. The folders do not matter (`Actor_01` to `Actor_24`, these within `Audio_Speech_Actors_01-24`,
or all files in one folder) but an `Actor_*` folder must be that of the name. The corpus has no folds of its own.

Source: Livingstone, Russo, "The Ryerson Audio-Visual Database of Emotional Speech and Song (RAVDESS)", PLoS ONE 13(5),
    2018: 24 actors; 1,440 files of speech, 1,012 of song (no song of actor 18).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from audionas.audio.manifest import Clip, Manifest
from audionas.datasets.columns import Columns, apply_columns
from audionas.datasets.files import audio_files
from audionas.datasets.named_files import all_read, one_of_each
from audionas.datasets.releases import Release, release_notes
from audionas.errors import ManifestError, unknown

NAME = re.compile(r"\d\d(-\d\d){6}", re.ASCII)
CHANNELS = {"01": "speech", "02": "song"}
EMOTIONS = {
    "01": "neutral",
    "02": "calm",
    "03": "happiness",
    "04": "sadness",
    "05": "anger",
    "06": "fear",
    "07": "disgust",
    "08": "surprise",
}
INTENSITIES = {"01": "normal", "02": "strong"}
STATEMENTS = {"01": "kids", "02": "dogs"}
REPETITIONS = {"01": "1", "02": "2"}
N_ACTORS = 24
_AUDIO_ONLY = "03"
_NEVER_SUNG = ("disgust", "surprise")
_ACTOR_FOLDER = re.compile(r"actor_(\d+)", re.IGNORECASE | re.ASCII)

# Two statements, twice each, in two intensities; neutral in one only.
SPEECH = Release("RAVDESS speech", {name: 96 if name == "neutral" else 192 for name in EMOTIONS.values()}, 24, "actors")
SONG = Release(
    "RAVDESS song",
    {name: 92 if name == "neutral" else 184 for name in EMOTIONS.values() if name not in _NEVER_SUNG},
    23,
    "actors",
)
ALL = Release("RAVDESS", {name: n + SONG.labels.get(name, 0) for name, n in SPEECH.labels.items()}, N_ACTORS, "actors")


def read(root: Path, columns: Columns) -> Manifest:
    """RAVDESS, speech: 1,440 clips of 8 emotions, 24 actors.

    Group = actor, clip = the file's name. Kept: actor, channel, gender (f, m), intensity (normal, strong), repetition,
    statement (kids, dogs). Files of the other channel are left out; that, copies that lie twice and counts that are
    not the release's are notes.

    Raises:
        ManifestError: file names not of RAVDESS's audio, none of this channel, two different files of one name.
    """
    return _read(root, columns, "ravdess", SPEECH, ("speech",))


def read_song(root: Path, columns: Columns) -> Manifest:
    """RAVDESS, song: 1,012 clips of 6 emotions, 23 actors.

    Columns and errors are those of `read`.
    """
    return _read(root, columns, "ravdess_song", SONG, ("song",))


def read_all(root: Path, columns: Columns) -> Manifest:
    """RAVDESS, speech and song: 2,452 clips of 8 emotions, 24 actors.

    Columns and errors are those of `read`.
    """
    return _read(root, columns, "ravdess_all", ALL, ("speech", "song"))


def data_set_here(paths: Sequence[str]) -> str | None:
    """`ravdess`, or `ravdess_song` if nothing is spoken; None if these files are not RAVDESS's.

    One name of its form in an `Actor_*` folder is enough, so that a wrong name is told instead of making the
    actors labels; elsewhere all must be.
    """
    own = [path for path in paths if NAME.fullmatch(PurePosixPath(path).stem)]
    if not any(_actor_folders(path) for path in own) and (not own or len(own) < len(paths)):
        return None
    return "ravdess_song" if all(PurePosixPath(path).stem[3:5] == "02" for path in own) else "ravdess"


def _read(root: Path, columns: Columns, dataset: str, release: Release, channels: tuple[str, ...]) -> Manifest:
    paths, notes = one_of_each(root, audio_files(root))
    found = all_read(
        root, paths, _clip, "file name(s) not of RAVDESS's audio", "move these files out, or name another --dataset"
    )
    clips = [clip for clip in found if dict(clip.extra)["channel"] in channels]
    n_others = len(found) - len(clips)
    if found and not clips:
        raise ManifestError(f"{root}: no {channels[0]} here, {n_others:,} other file(s); use --dataset ravdess_all")
    if n_others:
        notes.append(f"{n_others:,} file(s) that are not {channels[0]} are left out; --dataset ravdess_all takes them")
    manifest = Manifest(
        root=root,
        clips=(),
        labels=(),
        dataset=dataset,
        group_source="RAVDESS actor",
        notes=(*release_notes(clips, release), *notes),
    )
    return apply_columns(manifest.with_clips(clips), columns)


def _clip(path: str) -> Clip:
    """The clip of one file. Raises ValueError for a name that RAVDESS's audio does not have."""
    name = PurePosixPath(path).stem
    if not NAME.fullmatch(name):
        raise ValueError(f"{path} (seven numbers such as 03-01-05-01-02-01-12)")
    modality, channel, emotion, intensity, statement, repetition, actor = name.split("-")
    if modality != _AUDIO_ONLY:
        raise ValueError(f"{path} (modality {modality!r}, audio alone is {_AUDIO_ONLY})")
    if not 1 <= int(actor) <= N_ACTORS:
        raise ValueError(f"{path} (actor {actor!r}, there are 01 to {N_ACTORS})")
    if any(int(number) != int(actor) for number in _actor_folders(path)):
        raise ValueError(f"{path} (the folder is another actor's)")
    label = _meaning(path, "emotion", emotion, EMOTIONS)
    extra = {
        "actor": actor,
        "channel": _meaning(path, "channel", channel, CHANNELS),
        "gender": "m" if int(actor) % 2 else "f",
        "intensity": _meaning(path, "intensity", intensity, INTENSITIES),
        "repetition": _meaning(path, "repetition", repetition, REPETITIONS),
        "statement": _meaning(path, "statement", statement, STATEMENTS),
    }
    return Clip(path=path, label=label, group=actor, clip=name, extra=tuple(extra.items()))


def _meaning(path: str, what: str, code: str, meanings: dict[str, str]) -> str:
    if code not in meanings:
        raise ValueError(f"{path} ({unknown(what, code, meanings)})")
    return meanings[code]


def _actor_folders(path: str) -> list[str]:
    found = (_ACTOR_FOLDER.fullmatch(part) for part in PurePosixPath(path).parts[:-1])
    return [match[1] for match in found if match]
