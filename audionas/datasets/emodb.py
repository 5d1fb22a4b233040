"""`emodb`: the Berlin Database of Emotional Speech under its original file names, `wav/` folder or flat.

A name is SSTTTEV: speaker, text code, emotion letter (of the German word), version letter.

Source: Burkhardt, Paeschke, Rolfes, Sendlmeier, Weiss, "A Database of German Emotional Speech",
    Interspeech 2005. The corpus has no folds of its own: here each of five folds holds one male and one
    female speaker, as the sessions of IEMOCAP do.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from audionas.audio.manifest import Clip, Manifest
from audionas.datasets.columns import Columns, apply_columns
from audionas.datasets.files import audio_files
from audionas.errors import ManifestError

EMOTIONS = {
    "W": "anger",
    "L": "boredom",
    "E": "disgust",
    "A": "fear",
    "F": "happiness",
    "T": "sadness",
    "N": "neutral",
}
FOLDS = {
    "03": "1",
    "08": "1",
    "10": "2",
    "09": "2",
    "11": "3",
    "13": "3",
    "12": "4",
    "14": "4",
    "15": "5",
    "16": "5",
}
MEN = ("03", "10", "11", "12", "15")
NAME = re.compile(r"(03|08|09|10|11|12|13|14|15|16)([ab]\d\d)([WLEAFTN])([a-z])")


def read(root: Path, columns: Columns) -> Manifest:
    """All recordings; group = speaker, `text` and `gender` kept.

    Raises:
        ManifestError: a file has another name than EMO-DB's.
    """
    clips = [_clip(root, path) for path in audio_files(root)]
    manifest = Manifest(
        root=root,
        clips=(),
        labels=(),
        dataset="emodb",
        group_source="EMO-DB speaker",
        fold_source="EMO-DB speaker pairs",
    )
    return apply_columns(manifest.with_clips(clips), columns)


def _clip(root: Path, path: str) -> Clip:
    match = NAME.fullmatch(PurePosixPath(path).stem)
    if match is None:
        raise ManifestError(f"{root / path}: not an EMO-DB name such as 03a01Fa.wav; use --dataset folder_per_label")
    speaker, text, letter, _ = match.groups()
    gender = "m" if speaker in MEN else "f"
    return Clip(
        path=path,
        label=EMOTIONS[letter],
        group=speaker,
        fold=FOLDS[speaker],
        extra=(("gender", gender), ("text", text)),
    )
