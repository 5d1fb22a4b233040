"""Networks in plain torch: what a genotype becomes, and the supernet that contains them all. No NNI."""

from __future__ import annotations

from typing import Any

from torch import nn

from audionas.models.cnn_from_genotype import GenotypeNetwork
from audionas.models.cnn_network import with_macro
from audionas.spaces import CnnGenotype


def build_model(
    genotype: CnnGenotype,
    *,
    input_shape: tuple[int, int, int],
    n_classes: int,
    auxiliary: bool = False,
    drop_path: float = 0.0,
    **macro: Any,
) -> nn.Module:
    """The network of a genotype: (batch, *input_shape) float32 -> logits (batch, n_classes).

    Args:
        input_shape: (channels, features, frames).
        auxiliary: adds DARTS's auxiliary classifier, used in training only.
        drop_path: probability in [0, 1) with which training drops a non-identity edge per clip.
        macro: overrides of the genotype's macro values (`n_cells`, `channels`, `stem_multiplier`, ...).

    Raises:
        SettingsError: a macro value is unknown or out of range.
    """
    return GenotypeNetwork(genotype, with_macro(genotype.macro, macro), input_shape, n_classes, auxiliary, drop_path)


def n_parameters(network: nn.Module) -> int:
    """Trainable parameters, architecture parameters (alphas) not counted."""
    return sum(p.numel() for name, p in network.named_parameters() if not name.split(".")[-1].startswith("alphas_"))


__all__ = ["GenotypeNetwork", "build_model", "n_parameters"]
