"""The table of the full release against the sums and cells that the papers and the public metadata give."""

from __future__ import annotations

from collections import Counter

import pytest

from audionas.audio.manifest import Clip
from audionas.datasets.iemocap_counts import ALL_EXCITED, IMPROVISED, IMPROVISED_EXCITED, count_notes, total

# (neutral, anger, sadness, happiness), as the sources list them.
IMPROVISED_SESSIONS = {
    "1": (223, 62, 104, 33), "2": (217, 22, 100, 54), "3": (198, 90, 190, 60), "4": (174, 84, 81, 31),
    "5": (287, 31, 133, 106),
}  # fmt: skip
IMPROVISED_SPEAKERS = {
    "1F": 217, "1M": 205, "2F": 185, "2M": 208, "3F": 264, "3M": 274, "4F": 149, "4M": 221, "5F": 298, "5M": 259,
}  # fmt: skip
ALL_SESSIONS = {
    "1": (384, 229, 194, 278, 1085), "2": (362, 137, 197, 327, 1023), "3": (320, 240, 305, 286, 1151),
    "4": (258, 327, 143, 303, 1031), "5": (384, 170, 245, 442, 1241),
}  # fmt: skip
ORDER = ("neutral", "anger", "sadness", "happiness")


def of_class(published: dict[str, dict[str, int]], label: str, place: str = "") -> int:
    return sum(counts.get(label, 0) for where, counts in published.items() if where.startswith(place))


def test_the_three_subsets_have_the_papers_sums() -> None:
    assert (total(IMPROVISED), total(IMPROVISED_EXCITED), total(ALL_EXCITED)) == (2280, 2943, 5531)
    assert [of_class(IMPROVISED, label) for label in ORDER] == [1099, 289, 608, 284]
    assert [of_class(IMPROVISED_EXCITED, label) for label in ORDER] == [1099, 289, 608, 947]
    assert [of_class(ALL_EXCITED, label) for label in ORDER] == [1708, 1103, 1084, 1636]


@pytest.mark.parametrize("session", "12345")
def test_each_session_has_the_published_counts(session: str) -> None:
    assert tuple(of_class(IMPROVISED, label, session) for label in ORDER) == IMPROVISED_SESSIONS[session]
    assert tuple(ALL_EXCITED[session][label] for label in ORDER) == ALL_SESSIONS[session][:4]
    assert sum(ALL_EXCITED[session].values()) == ALL_SESSIONS[session][4]


def test_each_speaker_has_the_published_counts() -> None:
    assert {speaker: sum(counts.values()) for speaker, counts in IMPROVISED.items()} == IMPROVISED_SPEAKERS
    for speaker, (anger, happiness, neutral, sadness) in {
        "1F": (37, 18, 119, 43), "1M": (25, 15, 104, 61), "2F": (7, 25, 90, 63), "2M": (15, 29, 127, 37),
        "3F": (22, 39, 95, 108), "3M": (68, 21, 103, 82), "4F": (47, 10, 51, 41), "4M": (37, 21, 123, 40),
        "5F": (18, 56, 151, 73), "5M": (13, 50, 136, 60),
    }.items():  # fmt: skip
        assert IMPROVISED[speaker] == {
            "anger": anger, "happiness": happiness, "neutral": neutral, "sadness": sadness
        }  # fmt: skip


def test_five_runs_with_one_sex_test_1113_or_1167_utterances() -> None:
    assert sum(n for speaker, n in IMPROVISED_SPEAKERS.items() if speaker.endswith("F")) == 1113
    assert sum(n for speaker, n in IMPROVISED_SPEAKERS.items() if speaker.endswith("M")) == 1167
    assert sum(sum(IMPROVISED[f"{session}F"].values()) for session in "12345") == 1113


def as_published() -> list[Clip]:
    """One clip for each utterance of the improvised subset."""
    return [
        Clip(f"{speaker}-{label}-{number}.wav", label, speaker)
        for speaker, counts in IMPROVISED.items()
        for label, n in counts.items()
        for number in range(n)
    ]


def with_excited() -> list[Clip]:
    return [*as_published(), *(Clip(f"exc-{number}.wav", "happiness", "1F") for number in range(663))]


def test_the_full_release_is_passed_without_a_word() -> None:
    assert count_notes(as_published(), IMPROVISED) == []
    assert count_notes(with_excited(), IMPROVISED_EXCITED) == []
    sessions = [
        Clip(f"{session}-{label}-{number}.wav", label, f"{session}F")
        for session, counts in ALL_SESSIONS.items()
        for label, n in zip(ORDER, counts[:4], strict=True)
        for number in range(n)
    ]
    assert count_notes(sessions, ALL_EXCITED) == []


def test_a_partial_copy_is_told_with_the_places_that_differ() -> None:
    clips = [clip for clip in as_published() if clip.group not in ("2F", "4M")]
    assert count_notes(clips, IMPROVISED) == [
        "1,874 of the release's 2,280 utterances of this subset: a partial copy; counts differ in sessions 2, 4 "
        "(speakers 2F, 4M)"
    ]
    assert count_notes([], ALL_EXCITED) == [
        "0 of the release's 5,531 utterances of this subset: a partial copy; counts differ in sessions 1, 2, 3, 4, 5"
    ]
    assert count_notes(with_excited()[:-1], IMPROVISED_EXCITED) == [
        "2,942 of the release's 2,943 utterances of this subset: a partial copy; counts differ in the sum of happiness"
    ]


def test_as_many_utterances_with_other_labels_are_told_too() -> None:
    clips = as_published()
    first = next(clip for clip in clips if clip.group == "3F" and clip.label == "anger")
    clips[clips.index(first)] = Clip(first.path, "neutral", "3F")
    assert Counter(clip.group for clip in clips) == IMPROVISED_SPEAKERS
    assert count_notes(clips, IMPROVISED) == [
        "2,280 utterances of this subset, the release has 2,280: not the labels of the release; counts differ in "
        "sessions 3 (speakers 3F)"
    ]
