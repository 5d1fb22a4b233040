"""The file of a pre-training's weights."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from audionas.errors import SettingsError
from audionas.features.fop_network import FopSizes, NextFrame
from audionas.features.fop_weights import FopFacts, load_fop_weights, read_fop_facts, save_fop_weights

SIZES = FopSizes(width=8, n_heads=2, inner=7, n_layers=1)
FACTS = FopFacts(sizes=SIZES, features={"n_mels": 5}, trained_on="a: 3 clips", groups_read=({"group": "x"},))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    path = tmp_path / "weights.safetensors"
    digest = save_fop_weights(path, NextFrame(SIZES.encoder(5)), torch.arange(5.0), torch.full((1, 5, 1), 2.0), FACTS)
    assert digest == hashlib.sha256(path.read_bytes()).hexdigest()
    return path


def test_a_file_gives_back_network_statistics_and_facts(file: Path) -> None:
    found = load_fop_weights(file)
    assert found.facts == read_fop_facts(file) == FACTS
    assert found.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert found.mean.tolist() == [0, 1, 2, 3, 4]
    assert found.std.tolist() == [2] * 5
    assert not found.network.training
    state = load_file(file)
    assert set(state) == {*found.network.state_dict(), "normaliser.mean", "normaliser.std"}
    assert all(torch.equal(value, state[name]) for name, value in found.network.state_dict().items())


def test_other_files_are_one_line(file: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no such weights; give the weights\.safetensors that audionas pretrain"):
        load_fop_weights(tmp_path / "no")
    other = tmp_path / "other.safetensors"
    save_file({"a": torch.zeros(2)}, other)
    with pytest.raises(SettingsError, match="not the weights of a pre-training"):
        load_fop_weights(other)
    other.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(SettingsError, match="not the weights of a pre-training"):
        load_fop_weights(other)
    state = load_file(file)
    save_file(state, other, {"audionas": FACTS.model_copy(update={"sizes": FopSizes(width=4)}).model_dump_json()})
    with pytest.raises(SettingsError, match=r"not the weights of a pre-training .*Missing key"):
        load_fop_weights(other)
    save_file(state, other, {"audionas": '{"sizes": {"width": 9}}'})
    with pytest.raises(SettingsError, match="width 9 must be a multiple of n_heads 4; key 'features' is missing"):
        read_fop_facts(other)
