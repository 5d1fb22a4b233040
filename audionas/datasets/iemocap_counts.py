"""How many utterances the full IEMOCAP release has, and what a copy's difference from it looks like.

Source: ids, labels and lengths of all utterances in the public metadata of EmoBox (emo-box/EmoBox, data/iemocap)
and s3prl (s3prl/downstream/emotion), which agree. The sums are those that the papers report: 2280 (Satt et al.
2017; EmotionNAS), 2943, and 5531.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from audionas.audio.manifest import Clip
from audionas.quantities import count_text

_CLASSES = ("anger", "happiness", "neutral", "sadness")

# Improvised, without excited.
IMPROVISED: dict[str, dict[str, int]] = {
    speaker: dict(zip(_CLASSES, counts, strict=True))
    for speaker, counts in {
        "1F": (37, 18, 119, 43), "1M": (25, 15, 104, 61),
        "2F": (7, 25, 90, 63), "2M": (15, 29, 127, 37),
        "3F": (22, 39, 95, 108), "3M": (68, 21, 103, 82),
        "4F": (47, 10, 51, 41), "4M": (37, 21, 123, 40),
        "5F": (18, 56, 151, 73), "5M": (13, 50, 136, 60),
    }.items()
}  # fmt: skip
# Improvised, excited merged into happiness: the same utterances and 663 more. How those are spread over the speakers
# is not published, so that only the sum of this class can be compared ("" is the whole release).
IMPROVISED_EXCITED: dict[str, dict[str, int]] = {
    **{speaker: {k: n for k, n in counts.items() if k != "happiness"} for speaker, counts in IMPROVISED.items()},
    "": {"happiness": 284 + 663},
}
# Improvised and scripted, excited merged into happiness; by session, as published.
ALL_EXCITED: dict[str, dict[str, int]] = {
    session: dict(zip(_CLASSES, counts, strict=True))
    for session, counts in {
        "1": (229, 278, 384, 194),
        "2": (137, 327, 362, 197),
        "3": (240, 286, 320, 305),
        "4": (327, 303, 258, 143),
        "5": (170, 442, 384, 245),
    }.items()
}


def total(published: Mapping[str, Mapping[str, int]]) -> int:
    """Utterances of a subset in the full release."""
    return sum(sum(counts.values()) for counts in published.values())


def count_notes(clips: Sequence[Clip], published: Mapping[str, Mapping[str, int]]) -> list[str]:
    """One line if the clips are not, class by class and place by place, as many as the release has."""
    differing = [place for place, counts in published.items() if not _agrees(clips, place, counts)]
    if not differing:
        return []
    sessions = sorted({place[:1] for place in differing} - {""})
    speakers = [place for place in differing if len(place) > 1]
    named = f" (speakers {', '.join(speakers)})" if speakers else ""
    where = [f"sessions {', '.join(sessions)}{named}"] if sessions else []
    where += [f"the sum of {', '.join(published[''])}"] if "" in differing else []
    return [f"{_verdict(len(clips), total(published))}; counts differ in {' and in '.join(where)}"]


def _verdict(n: int, n_release: int) -> str:
    if n < n_release:
        return f"{n:,} of the release's {count_text(n_release, 'utterance')} of this subset: a partial copy"
    return f"{n:,} utterances of this subset, the release has {n_release:,}: not the labels of the release"


def _agrees(clips: Sequence[Clip], place: str, counts: Mapping[str, int]) -> bool:
    here = [clip.label for clip in clips if clip.group.startswith(place)]
    return all(here.count(label) == n for label, n in counts.items())
