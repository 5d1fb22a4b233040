"""Reads a wav2vec 1.0 checkpoint, as fairseq published it or as safetensors, without running anything in it."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from audionas.errors import SettingsError
from audionas.features.encoder_files import Stamp, fingerprint, read_safetensors, read_torch, stamp
from audionas.features.wav2vec_network import Layers, Wav2vecNetwork, Wav2vecShape

_PARTS = ("feature_extractor.", "feature_aggregator.")
_LAYER = r"\(\s*(\d{1,5})\s*,\s*(\d{1,4})\s*,\s*(\d{1,4})\s*\)"
_MAX_LAYERS = 64


@dataclass(frozen=True, eq=False)
class Wav2vecModel:
    """A network with its weights, and the SHA-256 of its file."""

    fingerprint: str
    shape: Wav2vecShape
    network: Wav2vecNetwork


def load_wav2vec(checkpoint: str) -> Wav2vecModel:
    """The network of a checkpoint; read once per process.

    Raises:
        SettingsError: the file is missing or damaged, holds objects that could run code, or is of another model.
    """
    path = Path(checkpoint).expanduser()
    if not path.is_file():
        raise SettingsError(
            f"{checkpoint}: no such wav2vec checkpoint; download wav2vec_large.pt (Schneider et al. 2019, fairseq's "
            "page examples/wav2vec) and give its path as checkpoint"
        )
    return _loaded(path, stamp([path]))


@lru_cache(maxsize=2)
def _loaded(path: Path, files: Stamp) -> Wav2vecModel:
    weights, options = _parts(path)
    shape = _shape(path, weights, options)
    network = Wav2vecNetwork(shape)
    try:
        network.load_state_dict(weights)
    except RuntimeError as why:
        raise _other(path, " ".join(str(why).split())[:150]) from why
    return Wav2vecModel(fingerprint(files), shape, network.float().eval().requires_grad_(False))


def _parts(path: Path) -> tuple[dict[str, torch.Tensor], Mapping[str, Any] | None]:
    """Weights of encoder and aggregator, without those of training only, and the options if there are any."""
    document = {"model": read_safetensors(path)} if path.suffix == ".safetensors" else read_torch(path)
    weights = document.get("model") if isinstance(document, dict) else None
    if not isinstance(weights, dict):
        raise _other(path, "it has no entry 'model'")
    kept = {
        name: value
        for name, value in weights.items()
        if isinstance(name, str) and isinstance(value, torch.Tensor) and name.startswith(_PARTS)
    }
    for part in _PARTS:
        if not any(name.startswith(f"{part}conv_layers.") for name in kept):
            raise _other(path, f"it has no weights {part}conv_layers.*")
    if any(str(name).startswith("vector_quantizer.") for name in weights):
        raise _other(path, "it is a vq-wav2vec")
    return kept, _options(document)


def _options(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The model's options: `args` of old checkpoints, `cfg.model` of newer ones."""
    options = document.get("args") or document.get("cfg")
    options = options.get("model", options) if isinstance(options, dict) else options
    options = vars(options) if isinstance(options, argparse.Namespace) else options
    return options if isinstance(options, Mapping) else None


def _shape(path: Path, weights: Mapping[str, torch.Tensor], options: Mapping[str, Any] | None) -> Wav2vecShape:
    """What the options say, wav2vec-large's for those that are missing; norms and biases as the weights have them."""
    said = options or {}
    usual = Wav2vecShape()
    return Wav2vecShape(
        encoder=_layers(path, said, "conv_feature_layers", usual.encoder),
        aggregator=_layers(path, said, "conv_aggregator_layers", usual.aggregator),
        log_compression=bool(said.get("log_compression", usual.log_compression)),
        skips_in_encoder=bool(said.get("skip_connections_feat", usual.skips_in_encoder)),
        skips_in_aggregator=bool(said.get("skip_connections_agg", usual.skips_in_aggregator)),
        residual_scale=_number(path, said, "residual_scale", usual.residual_scale),
        has_affine_norm="feature_extractor.conv_layers.0.2.weight" in weights,
        has_aggregator_bias="feature_aggregator.conv_layers.0.1.bias" in weights,
        pads_with_zeros=bool(said.get("agg_zero_pad", usual.pads_with_zeros)),
        activation=_activation(path, said),
    )


def _layers(path: Path, said: Mapping[str, Any], name: str, usual: Layers) -> Layers:
    """Fairseq writes them as the text of a list of (width, kernel, stride); it is parsed, never evaluated."""
    text = str(said.get(name, usual))
    layers = tuple((int(a), int(b), int(c)) for a, b, c in re.findall(_LAYER, text))
    is_list = re.fullmatch(rf"\s*[\[(]\s*{_LAYER}(\s*,\s*{_LAYER})*\s*,?\s*[\])]\s*", text)
    if not is_list or len(layers) > _MAX_LAYERS or 0 in sum(layers, ()):
        raise _other(path, f"{name} is {text[:80]!r}, expected [(width, kernel, stride), ...]")
    return layers


def _number(path: Path, said: Mapping[str, Any], name: str, usual: float) -> float:
    value = said.get(name, usual)
    if not isinstance(value, int | float) or not 0 <= value <= 10:
        raise _other(path, f"{name} is {str(value)[:80]!r}, expected a number from 0 to 10")
    return float(value)


def _activation(path: Path, said: Mapping[str, Any]) -> str:
    name = said.get("activation", "relu")
    if name not in ("relu", "gelu") or said.get("aggregator", "cnn") != "cnn":
        raise _other(path, "its activation or aggregator is not relu or gelu and cnn")
    return str(name)


def _other(path: Path, reason: str) -> SettingsError:
    return SettingsError(
        f"{path}: not a wav2vec 1.0 checkpoint ({reason}); expected fairseq's wav2vec_large.pt or its weights as "
        "safetensors (wav2vec 2.0, HuBERT and Whisper: extractor pretrained)"
    )
