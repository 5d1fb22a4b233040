"""`fsdd`: the Free Spoken Digit Dataset, files named {digit}_{speaker}_{index}.

Source: Z. Jackson and contributors, github.com/Jakobovski/free-spoken-digit-dataset. Folds leave one
    speaker out. The data set's own split (index 0-4 is test) is kept in `split`; it is not
    speaker-disjoint, so that `--folds split` is refused unless other groups are given.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from audionas.audio.manifest import Clip, Manifest
from audionas.datasets.columns import Columns, apply_columns
from audionas.datasets.files import audio_files
from audionas.errors import ManifestError

NAME = re.compile(r"(\d)_([A-Za-z]+)_(\d+)")
N_TEST = 5


def read(root: Path, columns: Columns) -> Manifest:
    """All recordings; label = digit, group and fold = speaker.

    Raises:
        ManifestError: a file has another name than the data set's.
    """
    clips = [_clip(root, path) for path in audio_files(root)]
    manifest = Manifest(
        root=root,
        clips=(),
        labels=(),
        dataset="fsdd",
        group_source="FSDD speaker",
        fold_source="FSDD speaker",
    )
    return apply_columns(manifest.with_clips(clips), columns)


def _clip(root: Path, path: str) -> Clip:
    match = NAME.fullmatch(PurePosixPath(path).stem)
    if match is None:
        raise ManifestError(f"{root / path}: not an FSDD name such as 7_jackson_32.wav; use --dataset folder_per_label")
    digit, speaker, index = match.groups()
    split = "test" if int(index) < N_TEST else "train"
    return Clip(path=path, label=digit, group=speaker, fold=speaker, split=split)
