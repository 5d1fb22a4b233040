"""Pre-trained weights on their way into a retraining: found beside the genotype, bound to it by sha256, copied, loaded.

A genotype names its weights by their sha256. A retraining keeps a copy beside its own genotype, so that it stands
alone; each of its networks (inner folds, tuning and the final model included) begins with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from audionas.errors import GenotypeError, SettingsError
from audionas.experiment.genotype_sources import Source, source_features
from audionas.features.extractor import LOADER_SETTINGS
from audionas.features.fop_weights import WEIGHTS_FILE, load_fop_weights, read_fop_facts
from audionas.models.baselines.fop import FopClassifier
from audionas.records import write_bytes
from audionas.spaces import BaselineGenotype, Genotype
from audionas.training.batches import Normaliser

PRETRAINED_FILE = "pretrained.safetensors"
# What may differ: how clips are cut, padded and normalised, not what a frame is.
_FREE = LOADER_SETTINGS | {"length_s", "crop", "pad"}


def pretrained_sha256(genotype: Genotype) -> str:
    """The sha256 of the weights that a genotype begins with; "" for random ones."""
    return str(dict(genotype.settings).get("pretrained", "")) if isinstance(genotype, BaselineGenotype) else ""


def copy_pretrained(source: Source, folder: Path) -> None:
    """Put the weights of a genotype, if it has such, into the folder of a split that is retrained with it.

    Raises:
        GenotypeError: there are no such weights beside the genotype, or not those that it names.
        SettingsError: they are damaged, or of other features than the retraining's.
    """
    wanted = pretrained_sha256(source.genotype)
    if not wanted:
        return
    if source.is_named:
        raise SettingsError("--set pretrained: weights are not given by name; give the folder that pretrain left")
    path = _beside(source.path)
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != wanted:
        raise GenotypeError(
            f"{path}: not the weights that {source.path.name} beside it names; run the pre-training anew"
        )
    _check_features(path, source_features(source))
    write_bytes(folder / PRETRAINED_FILE, data)


def pretrained_place(folder: Path) -> Path | None:
    """The weights that a split's trainings begin with, if its folder holds some."""
    path = folder / PRETRAINED_FILE
    return path if path.is_file() else None


def begin_pretrained(network: nn.Module, genotype: Genotype, path: Path | None, normaliser: Normaliser) -> None:
    """Give a network the weights that its genotype names; nothing is done where it names none.

    The embedding is changed so that frames standardised by this training's statistics enter the attention as those of
    the pre-training did.

    Raises:
        GenotypeError: the weights are not there, not those that are named, or of another network.
    """
    wanted = pretrained_sha256(genotype)
    if not wanted:
        return
    if path is None or not isinstance(network, FopClassifier):
        raise GenotypeError(f"baseline fop: pre-trained weights {wanted[:12]} are needed; retrain from their folder")
    found = load_fop_weights(path)
    if found.sha256 != wanted:
        raise GenotypeError(f"{path}: not the weights that the genotype names ({wanted[:12]}); copy them again")
    try:
        network.encoder.load_state_dict(found.encoder.state_dict())
    except RuntimeError as why:
        raise GenotypeError(
            f"{path}: weights of a network of other sizes ({found.facts.sizes}); give the genotype's own settings"
        ) from why
    bands = len(found.mean)
    network.encoder.move_input(
        _each_band(normaliser.mean, bands), _each_band(normaliser.std, bands), found.mean, found.std
    )


def _beside(file: Path) -> Path:
    for name in (PRETRAINED_FILE, WEIGHTS_FILE):
        if (file.parent / name).is_file():
            return file.parent / name
    raise GenotypeError(
        f"{file}: names pre-trained weights, and no {WEIGHTS_FILE} is beside it; give the folder of the pre-training"
    )


def _check_features(path: Path, settings: Mapping[str, Any]) -> None:
    learnt = read_fop_facts(path).features
    differing = [key for key, value in learnt.items() if key not in _FREE and settings.get(key) != value]
    if differing:
        key = differing[0]
        raise SettingsError(
            f"{path}: pre-trained on features with {key} {learnt[key]}, these have {settings.get(key)}; "
            "leave out --features, or pre-train on these"
        )


def _each_band(values: np.ndarray, bands: int) -> Tensor:
    return torch.from_numpy(np.broadcast_to(values.reshape(-1), (bands,)).copy())
