"""A network begins with its genotype's weights, and with no others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from audionas.errors import GenotypeError
from audionas.experiment.pretrained_start import begin_pretrained, pretrained_place
from audionas.features.fop_network import FopSizes, NextFrame
from audionas.features.fop_weights import FopFacts, load_fop_weights, save_fop_weights
from audionas.models import build_model
from audionas.spaces import BaselineGenotype
from audionas.training.batches import Normaliser

SMALL = {"width": 8, "n_heads": 2, "inner": 7, "n_layers": 2}
SIZES = FopSizes(**SMALL)
OWN = Normaliser(np.linspace(-1, 1, 5, dtype=np.float32).reshape(1, 5, 1), np.full((1, 5, 1), 3.0, np.float32))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    torch.manual_seed(1)
    path = tmp_path / "pretrained.safetensors"
    facts = FopFacts(sizes=SIZES, features={}, trained_on="noise")
    save_fop_weights(path, NextFrame(SIZES.encoder(5)), torch.full((5,), 7.0), torch.full((5,), 2.0), facts)
    return path


def _genotype(sha256: str, **sizes: int) -> BaselineGenotype:
    return BaselineGenotype.of("fop", {**SMALL, **sizes, "pretrained": sha256})


@pytest.mark.parametrize("is_global", [False, True])
def test_the_encoder_sees_frames_as_the_pretraining_did(file: Path, is_global: bool) -> None:
    kept = load_fop_weights(file)
    own = Normaliser(np.full((1, 1, 1), 2.0, np.float32), np.full((1, 1, 1), 4.0, np.float32)) if is_global else OWN
    genotype = _genotype(kept.sha256)
    network = build_model(genotype, input_shape=(1, 5, 6), n_classes=3).eval()
    begin_pretrained(network, genotype, file, own)
    raw = np.random.default_rng(0).normal(5, 3, (1, 5, 6)).astype(np.float32)
    with torch.no_grad():
        learnt = kept.encoder(((torch.from_numpy(raw)[0].T - 7) / 2)[None])
        now = network.encoder(torch.from_numpy(own(raw))[0].T[None])
    torch.testing.assert_close(now, learnt, atol=1e-4, rtol=1e-4)


def test_a_genotype_without_weights_keeps_its_random_ones() -> None:
    genotype = _genotype("")
    network = build_model(genotype, input_shape=(1, 5, 6), n_classes=3)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    begin_pretrained(network, genotype, None, OWN)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_a_network_never_begins_without_the_weights_that_are_named(file: Path, tmp_path: Path) -> None:
    sha256 = load_fop_weights(file).sha256
    network = build_model(_genotype(sha256), input_shape=(1, 5, 6), n_classes=3)
    assert pretrained_place(tmp_path / "other") is None
    assert pretrained_place(tmp_path) == file
    with pytest.raises(GenotypeError, match=f"pre-trained weights {sha256[:12]} are needed; retrain from their folder"):
        begin_pretrained(network, _genotype(sha256), None, OWN)
    with pytest.raises(GenotypeError, match=r"not the weights that the genotype names \(000000000000\)"):
        begin_pretrained(network, _genotype("0" * 64), file, OWN)
    wider = _genotype(sha256, width=12)
    with pytest.raises(
        GenotypeError, match=r"weights of a network of other sizes .*; give the genotype's own settings"
    ):
        begin_pretrained(build_model(wider, input_shape=(1, 5, 6), n_classes=3), wider, file, OWN)
