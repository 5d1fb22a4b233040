"""Features: one module an extractor, from a waveform to (channels, features, frames)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from audionas.errors import SettingsError, unknown
from audionas.features.encoders import ENCODERS, encoder_note
from audionas.features.extractor import Extractor
from audionas.features.fop import Fop
from audionas.features.frame_extractor import FrameExtractor
from audionas.features.functionals import Functionals
from audionas.features.ge2e import Ge2e
from audionas.features.log_mel import LogMel
from audionas.features.mfcc import Mfcc
from audionas.features.pretrained import Pretrained
from audionas.features.spectrogram import Spectrogram
from audionas.features.stft_extractor import StftExtractor
from audionas.features.wav2vec import Wav2vec
from audionas.records import parse_yaml, validate

EXTRACTORS: dict[str, type[Extractor]] = {
    "fop": Fop,
    "functionals": Functionals,
    "ge2e": Ge2e,
    "log_mel": LogMel,
    "mfcc": Mfcc,
    "pretrained": Pretrained,
    "spectrogram": Spectrogram,
    "wav2vec": Wav2vec,
}

PRESETS: dict[str, dict[str, Any]] = {
    "log_mel": {"extractor": "log_mel"},
    "mfcc": {"extractor": "mfcc"},
    "spectrogram": {"extractor": "spectrogram"},
    # The small search space's: a whole utterance in 32 x 64. The floor of -80 dB lies below the noise of most
    # recordings (EMO-DB: 1 % of values are lower), and padding is then no far outlier.
    "log_mel_small": {"extractor": "log_mel", "n_mels": 32, "frames": 64, "floor": 1e-8},
    # Frames for recurrent networks that need no download: 40 ms each; the floor as above.
    "log_mel_frames": {"extractor": "log_mel", "n_mels": 40, "pool": 4, "floor": 1e-8, "mask_padding": True},
    # Lian et al. 2019: 80 mel bands; window and hop as usual, the paper says nothing of them. At a fixed rate, so that
    # corpora of several rates can be pre-trained on together.
    "fop": {
        "extractor": "log_mel",
        "sample_rate_hz": 16_000,
        "n_mels": 80,
        "window_ms": 25.0,
        "hop_ms": 10.0,
        "floor": 1e-8,
        "mask_padding": True,
    },
    # Sun et al. 2022: "140 x 140" from 8 s, as it can be had exactly: n_fft 278 gives 140 bins, and a hop of
    # 229 samples gives 559 frames, averaged by 4 (the last window holds 3). 17.375 ms = 278 samples, and
    # 14.3125 ms = 229 samples.
    "emotionnas": {
        "extractor": "spectrogram",
        "sample_rate_hz": 16_000,
        "length_s": 8.0,
        "window_ms": 17.375,
        "hop_ms": 14.3125,
        "n_fft": 278,
        "pool": 4,
        "crop": "end",
    },
    # The same paper to the letter: 25 ms window with 14 ms overlap, of 201 bins the first 140, 726 frames
    # averaged adaptively to 140.
    "emotionnas-literal": {
        "extractor": "spectrogram",
        "sample_rate_hz": 16_000,
        "length_s": 8.0,
        "window_ms": 25.0,
        "hop_ms": 11.0,
        "n_fft": 400,
        "centred": False,
        "bins": 140,
        "frames": 140,
        "frames_by": "adaptive",
        "crop": "end",
    },
    # Satt et al. 2017: 40 ms Hamming every 10 ms, 20 Hz a bin up to 4 kHz, 3 s filled up with zeros that count.
    "spectrogram_3s": {
        "extractor": "spectrogram",
        "sample_rate_hz": 16_000,
        "length_s": 3.0,
        "window_ms": 40.0,
        "n_fft": 800,
        "bins": 200,
        "frames": 300,
        "test_windows": "multi",
    },
    # Ma et al. 2018: the same of whole clips, padding masked.
    "spectrogram_any_length": {
        "extractor": "spectrogram",
        "sample_rate_hz": 16_000,
        "window_ms": 40.0,
        "n_fft": 800,
        "bins": 200,
        "test_windows": "multi",
        "mask_padding": True,
    },
    # 32 values each 10 ms, as many as Lee & Tashev 2015 have, and Han et al. 2018: cepstra and their slopes.
    "cepstra_10ms": {
        "extractor": "mfcc",
        "n_mfcc": 16,
        "n_mels": 40,
        "floor": 1e-8,
        "deltas": 1,
        "test_windows": "multi",
        "mask_padding": True,
    },
    # Zhao et al. 2021: log-mel with deltas and delta-deltas, as three channels.
    "log_mel_deltas": {
        "extractor": "log_mel",
        "n_mels": 40,
        "floor": 1e-8,
        "deltas": 2,
        "test_windows": "multi",
        "mask_padding": True,
    },
    # Li, Zhao, Kawahara 2019, section 4.1: 7.5 s, Hann windows of 800 samples every 400, mel with deltas and
    # delta-deltas, 384 in all, so 128 bands; 301 frames. A logarithm is not mentioned; the floor as above.
    "cnn_blstm": {
        "extractor": "log_mel",
        "sample_rate_hz": 16_000,
        "length_s": 7.5,
        "window_ms": 50.0,
        "hop_ms": 25.0,
        "n_fft": 800,
        "n_mels": 128,
        "deltas": 2,
        "floor": 1e-8,
        "crop": "end",
    },
    # Li et al. 2018: 40 ms windows every 10 ms, a transform of 1600 samples (10 Hz), the 400 bins below 4 kHz; 2 s
    # are 200 frames. Segments overlap by 1 s in training and by 1.6 s in test.
    "attention_pooling_cnn": {
        "extractor": "spectrogram",
        "sample_rate_hz": 16_000,
        "length_s": 2.0,
        "window_ms": 40.0,
        "hop_ms": 10.0,
        "n_fft": 1600,
        "frames": 200,
        "bins": 400,
        "log": False,
        "mu_law": 255.0,
        "normalise": "none",
        "train_windows": "all",
        "train_shift_s": 1.0,
        "test_windows": "multi",
        "test_shift_s": 0.4,
    },
}

# NAME:WHERE, for encoders whose files a user has: the settings, and the setting that WHERE fills.
SHORT_FORMS: dict[str, tuple[dict[str, Any], str]] = {
    "fop": ({"extractor": "fop"}, "checkpoint"),
    "ge2e": ({"extractor": "ge2e"}, "checkpoint"),
    "pretrained": ({"extractor": "pretrained"}, "model"),
    "wav2vec": ({"extractor": "wav2vec"}, "checkpoint"),
    # Sun et al. 2022, sec. 3.2: frames padded with zeros to IEMOCAP's longest, 2,911, and averaged by 4:
    # 727 x 512, padding counted like anything else.
    "emotionnas_wav2vec": (
        {"extractor": "wav2vec", "output": "c", "pad_to": 2911, "pool": 4, "crop": "end", "mask_padding": False},
        "checkpoint",
    ),
}


# NAME:WHERE@WHICH, where an encoder has several outputs: the setting that WHICH fills.
_OUTPUTS = {"fop": "level", "pretrained": "layer"}

TRAINED = frozenset(kind for kind, extractor in EXTRACTORS.items() if issubclass(extractor, FrameExtractor))


def load_features(name_or_path: str | Path) -> Extractor:
    """The extractor of a preset's name, a short form, or a YAML file (`extractor: log_mel` and its settings).

    Short forms: `pretrained:MODEL` and `pretrained:MODEL@LAYER` (hub name or folder; LAYER as in
    `Pretrained`), `wav2vec:FILE`, `emotionnas_wav2vec:FILE` (the paper's padding), `ge2e:FILE`, `fop:PLACE` and
    `fop:PLACE@LEVEL` (what `audionas pretrain` left; LEVEL as in `Fop`).

    Raises:
        SettingsError: there is no such preset or file, or a setting is not one of those accepted.
    """
    text = str(name_or_path)
    if text in PRESETS:
        return extractor_from_settings(PRESETS[text], f"features {text}")
    name, colon, place = text.partition(":")
    if colon and name in SHORT_FORMS:
        return extractor_from_settings(_placed(_short_form(name, place), Path()), f"features {text}")
    path = Path(text)
    if path.suffix not in (".yaml", ".yml") and "/" not in text:
        forms = "pretrained:MODEL[@LAYER], wav2vec:FILE, emotionnas_wav2vec:FILE, ge2e:FILE, fop:PLACE[@LEVEL]"
        raise SettingsError(f"{unknown('features', text, PRESETS)}; or give {forms}, or a path that ends in .yaml")
    if not path.is_file():
        raise SettingsError(f"{text}: no such features file")
    try:
        yaml_text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as why:
        raise SettingsError(f"{text}: cannot be read as UTF-8 text ({why})") from why
    return extractor_from_settings(_placed(parse_yaml(yaml_text, text), path.parent), text)


def _placed(settings: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Settings in which an encoder's place is absolute where it exists, from `folder` or from the working folder.

    A run that is resumed from elsewhere finds it again; a hub name stays as it is.
    """
    for key in ("model", "checkpoint"):
        place = settings.get(key)
        if isinstance(place, str):
            found = next((p for p in (folder / place, Path(place).expanduser()) if p.exists()), None)
            settings = settings | ({key: str(found.resolve())} if found else {})
    return settings


def _short_form(name: str, place: str) -> dict[str, Any]:
    """The settings of NAME:PLACE; a folder's or file's own name may hold an @ too."""
    settings, key = SHORT_FORMS[name]
    if not place:
        raise SettingsError(f"features {name}: says no {key}; give {name}:{key.upper()}")
    if name not in _OUTPUTS or "@" not in place or Path(place).expanduser().exists():
        return settings | {key: place}
    model, _, output = place.rpartition("@")
    return settings | {key: model, _OUTPUTS[name]: int(output) if output.isdecimal() else output}


def extractor_from_settings(settings: dict[str, Any], where: str) -> Extractor:
    """The extractor that `Extractor.settings` describes.

    Raises:
        SettingsError: `extractor` is missing or unknown, or a setting is not one of those accepted.
    """
    if "extractor" not in settings:
        raise SettingsError(f"{where}: key 'extractor' is missing; known: {', '.join(sorted(EXTRACTORS))}")
    kind = str(settings["extractor"])
    if kind not in EXTRACTORS:
        raise SettingsError(f"{where}: {unknown('extractor', kind, EXTRACTORS)}")
    return validate(EXTRACTORS[kind], {k: v for k, v in settings.items() if k != "extractor"}, where)


__all__ = [
    "ENCODERS", "EXTRACTORS", "PRESETS", "SHORT_FORMS", "TRAINED", "Extractor", "StftExtractor", "encoder_note",
    "extractor_from_settings", "load_features",
]  # fmt: skip
