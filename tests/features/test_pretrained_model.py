"""Folders that are no encoder, or not a safe one, are refused in one line."""

from __future__ import annotations

import json
import pickle
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from audionas.errors import SettingsError
from audionas.features.pretrained import Pretrained
from audionas.features.pretrained_model import loaded_model, model_facts


class Payload:
    """Creates a file when it is unpickled by an unsafe reader."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.target,)


def test_a_missing_transformers_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(SettingsError, match=r"is not installed; run: pip install 'audionas\[pretrained\]'"):
        model_facts("facebook/wav2vec2-base")


def test_pickled_weights_with_code_are_refused_and_nothing_runs(on_disk: ModuleType, tmp_path: Path) -> None:
    folder = on_disk.transformer(tmp_path / "m")
    (folder / "model.safetensors").unlink()
    with (folder / "pytorch_model.bin").open("wb") as stream:
        pickle.dump({"weight": Payload(tmp_path / "ran")}, stream)
    with pytest.raises(SettingsError, match="cannot be loaded as a transformers model") as error:
        loaded_model(str(folder))
    assert "\n" not in str(error.value)
    assert not (tmp_path / "ran").exists()


def test_pickled_tensors_are_read(on_disk: ModuleType, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    folder = on_disk.transformer(tmp_path / "m")
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save(weights, folder / "pytorch_model.bin")
    read = loaded_model(str(folder)).encoder.state_dict()
    name = "feature_projection.projection.weight"
    assert torch.equal(read[name], weights[name])


def test_weights_that_lack_a_tensor_are_refused_instead_of_drawn_at_random(on_disk: ModuleType, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = on_disk.transformer(tmp_path / "m")
    weights = load_file(folder / "model.safetensors")
    del weights["encoder.layers.1.attention.k_proj.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(SettingsError, match=r"lack 1 tensors of the encoder \(encoder.layers.1.attention.k_proj"):
        loaded_model(str(folder))


def test_another_kind_of_model_is_refused(on_disk: ModuleType, tmp_path: Path) -> None:
    folder = on_disk.transformer(tmp_path / "m")
    (folder / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(SettingsError, match="model_type 'bert' is no speech encoder known to audionas; accepted: whis"):
        model_facts(str(folder))


def test_code_beside_a_model_is_not_run(on_disk: ModuleType, tmp_path: Path) -> None:
    folder = on_disk.transformer(tmp_path / "m")
    config = {"model_type": "mine", "auto_map": {"AutoConfig": "code.Mine"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "code.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Mine: pass\n")
    with pytest.raises(SettingsError, match="cannot be loaded as a transformers model"):
        model_facts(str(folder))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(("name", "words"), [
    ("config.json", "cannot be loaded as a transformers model"),
    ("preprocessor_config.json", "cannot be loaded as a transformers model"),
    ("model.safetensors", "cannot be loaded as a transformers model"),
])  # fmt: skip
def test_a_damaged_file_is_one_line(on_disk: ModuleType, tmp_path: Path, name: str, words: str) -> None:
    folder = on_disk.transformer(tmp_path / "m")
    (folder / name).write_bytes(b"junk")
    with pytest.raises(SettingsError, match=words) as error:
        loaded_model(str(folder))
    assert "\n" not in str(error.value)


def test_a_missing_file_is_one_line(on_disk: ModuleType, tmp_path: Path) -> None:
    folder = on_disk.transformer(tmp_path / "m")
    (folder / "preprocessor_config.json").unlink()
    with pytest.raises(SettingsError, match=r"preprocessor_config.json: cannot read this file of the encoder"):
        model_facts(str(folder))


def test_an_encoder_whose_frames_cannot_be_foretold_is_refused(on_disk: ModuleType, tmp_path: Path) -> None:
    folder = on_disk.transformer(tmp_path / "m", add_adapter=True)  # halves the number of frames, three times
    with pytest.raises(SettingsError, match=r"gives .* \(1, 16, 14\), expected \(1, 16, 112\); this encoder cannot be"):
        Pretrained(model=str(folder)).resolve(16_000, [1.0])(np.zeros(9000, np.float32))
