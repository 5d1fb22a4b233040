"""Lays out RAVDESS's audio archives: folders and names of the release, a few bytes a file; nothing of RAVDESS in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import product
from pathlib import Path

SPEECH, SONG = "01", "02"
Write = Callable[[Path], object]


def write_stub(path: Path) -> None:
    """What is enough for a reader that goes by names: each file as many bytes as its actor's number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * int(path.stem[-2:]))


def names(channel: str, actors: Iterable[int] = range(1, 25)) -> list[str]:
    """The names of one archive: two statements, two repetitions, two intensities, neutral in one only."""
    emotions = range(1, 9 if channel == SPEECH else 7)
    return [
        f"03-{channel}-{emotion:02d}-{intensity:02d}-{statement:02d}-{repetition:02d}-{actor:02d}"
        for actor in actors
        if (channel, actor) != (SONG, 18)
        for emotion, intensity, statement, repetition in product(emotions, (1, 2), (1, 2), (1, 2))
        if (emotion, intensity) != (1, 2)
    ]


def lay_out(folder: Path, channel: str, actors: Iterable[int] = range(1, 25), write: Write = write_stub) -> None:
    """`Actor_01/03-01-...wav` and so on below a folder, and what macOS leaves beside it."""
    for name in names(channel, actors):
        write(folder / f"Actor_{name[-2:]}" / f"{name}.wav")
    (folder / ".DS_Store").write_bytes(b"\x00\x00\x00\x01Bud1")
    (folder / "Audio_Speech_Actors_01-24.zip").write_bytes(b"PK")
    for actor in sorted(folder.glob("Actor_*")):
        (actor / f"._{next(actor.glob('03*.wav')).name}").write_bytes(b"\x00\x05\x16\x07")
