"""Models that are not there are one line that says what to do, within seconds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from audionas.errors import SettingsError
from audionas.features.model_folder import _wanted, model_folder, weight_files


@pytest.mark.parametrize("name", ["./no/such", "no/such/folder", "/no/such", "~/no-such", "..", "a b"])
def test_a_missing_folder_is_one_line(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    if name == "..":
        assert model_folder(name) == Path("..")
        return
    with pytest.raises(SettingsError, match=r"no such folder; give a folder with config.json, .* or a hub name"):
        model_folder(name)


SCRIPT = """
from audionas.errors import SettingsError
from audionas.features.model_folder import model_folder
try:
    model_folder("nobody/no-model")
except SettingsError as why:
    print(why)
"""


@pytest.mark.slow
@pytest.mark.parametrize("settings", [{"HF_ENDPOINT": "http://127.0.0.1:9"}, {"HF_HUB_OFFLINE": "1"}])
def test_a_hub_that_cannot_be_reached_is_one_line_within_seconds(tmp_path: Path, settings: dict[str, str]) -> None:
    environment = {**os.environ, **settings, "HF_HOME": str(tmp_path)}
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert time.monotonic() - started < 30
    assert "run `hf download nobody/no-model --local-dir FOLDER`, copy FOLDER here" in done.stdout
    assert done.stdout.count("\n") == 1


def test_a_missing_model_of_the_hub_says_what_to_download(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    def refused(*_: object, **__: object) -> None:
        raise OSError("404 Client Error.\n  Repository Not Found")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", refused)
    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", refused)
    with pytest.raises(SettingsError, match=r"gave no files \(404 Client Error. Repository Not Found\); where") as why:
        model_folder("nobody/no-model")
    assert "\n" not in str(why.value)


def test_a_model_in_the_hub_s_cache_is_found_without_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    asked = []

    def snapshot(name: str, **options: object) -> str:
        asked.append((name, options))
        return str(tmp_path)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    (tmp_path / "config.json").touch()
    (tmp_path / "model.safetensors").touch()
    assert model_folder("facebook/wav2vec2-base") == tmp_path
    assert asked == [("facebook/wav2vec2-base", {"local_files_only": True})]


def test_of_the_hub_s_files_safetensors_are_wanted_first() -> None:
    files = ["README.md", "config.json", "pytorch_model.bin", "model.safetensors", "tf_model.h5"]
    settings = ["config.json", "preprocessor_config.json"]
    assert _wanted(files) == [*settings, "model.safetensors"]
    assert _wanted(files[:3]) == [*settings, "pytorch_model.bin"]


def test_weights_in_parts_are_all_found(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"holds no weights; expected one of model.safetensors"):
        weight_files(tmp_path)
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "model-1.safetensors", "b": "../model-2.safetensors"}}))
    assert weight_files(tmp_path) == [index, tmp_path / "model-1.safetensors", tmp_path / "model-2.safetensors"]
    index.write_text("{}")
    with pytest.raises(SettingsError, match="not an index of weights"):
        weight_files(tmp_path)
