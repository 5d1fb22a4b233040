"""Features: one module an extractor, from a waveform to (channels, features, frames)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from audionas.errors import SettingsError, unknown
from audionas.features.extractor import FeatureExtractor, StftExtractor
from audionas.features.log_mel import LogMel
from audionas.features.mfcc import Mfcc
from audionas.features.spectrogram import Spectrogram
from audionas.records import parse_yaml, validate

EXTRACTORS: dict[str, type[StftExtractor]] = {
    "log_mel": LogMel,
    "mfcc": Mfcc,
    "spectrogram": Spectrogram,
}

PRESETS: dict[str, dict[str, Any]] = {
    "log_mel": {"extractor": "log_mel"},
    "mfcc": {"extractor": "mfcc"},
    "spectrogram": {"extractor": "spectrogram"},
    # The small search space's: a whole utterance in 32 x 64. The floor of -80 dB lies below the noise of most
    # recordings (EMO-DB: 1 % of values are lower), and padding is then no far outlier.
    "log_mel_small": {"extractor": "log_mel", "n_mels": 32, "frames": 64, "floor": 1e-8},
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
}


def load_features(name_or_path: str | Path) -> StftExtractor:
    """The extractor of a preset's name, or of a YAML file (`extractor: log_mel` and its settings).

    Raises:
        SettingsError: there is no such preset or file, or a setting is not one of those accepted.
    """
    text = str(name_or_path)
    if text in PRESETS:
        return extractor_from_settings(PRESETS[text], f"features {text}")
    path = Path(text)
    if path.suffix not in (".yaml", ".yml") and "/" not in text:
        raise SettingsError(f"{unknown('features', text, PRESETS)}; or give a path that ends in .yaml")
    if not path.is_file():
        raise SettingsError(f"{text}: no such features file")
    try:
        yaml_text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as why:
        raise SettingsError(f"{text}: cannot be read as UTF-8 text ({why})") from why
    return extractor_from_settings(parse_yaml(yaml_text, text), text)


def extractor_from_settings(settings: dict[str, Any], where: str) -> StftExtractor:
    """The extractor that `StftExtractor.settings` describes.

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
    "EXTRACTORS", "PRESETS", "FeatureExtractor", "StftExtractor", "extractor_from_settings", "load_features",
]  # fmt: skip
