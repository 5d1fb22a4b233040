"""`iemocap`, `iemocap_excited`, `iemocap_all`: the IEMOCAP release as it is distributed, in three subsets.

A speaker is the session and the letter before the utterance's number (`Ses01F_impro01_M003` is said by 1M); the
letter in the dialog's name only says who wears the motion-capture markers. Folds are the sessions, each with
one woman and one man.

Source: Busso et al., "IEMOCAP: interactive emotional dyadic motion capture database", Language Resources and
    Evaluation 42, 2008. Subsets: Sun et al., "EmotionNAS", 2022 (improvised, without excited; the paper does not
    say so, its reference Satt et al. 2017 does); the same with excited merged into happiness; all dialogs with
    excited merged, as most later work has it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from audionas.audio.manifest import Clip, Manifest
from audionas.audio.waveform import opened
from audionas.datasets.columns import Columns, apply_columns
from audionas.datasets.files import check_inside
from audionas.datasets.iemocap_counts import ALL_EXCITED, IMPROVISED, IMPROVISED_EXCITED, count_notes
from audionas.datasets.iemocap_files import (
    ROOT_NAMES,
    Utterance,
    labelled_utterances,
    release_root,
    transcriptions,
    wav_paths,
)  # fmt: skip
from audionas.errors import AudioError, ManifestError
from audionas.quantities import count_text

EMOTIONS = {"ang": "anger", "hap": "happiness", "neu": "neutral", "sad": "sadness"}
# Start and end are rounded to 0.1 ms each, the length to a frame of 1/16 ms.
LENGTH_TOLERANCE_S = 0.0002
_SHOWN = 50


@dataclass(frozen=True)
class Subset:
    """Which utterances belong to it, what they are labelled, how many the release has, which protocol is usual."""

    name: str
    emotions: Mapping[str, str]
    improvised_only: bool
    published: Mapping[str, Mapping[str, int]]
    protocol: str

    def holds(self, utterance: Utterance) -> bool:
        """Whether an utterance is in the subset."""
        return utterance.code in self.emotions and (utterance.is_improvised or not self.improvised_only)


SUBSETS = {
    "improvised": Subset("iemocap", EMOTIONS, True, IMPROVISED, "speaker_pairs"),
    "improvised_excited": Subset(
        "iemocap_excited", EMOTIONS | {"exc": "happiness"}, True, IMPROVISED_EXCITED, "speaker_pairs"
    ),
    "all_excited": Subset("iemocap_all", EMOTIONS | {"exc": "happiness"}, False, ALL_EXCITED, "folds_with_dev"),
}  # fmt: skip


def read(root: Path, columns: Columns) -> Manifest:
    """IEMOCAP, improvised dialogs, four emotions without excited: 2,280 utterances (EmotionNAS).

    Group = speaker, fold = session, clip = the utterance's name. Kept: activation, dialog, dialog_end_s,
    dialog_start_s (seconds in the dialog), dominance, emotion (the release's code), gender (f, m), session,
    transcription, valence. What of the release is missing or differs is a note of the manifest.

    Raises:
        ManifestError: no release under `root`, none of the subset's recordings, an utterance in the folder of another
            session, or a recording that leads out of the release.
    """
    return _read(root, columns, SUBSETS["improvised"])


def read_excited(root: Path, columns: Columns) -> Manifest:
    """IEMOCAP, improvised dialogs, four emotions with excited as happiness: 2,943 utterances.

    Columns and errors are those of `read`.
    """
    return _read(root, columns, SUBSETS["improvised_excited"])


def read_all(root: Path, columns: Columns) -> Manifest:
    """IEMOCAP, improvised and scripted dialogs, four emotions with excited as happiness: 5,531 utterances.

    Columns and errors are those of `read`.
    """
    return _read(root, columns, SUBSETS["all_excited"])


def _read(root: Path, columns: Columns, subset: Subset) -> Manifest:
    release = release_root(root)
    if release is None:
        raise ManifestError(
            f"{root}: no IEMOCAP release: no Session1/dialog/EmoEvaluation/*.txt (or of another session) in it, nor in "
            f"{' or '.join(ROOT_NAMES)} below it; give the folder that holds Session1"
        )
    labelled, unread = labelled_utterances(release)
    recorded, spoken = wav_paths(release), transcriptions(release)
    wanted = [utterance for utterance in labelled if subset.holds(utterance)]
    present = [utterance for utterance in wanted if utterance.wav in recorded]
    if not present:
        raise ManifestError(
            f"{release}: {count_text(len(wanted), 'labelled utterance')} of {subset.name}, none has its recording in "
            "Session*/sentences/wav/<dialog>/; copy them there"
        )
    clips = [_clip(release, utterance, subset, spoken) for utterance in present]
    missing = [utterance.name for utterance in wanted if utterance.wav not in recorded]
    unlabelled = sorted(recorded - {utterance.wav for utterance in labelled})
    notes = [
        *count_notes(clips, subset.published),
        *_listed(missing, "labelled utterance(s) of this subset have no wav file"),
        *_listed([PurePosixPath(path).stem for path in unlabelled], "wav file(s) have no label and are left out"),
        *_listed(unread, "line(s) in EmoEvaluation are not understood and left out"),
        *_listed(
            [utterance.name for utterance in present if not _is_as_long(release, utterance)],
            "wav file(s) are not as long as their label's start and end say",
        ),
    ]
    manifest = Manifest(
        root=release,
        clips=(),
        labels=(),
        dataset=subset.name,
        group_source="IEMOCAP speaker",
        fold_source="IEMOCAP sessions",
        notes=tuple(notes),
        protocol=subset.protocol,
    )
    return apply_columns(manifest.with_clips(clips), columns)


def _clip(release: Path, utterance: Utterance, subset: Subset, spoken: Mapping[str, str]) -> Clip:
    check_inside(release, release / utterance.wav)
    extra = {
        "activation": utterance.activation,
        "dialog": utterance.dialog,
        "dialog_end_s": f"{utterance.end_s:.4f}",
        "dialog_start_s": f"{utterance.start_s:.4f}",
        "dominance": utterance.dominance,
        "emotion": utterance.code,
        "gender": utterance.sex.lower(),
        "session": utterance.session,
        "transcription": spoken.get(utterance.name, ""),
        "valence": utterance.valence,
    }
    return Clip(
        path=utterance.wav,
        label=subset.emotions[utterance.code],
        group=utterance.speaker,
        fold=utterance.session,
        clip=utterance.name,
        extra=tuple(extra.items()),
    )


def _is_as_long(release: Path, utterance: Utterance) -> bool:
    """Whether the file's header says the label's length; a damaged file is left to the scan, which names it."""
    try:
        with opened(release / utterance.wav) as file:
            seconds = file.frames / file.samplerate
    except AudioError:
        return True
    return bool(abs(seconds - (utterance.end_s - utterance.start_s)) <= LENGTH_TOLERANCE_S)


def _listed(names: Sequence[str], what: str) -> list[str]:
    """One line with the count and the first names; none of nothing."""
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return [f"{len(names):,} {what}: {', '.join(names[:_SHOWN])}{more}"] if names else []
