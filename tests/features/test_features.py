"""Names, YAML files and settings of extractors."""

from __future__ import annotations

from pathlib import Path

import pytest

from audionas.errors import SettingsError
from audionas.features import PRESETS, extractor_from_settings, load_features


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_preset_loads_and_its_settings_give_it_back(name: str) -> None:
    extractor = load_features(name)
    assert extractor_from_settings(extractor.settings(), "again") == extractor


def test_a_yaml_file_is_an_extractor_and_its_settings(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("extractor: log_mel\nn_mels: 40\ndeltas: 2\nlength_s: 3\n")
    assert load_features(path).settings() | {"n_mels": 40, "deltas": 2} == load_features(path).settings()


@pytest.mark.parametrize(("text", "words"), [
    ("n_mels: 40\n", "key 'extractor' is missing; known: log_mel, mfcc, spectrogram"),
    ("extractor: log_mell\n", r"unknown extractor 'log_mell' \(did you mean 'log_mel'\?\)"),
    ("extractor: log_mel\nn_mel: 40\n", r"unknown key 'n_mel' \(did you mean 'n_mels'\?\)"),
    (
        "extractor: log_mel\nn_mels: 0\ncrop: start\n",
        "crop: got 'start', must be 'end' or 'random'; n_mels: got 0, must be at least 1",
    ),
    ("extractor: mfcc\nn_mfcc: 100\n", "n_mfcc 100 must not exceed n_mels 64"),
    ("- a\n", "expected a YAML mapping"),
])  # fmt: skip
def test_mistakes_in_a_yaml_file_are_one_line_that_names_it(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=words) as error:
        load_features(path)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


def test_unknown_names_and_missing_files_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"unknown features 'log_mel_smal' \(did you mean 'log_mel_small'\?\)"):
        load_features("log_mel_smal")
    with pytest.raises(SettingsError, match="no such features file"):
        load_features(tmp_path / "no.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="cannot be read as UTF-8"):
        load_features(tmp_path / "bytes.yaml")
