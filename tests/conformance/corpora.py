"""Small synthetic corpora, each in the real layout and with the real names of its data set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.datasets.iemocap_fixture import Turn, lay_out, wav_path

Write = Callable[[Path], Path]
Build = Callable[[Path, Write], dict[str, tuple[str, str | None]]]
"""Makes a corpus below a root; gives the label and the group (None: unknown) that each file must get."""


def table(root: Path, write: Write) -> dict[str, tuple[str, str | None]]:
    """A manifest.csv with speakers and session folds."""
    expected: dict[str, tuple[str, str | None]] = {}
    lines = ["path,label,speaker,session_or_fold,mood"]
    for label, cell in {"joy": "joy", 'grief, "deep"': '"grief, ""deep"""'}.items():
        for speaker in ("s1", "s2"):
            path = f"audio/{len(lines)}.wav"
            write(root / path)
            lines.append(f"{path},{cell},{speaker},{speaker[1]},x")
            expected[path] = (label, speaker)
    (root / "manifest.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return expected


def label_folders(root: Path, write: Write) -> dict[str, tuple[str, str | None]]:
    """Folders whose names hold what file systems allow."""
    expected: dict[str, tuple[str, str | None]] = {}
    for label in ("Ärger, groß", 'the "calm" one', "喜び"):
        for name in ("1.wav", "deep/er/2.wav"):
            write(root / label / name)
            expected[f"{label}/{name}"] = (label, None)
    return expected


def emodb(root: Path, write: Write) -> dict[str, tuple[str, str | None]]:
    """The original names in wav/."""
    names = {"03a01Wa": "anger", "08a02Lb": "boredom", "10b03Ec": "disgust", "09a04Ad": "fear",
             "11b10Fa": "happiness", "15a05Ta": "sadness", "16a07Nf": "neutral"}  # fmt: skip
    for name in names:
        write(root / "wav" / f"{name}.wav")
    return {f"wav/{name}.wav": (label, name[:2]) for name, label in names.items()}


def fsdd(root: Path, write: Write) -> dict[str, tuple[str, str | None]]:
    """recordings/{digit}_{speaker}_{index}.wav."""
    expected: dict[str, tuple[str, str | None]] = {}
    for digit, speaker, index in [
        ("0", "jackson", 0),
        ("7", "jackson", 49),
        ("0", "theo", 12),
        ("9", "theo", 4),
    ]:
        path = f"recordings/{digit}_{speaker}_{index}.wav"
        write(root / path)
        expected[path] = (digit, speaker)
    return expected


ESC_ROWS = [
    ("1-100032-A-0.wav", "1", "0", "dog", "True", "100032", "A"),
    ("1-100038-A-14.wav", "1", "14", "chirping_birds", "False", "100038", "A"),
    ("2-100210-A-36.wav", "2", "36", "vacuum_cleaner", "False", "100210", "A"),
    ("2-101296-B-10.wav", "2", "10", "rain", "True", "101296", "B"),
]


def esc50(root: Path, write: Write) -> dict[str, tuple[str, str | None]]:
    """meta/esc50.csv and audio/, with rows of the real table."""
    return _esc(root, write, ESC_ROWS)


def esc10(root: Path, write: Write) -> dict[str, tuple[str, str | None]]:
    """The same folder, of which ESC-10 is a part."""
    expected = _esc(root, write, ESC_ROWS)
    return {f"audio/{row[0]}": expected[f"audio/{row[0]}"] for row in ESC_ROWS if row[4] == "True"}


def _esc(root: Path, write: Write, rows: list[tuple[str, ...]]) -> dict[str, tuple[str, str | None]]:
    for row in rows:
        write(root / "audio" / row[0])
    header = "filename,fold,target,category,esc10,src_file,take"
    (root / "meta").mkdir(parents=True, exist_ok=True)
    (root / "meta" / "esc50.csv").write_text("\n".join([header, *(",".join(row) for row in rows)]) + "\n")
    return {f"audio/{row[0]}": (row[3], row[5]) for row in rows}


def iemocap(root: Path, write: Write) -> dict[str, tuple[str, str | None]]:
    """Three sessions of the release, with what belongs to other subsets."""
    return _iemocap(root, write, {"ang": "anger", "sad": "sadness"}, ("impro",))


def iemocap_excited(root: Path, write: Write) -> dict[str, tuple[str, str | None]]:
    """The same files, excited counted as happiness."""
    return _iemocap(root, write, {"ang": "anger", "exc": "happiness", "sad": "sadness"}, ("impro",))


def iemocap_all(root: Path, write: Write) -> dict[str, tuple[str, str | None]]:
    """The same files, scripted dialogs included."""
    return _iemocap(root, write, {"ang": "anger", "exc": "happiness", "sad": "sadness"}, ("impro", "script"))


def _iemocap(
    root: Path, write: Write, labels: dict[str, str], kinds: tuple[str, ...]
) -> dict[str, tuple[str, str | None]]:
    turns = [
        Turn(f"Ses0{session}{marked}_{kind}", sex, code, np.zeros(4000))
        for session, marked, kind in [("1", "F", "impro01"), ("2", "M", "impro05a"), ("3", "F", "script01_1b"),
                                      ("3", "M", "impro02")]
        for sex in "FM"
        for code in ("ang", "exc", "sad", "xxx")
    ]  # fmt: skip
    named = lay_out(root, turns, lambda path, _: write(path))
    return {
        wav_path(root, name).relative_to(root).as_posix(): (labels[turn.code], name[4] + turn.sex)
        for name, turn in named.items()
        if turn.code in labels and turn.dialog[7:].startswith(kinds)
    }


RAVDESS_LABELS = {"01": "neutral", "02": "calm", "03": "happiness", "04": "sadness", "05": "anger", "06": "fear",
                  "07": "disgust", "08": "surprise"}  # fmt: skip
SPEECH = ["Actor_01/03-01-01-01-01-01-01", "Actor_01/03-01-05-02-02-01-01", "Actor_12/03-01-08-01-01-02-12"]
SONG = ["Actor_01/03-02-01-01-01-01-01", "Actor_12/03-02-02-02-02-01-12"]


def ravdess(root: Path, write: Write) -> dict[str, tuple[str, str | None]]:
    """Both archives unpacked side by side; the speech counts."""
    _ravdess(root, write, "Audio_Song_Actors_01-24", SONG)
    return _ravdess(root, write, "Audio_Speech_Actors_01-24", SPEECH)


def ravdess_song(root: Path, write: Write) -> dict[str, tuple[str, str | None]]:
    """The archive of song alone, unpacked in the root."""
    return _ravdess(root, write, "", SONG)


def ravdess_all(root: Path, write: Write) -> dict[str, tuple[str, str | None]]:
    """Both archives unpacked into the same folders."""
    return _ravdess(root, write, "", [*SPEECH, *SONG])


def _ravdess(root: Path, write: Write, folder: str, names: list[str]) -> dict[str, tuple[str, str | None]]:
    expected: dict[str, tuple[str, str | None]] = {}
    for name in names:
        path = f"{folder}/{name}.wav".lstrip("/")
        write(root / path)
        expected[path] = (RAVDESS_LABELS[name.split("-")[2]], name[-2:])
    return expected


def crema_d(root: Path, write: Write) -> dict[str, tuple[str, str | None]]:
    """The repository: AudioWAV, what the raters heard, and its two tables."""
    names = {"1001_DFA_ANG_XX": "anger", "1001_IEO_HAP_HI": "happiness", "1002_IEO_NEU_XX": "neutral",
             "1040_ITH_SAD_X": "sadness"}  # fmt: skip
    for name in names:
        write(root / "AudioWAV" / f"{name}.wav")
    (root / "AudioMP3").mkdir()
    (root / "AudioMP3" / "1001_DFA_ANG_XX.mp3").write_bytes(b"not read")
    actors = ['1001,51,"Male","Caucasian","Not Hispanic"', '1002,21,"Female","Caucasian","Not Hispanic"',
              '1040,42,"Female","Caucasian","Not Hispanic"']  # fmt: skip
    header = '"ActorID","Age","Sex","Race","Ethnicity"'
    (root / "VideoDemographics.csv").write_text("\n".join([header, *actors]) + "\n")
    listed = [f'{number},"{name}"' for number, name in enumerate(names, start=1)]
    (root / "SentenceFilenames.csv").write_text("\n".join(['"Stimulus_Number","Filename"', *listed]) + "\n")
    return {f"AudioWAV/{name}.wav": (label, name[:4]) for name, label in names.items()}


def speech_commands(root: Path, write: Write) -> dict[str, tuple[str, str | None]]:
    """v0.02: a folder a word, the lists, the background noise."""
    speakers = {"train": "0a7c2a8d", "dev": "a69b9b3e", "test": "bb05582b"}
    expected: dict[str, tuple[str, str | None]] = {}
    for word in ("yes", "backward"):
        for speaker in speakers.values():
            path = f"{word}/{speaker}_nohash_0.wav"
            write(root / path)
            expected[path] = (word, speaker)
    write(root / "_background_noise_" / "pink_noise.wav")
    for name, split in (("validation_list.txt", "dev"), ("testing_list.txt", "test")):
        listed = [path for path in expected if speakers[split] in path]
        (root / name).write_text("\n".join(listed) + "\n")
    return expected


URBAN_ROWS = [
    "100032-3-0-0.wav,100032,0.0,0.317551,1,5,3,dog_bark",
    "100263-2-0-117.wav,100263,58.5,62.5,1,5,2,children_playing",
    "100648-1-0-0.wav,100648,4.823402,5.471927,2,10,1,car_horn",
]


def urbansound8k(root: Path, write: Write) -> dict[str, tuple[str, str | None]]:
    """metadata/ and audio/fold*/, with rows of the real table."""
    expected: dict[str, tuple[str, str | None]] = {}
    for row in URBAN_ROWS:
        name, recording, *_, fold, _, label = row.split(",")
        path = f"audio/fold{fold}/{name}"
        write(root / path)
        expected[path] = (label, recording)
    header = "slice_file_name,fsID,start,end,salience,fold,classID,class"
    (root / "metadata").mkdir()
    (root / "metadata" / "UrbanSound8K.csv").write_text("\n".join([header, *URBAN_ROWS]) + "\n")
    return expected


CORPORA: dict[str, Build] = {
    "crema_d": crema_d,
    "csv": table,
    "emodb": emodb,
    "esc10": esc10,
    "esc50": esc50,
    "folder_per_label": label_folders,
    "fsdd": fsdd,
    "iemocap": iemocap,
    "iemocap_all": iemocap_all,
    "iemocap_excited": iemocap_excited,
    "ravdess": ravdess,
    "ravdess_all": ravdess_all,
    "ravdess_song": ravdess_song,
    "speech_commands": speech_commands,
    "urbansound8k": urbansound8k,
}
