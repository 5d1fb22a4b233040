"""Small random encoders on disk, of the structure of the published ones."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from audionas.torchaudio_import import import_torchaudio

ENCODER = [(6, 10, 5), (6, 8, 4), (6, 4, 2), (6, 4, 2), (6, 4, 2), (6, 1, 1), (6, 1, 1)]  # as wav2vec-large but narrow
AGGREGATOR = [(6, kernel, 1) for kernel in (2, 3, 4)]
CONVOLUTIONS: dict[str, Any] = {
    "conv_dim": (8, 8, 8), "conv_kernel": (10, 8, 4), "conv_stride": (5, 4, 4), "num_feat_extract_layers": 3,
}  # fmt: skip


def transformer(folder: Path, name: str = "Wav2Vec2", *, do_normalize: bool = True, **options: Any) -> Path:
    """A tiny model of transformers with random weights: 16 wide, 3 layers, a hop of 80 samples."""
    import_torchaudio()
    import transformers

    torch.manual_seed(0)
    config = getattr(transformers, f"{name}Config")(
        hidden_size=16, num_hidden_layers=3, num_attention_heads=2, intermediate_size=32,
        num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=2, **(CONVOLUTIONS | options),
    )  # fmt: skip
    getattr(transformers, f"{name}Model")(config).save_pretrained(folder)
    transformers.Wav2Vec2FeatureExtractor(do_normalize=do_normalize).save_pretrained(folder)
    return folder


def wav2vec_weights(encoder: list[tuple[int, int, int]], aggregator: list[tuple[int, int, int]]) -> dict[str, Any]:
    """Random weights under fairseq's names, with some that only training needs."""
    generator = torch.Generator().manual_seed(1)

    def draw(*sizes: int) -> torch.Tensor:
        return torch.randn(*sizes, generator=generator)

    weights, n_in = {}, 1
    for i, (width, kernel, _) in enumerate(encoder):
        weights[f"feature_extractor.conv_layers.{i}.0.weight"] = draw(width, n_in, kernel) / (n_in * kernel) ** 0.5
        weights[f"feature_extractor.conv_layers.{i}.2.weight"] = 1 + draw(width) / 10
        weights[f"feature_extractor.conv_layers.{i}.2.bias"] = draw(width) / 10
        n_in = width
    for i, (width, kernel, _) in enumerate(aggregator):
        weights[f"feature_aggregator.conv_layers.{i}.1.weight"] = draw(width, n_in, kernel) / (n_in * kernel) ** 0.5
        weights[f"feature_aggregator.conv_layers.{i}.1.bias"] = draw(width) / 10
        weights[f"feature_aggregator.conv_layers.{i}.3.weight"] = 1 + draw(width) / 10
        weights[f"feature_aggregator.conv_layers.{i}.3.bias"] = draw(width) / 10
        n_in = width
    return weights | {"wav2vec_predictions.project_to_steps.weight": draw(n_in, n_in, 1, 12)}


def wav2vec(path: Path, **options: Any) -> Path:
    """A checkpoint as fairseq writes it."""
    args = {
        "arch": "wav2vec", "aggregator": "cnn", "conv_feature_layers": str(ENCODER),
        "conv_aggregator_layers": str(AGGREGATOR), "log_compression": True, "skip_connections_agg": True,
        "skip_connections_feat": False, "residual_scale": 0.5, "agg_zero_pad": False, "activation": "relu",
    }  # fmt: skip
    document = {
        "args": Namespace(**(args | options)), "model": wav2vec_weights(ENCODER, AGGREGATOR),
        "optimizer_history": [{"optimizer_name": "FairseqAdam", "num_updates": 400_000}], "extra_state": {"epoch": 9},
    }  # fmt: skip
    torch.save(document, path)
    return path


def ge2e(path: Path, hidden: int = 5) -> Path:
    """An LSTM over 40 mel bands as safetensors."""
    torch.manual_seed(0)
    lstm = torch.nn.LSTM(40, hidden, 3)
    save_file({f"lstm.{name}": value.contiguous() for name, value in lstm.state_dict().items()}, path)
    return path


def fop(path: Path, **facts: Any) -> Path:
    """A small encoder over 12 mel bands as `audionas pretrain` leaves it: width 8, 2 layers."""
    from audionas.features.fop_network import FopSizes, NextFrame
    from audionas.features.fop_weights import FopFacts, save_fop_weights
    from audionas.features.log_mel import LogMel

    torch.manual_seed(0)
    sizes = FopSizes(width=8, n_heads=2, inner=7)
    mel = LogMel(sample_rate_hz=16_000, n_mels=12, length_s=0.025, mask_padding=True).resolve(16_000, [])
    known = {"sizes": sizes, "features": mel.settings(), "trained_on": "noise", **facts}
    mean, std = torch.linspace(-60, -50, 12), torch.linspace(5, 15, 12)
    save_fop_weights(path, NextFrame(sizes.encoder(12)), mean, std, FopFacts.model_validate(known))
    return path
