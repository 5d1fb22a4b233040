"""Lays recordings out as an IEMOCAP release: its folders, names, text files and oddities; nothing of IEMOCAP in it.

`emodb_turns` takes EMO-DB's clips (the shipped sample, or all of them), whose five folds pair a woman with a man
as IEMOCAP's sessions do; `noise_turns` needs no data.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile

from audionas.datasets import Columns
from audionas.datasets.csv import read as read_table

RATE_HZ = 16_000
SHARED_EMODB4 = Path(__file__).parents[3] / "shared" / "data" / "emodb4"
CODES = {"anger": "ang", "happiness": "hap", "neutral": "neu", "sadness": "sad"}
WORDS = {"ang": "Anger", "hap": "Happiness", "neu": "Neutral", "sad": "Sadness", "exc": "Excited", "xxx": "Other"}
APPLE_DOUBLE = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        \xff\xfe[0.1 - 0.2]\n"
RATINGS = "[2.5000, 3.0000, 2.3333]"


@dataclass(frozen=True)
class Turn:
    """One utterance to write: `samples` (samples,) at 16 kHz, None for a label without a recording."""

    dialog: str
    sex: str
    code: str
    samples: np.ndarray | None = field(repr=False)
    is_labelled: bool = True


Write = Callable[[Path, Turn], object]


def write_pcm16(path: Path, turn: Turn) -> None:
    """The recording as in the release: mono, 16 kHz, PCM 16."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, turn.samples, RATE_HZ, subtype="PCM_16")


def emodb_turns(folder: Path) -> list[Turn]:
    """Every clip of an EMO-DB table as a turn: fold k is session k, gender the speaker, dialogs in turn.

    The dialogs' letters alternate between F and M, so that they are the speaker's in half of the turns only.
    """
    turns, said = [], Counter[str]()
    for clip in read_table(folder, Columns()).clips:
        sex = dict(clip.extra)["gender"].upper()
        samples, rate = soundfile.read(folder / clip.path, dtype="int16")
        assert rate == RATE_HZ
        turns.append(Turn(dialog_of(clip.fold, said[clip.group]), sex, CODES[clip.label], samples))
        said[clip.group] += 1
    return turns


def noise_turns(per_class: int = 2, samples: int = 1600) -> list[Turn]:
    """`per_class` short noises of each class for each of the ten speakers."""
    turns = []
    for session in "12345":
        for sex in "FM":
            for number in range(4 * per_class):
                code = list(CODES.values())[number % 4]
                turns.append(Turn(dialog_of(session, number // 4), sex, code, noise(len(turns), samples + number)))
    return turns


def odd_turns() -> list[Turn]:
    """What a real release also holds: no agreement, excited, scripts, a lost recording, a recording without a label."""
    return [
        Turn("Ses01F_impro01", "F", "xxx", noise(1001)),
        Turn("Ses02F_impro01", "M", "exc", noise(1002)),
        Turn("Ses01F_script01_1", "F", "neu", noise(1003)),
        Turn("Ses05M_script01_1b", "M", "sad", noise(1004)),
        Turn("Ses04F_impro01", "F", "hap", None),
        Turn("Ses05F_impro01", "M", "neu", noise(1005), is_labelled=False),
    ]


def dialog_of(session: str, number: int) -> str:
    """Two improvised dialogs a session, of either letter; one of session 3 has a suffix, as in the release."""
    if number % 2 == 0:
        return f"Ses0{session}F_impro01"
    return "Ses03M_impro05a" if session == "3" else f"Ses0{session}M_impro02"


def noise(seed: int, samples: int = 1600) -> np.ndarray:
    """(samples,), float64, no two seeds alike."""
    return 0.1 * np.random.default_rng(seed).uniform(-1, 1, samples)


def lay_out(release: Path, turns: Iterable[Turn], write: Write = write_pcm16) -> dict[str, Turn]:
    """Write a release; gives the turns by the names they got."""
    counts, named = Counter[str](), {}
    for turn in turns:
        prefix = f"{turn.dialog}_{turn.sex}"
        named[f"{prefix}{counts[prefix]:03d}"] = turn
        counts[prefix] += 1
    for dialog in sorted({turn.dialog for turn in named.values()}):
        _write_dialog(release, dialog, {name: turn for name, turn in named.items() if turn.dialog == dialog})
    for name, turn in named.items():
        if turn.samples is not None:
            write(wav_path(release, name), turn)
    for path in sorted(release.rglob("*.*")):
        if path.is_file():
            path.with_name(f"._{path.name}").write_bytes(APPLE_DOUBLE)
    return named


def wav_path(release: Path, name: str) -> Path:
    """Where the recording of an utterance lies."""
    dialog = name.rpartition("_")[0]
    return release / f"Session{name[4]}" / "sentences" / "wav" / dialog / f"{name}.wav"


def label_path(release: Path, dialog: str) -> Path:
    """Where the labels of a dialog lie."""
    return release / f"Session{dialog[4]}" / "dialog" / "EmoEvaluation" / f"{dialog}.txt"


def _write_dialog(release: Path, dialog: str, turns: dict[str, Turn]) -> None:
    start_s = 6.2901
    blocks, spoken = ["% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n"], []
    for name, turn in turns.items():
        end_s = start_s + (len(turn.samples) / RATE_HZ if turn.samples is not None else 1.0)
        spoken.append(f"{name} [{start_s:08.4f}-{end_s:08.4f}]: Excuse me. [LAUGHTER]\n")
        if turn.is_labelled:
            blocks.append(_block(name, turn.code, start_s, end_s))
        start_s = round(end_s + 0.5, 4)
    spoken.append(f"{dialog}_MXX0 [{start_s:08.4f}-{start_s + 1:08.4f}]: Both at once.\n")
    end = b"\r\n" if dialog[4] == "2" else b"\n"
    comment = b"(she\x92s loud)" if dialog[4] == "3" else b"()"  # a Windows apostrophe
    labels = "".join(blocks).encode().replace(b"(COMMENT)", comment)
    path = label_path(release, dialog)
    _write(path, labels.replace(b"\n", end))
    _write(path.parent.parent / "transcriptions" / path.name, "".join(spoken).encode().replace(b"\n", end))
    for number, kind in enumerate(("Categorical", "Attribute"), start=1):
        line = f"{dialog}_F000 :Neutral state; ()\n[0.1000 - 0.2000]\t{dialog}_F999\tneu\t{RATINGS}\n"
        _write(path.parent / kind / f"{dialog}_e{number}_{kind[:3].lower()}.txt", line.encode())
    whole = path.parent.parent / "wav" / f"{dialog}.wav"
    whole.parent.mkdir(exist_ok=True)
    soundfile.write(whole, np.zeros((16, 2)), RATE_HZ, subtype="PCM_16")


def _block(name: str, code: str, start_s: float, end_s: float) -> str:
    word = WORDS[code]
    return (
        f"[{start_s:.4f} - {end_s:.4f}]\t{name}\t{code}\t{RATINGS}\n"
        f"C-E2:\t{word};\t()\nC-E3:\t{word}; Frustration;\t()\nC-E4:\t{word};\t(COMMENT)\n"
        f"C-{name[-4]}1:\t{word};\t(curious)\nA-E3:\tval 3; act 2; dom  2;\t()\n"
        "A-E4:\tval 2; act 3; dom  3;\t(mildly aggravated but staying polite, attitude)\n"
        f"A-{name[-4]}1:\tval 3; act 2; dom  1;\t()\n\n"
    )


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
