"""The last line against leaks: whatever divided the clips, nothing of a tested group may be read before the test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from audionas.audio.manifest import Manifest
from audionas.errors import RunError


def refuse_leak(manifest: Manifest, tested: Sequence[int], read: Mapping[str, Sequence[int]]) -> None:
    """Refuse to go on when a part that teaches, chooses or normalises holds a clip of a tested group.

    Args:
        tested: rows of the test clips.
        read: rows of each part, by a name that the error can use.

    Raises:
        RunError: there is such a clip. This is a defect of audionas, or of a folder that was changed by hand.
    """
    groups = {manifest.clips[row].group for row in tested}
    for part, rows in read.items():
        leaked = next((manifest.clips[row] for row in rows if manifest.clips[row].group in groups), None)
        if leaked is not None:
            raise RunError(
                f"{manifest.root}: leak: clip {leaked.clip!r} of group {leaked.group!r}, which is tested, is in the "
                f"{part} part; nothing was scored. Prepare the data anew; if that does not help, please report it"
            )
