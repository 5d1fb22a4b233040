"""What pretrained encoders were trained on, and whether recordings of a corpus can be among it.

As their papers and model cards say. `excluded` says that the named training data do not contain the
corpus; `unknown` that they come from the web or are not all published; `certain` that they contain it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

Overlap = Literal["excluded", "unknown", "certain"]


@dataclass(frozen=True)
class Encoder:
    """Training data of an encoder, and their overlap with EMO-DB and with IEMOCAP."""

    trained_on: str
    emodb: Overlap
    iemocap: Overlap


_LIBRISPEECH = Encoder("LibriSpeech, 960 h of audio books", "excluded", "excluded")
_LIBRI_LIGHT = Encoder("Libri-Light, 60,000 h of audio books", "excluded", "excluded")
_WAVLM = Encoder("Libri-Light, GigaSpeech (podcasts, YouTube) and VoxPopuli, 94,000 h", "unknown", "unknown")
_XLS_R = Encoder("436,000 h of VoxPopuli, MLS, Common Voice, VoxLingua107 (YouTube) and BABEL", "unknown", "unknown")

ENCODERS: dict[str, Encoder] = {
    "wav2vec": _LIBRISPEECH,  # Schneider et al. 2019: wav2vec_large.pt
    # Resemblyzer's pretrained.pt, of which its makers say VoxCeleb2 (issue 32) or more (issues 3, 8, 76).
    "ge2e": Encoder("VoxCeleb (interviews on YouTube), perhaps with LibriSpeech", "unknown", "unknown"),
    "facebook/wav2vec2-base": _LIBRISPEECH,
    "facebook/wav2vec2-base-960h": _LIBRISPEECH,
    "facebook/wav2vec2-large": _LIBRISPEECH,
    "facebook/wav2vec2-large-960h": _LIBRISPEECH,
    "facebook/wav2vec2-large-lv60": _LIBRI_LIGHT,
    "facebook/wav2vec2-large-960h-lv60*": Encoder("Libri-Light and LibriSpeech", "excluded", "excluded"),
    "facebook/wav2vec2-large-robust": Encoder(
        "Libri-Light, Common Voice, Switchboard and Fisher", "excluded", "excluded"
    ),
    "audeering/wav2vec2-large-robust-*-ft-emotion-msp-dim": Encoder(
        "Libri-Light, Common Voice, Switchboard and Fisher, then MSP-Podcast with its labels", "excluded", "excluded"
    ),
    "facebook/wav2vec2-large-xlsr-53": Encoder("MLS, Common Voice and BABEL, 56,000 h", "excluded", "excluded"),
    "facebook/wav2vec2-xls-r-*": _XLS_R,
    "facebook/hubert-base-ls960": _LIBRISPEECH,
    "facebook/hubert-large-ll60k": _LIBRI_LIGHT,
    "facebook/hubert-xlarge-ll60k": _LIBRI_LIGHT,
    "microsoft/wavlm-base": _LIBRISPEECH,
    "microsoft/wavlm-base-plus": _WAVLM,
    "microsoft/wavlm-large": _WAVLM,
    "facebook/data2vec-audio-base": _LIBRISPEECH,
    "openai/whisper-*": Encoder("audio of the web with its texts, 680,000 h or more", "unknown", "unknown"),
    "emotion2vec/*": Encoder("emotional speech that includes IEMOCAP", "unknown", "certain"),
    "superb/*-superb-er": Encoder("IEMOCAP with emotion labels, after its base model's data", "unknown", "certain"),
    "speechbrain/emotion-recognition-*-IEMOCAP": Encoder(
        "IEMOCAP with emotion labels, after its base model's data", "unknown", "certain"
    ),
}  # fmt: skip


def encoder_note(settings: Mapping[str, Any]) -> str:
    """One sentence for a report on the encoder behind these feature settings.

    >>> encoder_note({"extractor": "pretrained", "model": "somebody/something"})
    'somebody/something: training data not known to audionas; overlap unknown.'
    """
    kind = str(settings["extractor"])
    if kind == "fop":
        return f"fop: pre-trained here on {settings.get('trained_on') or 'unknown audio'}."
    if kind not in ("pretrained", "wav2vec", "ge2e"):
        return f"{kind}: computed from the waveform alone, by no trained encoder."
    model = str(settings.get("model", kind))
    found, by_name = _find(model)
    condition = " (if it is the published file)" if kind != "pretrained" else ""
    condition = " (if it is what its folder's name says)" if by_name else condition
    if found is None:
        return f"{model}: training data not known to audionas; overlap unknown."
    return (
        f"{model}{condition}: trained on {found.trained_on}; overlap with EMO-DB {found.emodb}, with IEMOCAP "
        f"{found.iemocap}."
    )


def _find(model: str) -> tuple[Encoder | None, bool]:
    """The entry of a hub name, or of the last part of a folder's path; the most exact pattern wins."""
    for pattern in sorted(ENCODERS, key=lambda name: "*" in name):
        if fnmatchcase(model, pattern):
            return ENCODERS[pattern], False
    folder = Path(model).name
    for pattern in sorted(ENCODERS, key=lambda name: "*" in name):
        last = pattern.partition("/")[2]
        if last not in ("", "*") and fnmatchcase(folder, last):
            return ENCODERS[pattern], True
    return None, False


__all__ = ["ENCODERS", "Encoder", "encoder_note"]
