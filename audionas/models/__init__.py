"""Networks in plain torch: what a genotype becomes, and the supernet that contains them all. No NNI."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from torch import nn

from audionas.errors import SettingsError
from audionas.models.baselines import build_baseline
from audionas.models.cnn_from_genotype import GenotypeNetwork
from audionas.models.cnn_supernet import CnnSupernet
from audionas.models.frame_network import FrameNetwork
from audionas.models.mixing import Mixing
from audionas.models.recurrent_supernet import RecurrentSupernet
from audionas.models.supernet import Supernet
from audionas.records import Record, validate
from audionas.spaces import (
    BaselineGenotype,
    CnnCellSpace,
    DartsRecurrentSpace,
    Genotype,
    RecurrentGenotype,
    SearchSpace,
)

MacroT = TypeVar("MacroT", bound=Record)


def build_model(
    genotype: Genotype,
    *,
    input_shape: Sequence[int],
    n_classes: int,
    auxiliary: bool = False,
    drop_path: float = 0.0,
    **macro: Any,
) -> nn.Module:
    """The network of a genotype: (batch, *input_shape) float32 -> logits (batch, n_classes).

    A second argument `lengths`, (batch,) int64, tells own frames from padding, which then counts for nothing.

    Args:
        input_shape: (channels, features, frames); for a recurrent genotype also (frames, features).
        auxiliary: adds DARTS's auxiliary classifier, used in training only; CNN cells only.
        drop_path: probability in [0, 1) with which training drops a non-identity edge per clip; CNN cells only.
        macro: overrides of the genotype's macro values (`n_cells`, `channels`; `n_layers`, `hidden`, ...).

    Raises:
        SettingsError: a macro value is unknown or out of range, or an option is not for this kind of genotype.
    """
    shape = tuple(input_shape)
    if isinstance(genotype, BaselineGenotype):
        if auxiliary or drop_path or macro:
            raise SettingsError(f"baseline {genotype.name}: auxiliary, drop_path and macro values are for genotypes")
        return build_baseline(genotype, shape, n_classes)
    if not isinstance(genotype, RecurrentGenotype):
        if len(shape) != 3:
            raise SettingsError(f"input_shape: got {shape}, must be (channels, features, frames) for CNN cells")
        own = with_macro(genotype.macro, macro)
        return GenotypeNetwork(genotype, own, (shape[0], shape[1], shape[2]), n_classes, auxiliary, drop_path)
    if auxiliary or drop_path:
        raise SettingsError("auxiliary and drop_path are for CNN cells; a recurrent genotype has drop_connect")
    if len(shape) == 2:
        shape = (1, shape[1], shape[0])
    if len(shape) != 3:
        raise SettingsError(f"input_shape: got {shape}, must be (frames, features) or (channels, features, frames)")
    values = with_macro(genotype.macro, macro).model_dump(exclude={"causal"})
    return FrameNetwork(genotype, shape[1], n_classes, n_channels=shape[0], **values)


def build_supernet(
    space: SearchSpace, input_shape: Sequence[int], n_classes: int, mixing: Mixing | None = None
) -> Supernet:
    """The supernet of a space: (batch, *input_shape) float32 -> logits (batch, n_classes).

    Initialisation draws from torch's global generator.

    Args:
        input_shape: (channels, features, frames).
        mixing: how alphas become weights; DARTS's softmax by default.

    Raises:
        SettingsError: spaces of this kind have no supernet.
    """
    shape = (input_shape[0], input_shape[1], input_shape[2])
    if isinstance(space, CnnCellSpace):
        return CnnSupernet(space, space.macro, shape, n_classes, mixing)
    if isinstance(space, DartsRecurrentSpace):
        return RecurrentSupernet(space, space.macro, shape, n_classes, mixing)
    raise SettingsError(f"space {space.name!r} of kind {space.kind!r} has no supernet; take a multi-trial strategy")


def with_macro(macro: MacroT, overrides: Mapping[str, Any]) -> MacroT:
    """Macro values with some replaced.

    Raises:
        SettingsError: a value is unknown (those of another kind of cell are) or out of range.
    """
    return validate(type(macro), {**macro.model_dump(), **overrides}, "macro") if overrides else macro


def n_parameters(network: nn.Module) -> int:
    """Trainable parameters, architecture parameters (alphas, betas) not counted."""
    named = network.named_parameters()
    return sum(p.numel() for name, p in named if not name.split(".")[-1].startswith(("alphas_", "betas_")))


def parameter_parts(network: nn.Module) -> dict[str, int]:
    """Trainable parameters of each part of a network that is worth telling apart, and their `total`.

    A recurrent network: `recurrent`, `attention` (all weights of the pooling), `classifier`, `layer_sum`.
    """
    total = n_parameters(network)
    if not isinstance(network, FrameNetwork):
        return {"total": total}
    parts = {
        "recurrent": n_parameters(network.rnn),
        "attention": n_parameters(network.pooling),
        "classifier": n_parameters(network.head),
        "layer_sum": 0 if network.layer_weights is None else network.layer_weights.numel(),
    }
    return {**parts, "total": total}


__all__ = [
    "FrameNetwork", "GenotypeNetwork", "Mixing", "Supernet", "build_model", "build_supernet", "n_parameters",
    "parameter_parts", "with_macro",
]  # fmt: skip
