"""Names, YAML files and settings of extractors."""

from __future__ import annotations

from pathlib import Path

import pytest

from audionas.errors import SettingsError
from audionas.features import PRESETS, extractor_from_settings, load_features
from audionas.features.pretrained import Pretrained
from audionas.features.wav2vec import Wav2vec


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_preset_loads_and_its_settings_give_it_back(name: str) -> None:
    extractor = load_features(name)
    assert extractor_from_settings(extractor.settings(), "again") == extractor


def test_a_yaml_file_is_an_extractor_and_its_settings(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("extractor: log_mel\nn_mels: 40\ndeltas: 2\nlength_s: 3\n")
    assert load_features(path).settings() | {"n_mels": 40, "deltas": 2} == load_features(path).settings()


@pytest.mark.parametrize(("text", "words"), [
    ("n_mels: 40\n", "key 'extractor' is missing; known: fop, functionals, ge2e, log_mel, mfcc, pretrained, spectr"),
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


def test_short_forms_are_settings_with_a_place(tmp_path: Path) -> None:
    hub = "facebook/wav2vec2-base"
    assert load_features(f"pretrained:{hub}") == Pretrained(model=hub)
    assert load_features(f"pretrained:{hub}@all") == Pretrained(model=hub, layer="all")
    assert load_features("pretrained:./a folder@9") == Pretrained(model="./a folder", layer=9)
    (tmp_path / "x@2").mkdir()
    assert load_features(f"pretrained:{tmp_path}/x@2") == Pretrained(model=f"{tmp_path}/x@2")
    assert load_features("wav2vec:large.pt") == Wav2vec(checkpoint="large.pt")
    paper = Wav2vec(checkpoint="large.pt", pad_to=2911, pool=4, crop="end", mask_padding=False)
    assert load_features("emotionnas_wav2vec:large.pt") == paper
    assert load_features("ge2e:a.safetensors").settings()["checkpoint"] == "a.safetensors"


@pytest.mark.parametrize(("name", "words"), [
    ("pretrained:", "features pretrained: says no model; give pretrained:MODEL"),
    ("wav2vec:", "features wav2vec: says no checkpoint; give wav2vec:CHECKPOINT"),
    ("pretrained:a/b@lst", "layer: got 'lst', must be the number of a hidden state, from 0 on, 'last', 'mean' or"),
    ("wav2vex:a.pt", r"unknown features 'wav2vex:a.pt'.*; or give pretrained:MODEL\[@LAYER\], wav2vec:FILE, emotion"),
])  # fmt: skip
def test_short_forms_with_a_mistake_are_one_line(name: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words) as error:
        load_features(name)
    assert "\n" not in str(error.value)


def test_a_pretrained_yaml_needs_a_model(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("extractor: pretrained\nlayer: -1\n")
    with pytest.raises(SettingsError, match=r"key 'model' is missing; layer: got -1, must be the number of a hidden"):
        load_features(tmp_path / "a.yaml")


def test_an_encoders_place_is_absolute_once_it_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "models" / "mine").mkdir(parents=True)
    (tmp_path / "models" / "frames.yaml").write_text("extractor: pretrained\nmodel: mine\n")
    found = str((tmp_path / "models" / "mine").resolve())
    assert load_features(tmp_path / "models" / "frames.yaml").settings()["model"] == found  # beside the YAML
    monkeypatch.chdir(tmp_path / "models")
    assert load_features("pretrained:mine").settings()["model"] == found  # in the working folder
    assert load_features("pretrained:facebook/hubert-base-ls960").settings()["model"] == "facebook/hubert-base-ls960"
