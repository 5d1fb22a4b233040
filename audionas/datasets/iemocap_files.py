"""The files of an IEMOCAP release: where they lie, and what the lines of its text files say.

Below a release stand `Session1` to `Session5`, each with `dialog/EmoEvaluation/<dialog>.txt` (labels),
`dialog/transcriptions/<dialog>.txt` and `sentences/wav/<dialog>/<utterance>.wav`. Files whose names begin with
a dot are no part of it: the distributed archive has an AppleDouble twin `._*` of every file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from audionas.errors import ManifestError

ROOT_NAMES = ("IEMOCAP_full_release", "IEMOCAP")
SESSIONS = ("1", "2", "3", "4", "5")
CODES = ("neu", "ang", "hap", "exc", "sad", "fru", "sur", "fea", "oth", "dis", "xxx")
# Only letters, digits and _ in the name, so that none can be a path out of the release.
LABEL_LINE = re.compile(
    r"^\[(\d+\.\d+) - (\d+\.\d+)\]\t(Ses0[1-5][FM]_\w+_[FM]\d{3})\t([a-z]{3})\t\[([\d., ]+)\]", re.ASCII
)
_TRANSCRIPTION_LINE = re.compile(r"^(Ses0[1-5][FM]_\w+_[FM]\d{3}) \[[\d.]+-[\d.]+\]: ?(.*)$", re.ASCII)
_RATING = re.compile(r"\d+(\.\d+)?", re.ASCII)


@dataclass(frozen=True)
class Utterance:
    """One labelled turn. `code` is the majority's label, `xxx` without one.

    Times are in seconds of the dialog's recording; valence, activation and dominance are means of 1 to 5, as the
    file writes them.
    """

    name: str
    code: str
    start_s: float
    end_s: float
    valence: str
    activation: str
    dominance: str

    @property
    def session(self) -> str:
        """1 to 5."""
        return self.name[4]

    @property
    def dialog(self) -> str:
        """Everything before the last `_`. Its F or M only says who wears the motion-capture markers."""
        return self.name.rsplit("_", 1)[0]

    @property
    def sex(self) -> str:
        """F or M: the letter before the utterance's number, which alone tells the speaker."""
        return self.name.rsplit("_", 1)[1][0]

    @property
    def speaker(self) -> str:
        """Session and sex: ten speakers, 1F to 5M."""
        return self.session + self.sex

    @property
    def is_improvised(self) -> bool:
        """Whether the dialog was improvised; the others follow a script."""
        return self.dialog.split("_", 1)[1].startswith("impro")

    @property
    def wav(self) -> str:
        """The recording's path below the release."""
        return f"Session{self.session}/sentences/wav/{self.dialog}/{self.name}.wav"


def release_root(data: Path) -> Path | None:
    """The folder that holds `Session1` ...: `data`, or a release within it, even nested twice; None if none does."""
    folders = [data]
    folders += [data / name for name in ROOT_NAMES]
    folders += [data / outer / inner for outer in ROOT_NAMES for inner in ROOT_NAMES]
    return next((folder for folder in folders if any(_label_files(folder, session) for session in SESSIONS)), None)


def labelled_utterances(release: Path) -> tuple[list[Utterance], list[str]]:
    """All labelled turns, in the order of sessions, dialogs and lines; and the lines that could not be read.

    Raises:
        ManifestError: a turn stands in the folder of another session.
    """
    found, unread = [], []
    for session in SESSIONS:
        for path in _label_files(release, session):
            for number, line in enumerate(_lines(path), start=1):
                if not line.startswith("["):
                    continue
                utterance = parse_label_line(line)
                if utterance is None:
                    unread.append(f"{path.relative_to(release).as_posix()} line {number}")
                elif utterance.session != session:
                    raise ManifestError(
                        f"{path}: line {number}: {utterance.name} is of session {utterance.session}, in the folder of "
                        f"session {session}; put the file back where the release has it"
                    )
                else:
                    found.append(utterance)
    return found, unread


def parse_label_line(line: str) -> Utterance | None:
    """The turn of one `[START - END] NAME EMOTION [V, A, D]` line; None for any other line."""
    match = LABEL_LINE.match(line)
    if match is None:
        return None
    start, end, name, code, ratings = match.groups()
    values = [text.strip() for text in ratings.split(",")]
    if code not in CODES or len(values) != 3 or not all(_RATING.fullmatch(value) for value in values):
        return None
    return Utterance(name, code, float(start), float(end), *values)


def transcriptions(release: Path) -> dict[str, str]:
    """What was said, by utterance; turns of both actors (`..._MXX0`) have no label and are left out."""
    texts = {}
    for session in SESSIONS:
        for path in _text_files(release / f"Session{session}" / "dialog" / "transcriptions"):
            for line in _lines(path):
                if match := _TRANSCRIPTION_LINE.match(line):
                    texts[match[1]] = "".join(letter for letter in match[2] if letter.isprintable()).strip()
    return texts


def wav_paths(release: Path) -> set[str]:
    """All recordings of utterances, as paths below the release."""
    folders = [release / f"Session{session}" / "sentences" / "wav" for session in SESSIONS]
    found = [path for folder in folders for path in folder.glob("*/*.wav")]
    return {
        path.relative_to(release).as_posix()
        for path in found
        if not path.name.startswith(".") and not path.parent.name.startswith(".")
    }


def _label_files(release: Path, session: str) -> list[Path]:
    """Only those directly in EmoEvaluation: its subfolders hold the single evaluators' files, of other forms."""
    return _text_files(release / f"Session{session}" / "dialog" / "EmoEvaluation")


def _text_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.txt") if not path.name.startswith(".") and path.is_file())


def _lines(path: Path) -> list[str]:
    """Lines with any of the three line ends; the evaluators' free comments are not all UTF-8."""
    return path.read_text(encoding="utf-8", errors="replace").split("\n")
