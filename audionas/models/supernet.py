"""What a one-shot search needs of a supernet, whatever the kind of space."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from audionas.kernels import is_torch_only
from audionas.models.mixing import Mixing
from audionas.models.recompute import recomputed
from audionas.spaces import Genotype, SearchSpace


class Supernet(nn.Module):
    """All networks of a space at once.

    `mixing` turns alphas (..., options) into weights of the same shape: `mixing(alphas)` in training,
    `mixing.decided(alphas)` in eval mode, in `genotype` and in `describe`.
    """

    space: SearchSpace
    mixing: Mixing
    recomputes = False  # whether inner results are computed again in the backward pass instead of kept

    def arch_parameters(self) -> list[nn.Parameter]:
        """The alphas, float32 logits; their order is part of the contract (optimiser state is kept by position)."""
        raise NotImplementedError

    def forward(self, x: Tensor, lengths: Tensor | None = None, genotype: Any = None) -> Tensor:
        """(batch, channels, features, frames) -> logits (batch, classes); with `genotype`, of that sub-network alone.

        `lengths` (batch,): own frames of each clip; the rest is padding and counts for nothing.
        """
        raise NotImplementedError

    def genotype(self) -> Genotype:
        """The genotype that the alphas give now."""
        raise NotImplementedError

    def describe(self, input_shape: Sequence[int], n_classes: int, genotype: Genotype | None = None) -> dict[str, Any]:
        """What a line of `epochs.jsonl` says of the alphas, as JSON.

        `genotype` is what was derived from them, within limits; without it, `self.genotype()`.

        `alphas`, `entropy` (mean, nats) and `margins` (of the kept choices) are mappings by kind of cell, `mixing` is
        the name of what weighs them; none of these where single paths are drawn (`PathMixing`).
        `genotype` is what `audionas.spaces.derived` reads back; `skips` of `skips_of` kept edges are skip connections;
        `parameters` are those of the network cut out.
        """
        raise NotImplementedError

    def network_weights(self) -> list[nn.Parameter]:
        """All parameters but the alphas."""
        alphas = {id(parameter) for parameter in self.arch_parameters()}
        return [parameter for parameter in self.parameters() if id(parameter) not in alphas]

    @property
    def weights_device(self) -> torch.device:
        """Where its parameters are."""
        return next(self.parameters()).device

    def run(self, work: Callable[..., Any], *arguments: Any, of: nn.Module) -> Any:
        """`work(*arguments)`, a part of a training pass that draws nothing, in the module `of`; see `recomputes`."""
        if self.recomputes and self.training and torch.is_grad_enabled() and not is_torch_only():
            return recomputed(work, *arguments, of=of)
        return work(*arguments)

    def mixed(self, alphas: Tensor) -> Tensor:
        """The weights of the candidates, as the mode (training or eval) wants them."""
        return self.mixing(alphas) if self.training else self.mixing.decided(alphas)


@contextmanager
def batch_statistics(network: nn.Module) -> Iterator[None]:
    """Within: eval mode, but BN uses the batch's statistics and leaves its running ones alone.

    A sub-network of the supernet sees other activations than the mixture that the running statistics describe.
    """
    was_training = network.training
    network.eval()
    try:
        with frozen_statistics(network):
            yield
    finally:
        network.train(was_training)


@contextmanager
def frozen_statistics(network: nn.Module) -> Iterator[None]:
    """Within: BN uses the batch's statistics and leaves its running ones alone; nothing else changes."""
    norms = [m for m in network.modules() if isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d)) and m.track_running_stats]
    kept = [(norm.running_mean, norm.running_var, norm.training) for norm in norms]
    for norm in norms:
        norm.training, norm.track_running_stats = True, False
        norm.running_mean = norm.running_var = None
    try:
        yield
    finally:
        for norm, (mean, variance, was_training) in zip(norms, kept, strict=True):
            norm.running_mean, norm.running_var, norm.track_running_stats = mean, variance, True
            norm.training = was_training


@contextmanager
def constant(parameters: Iterable[Tensor]) -> Iterator[None]:
    """Within: these are numbers like any others, so no gradient is computed for them."""
    stepped = [parameter for parameter in parameters if parameter.requires_grad]
    for parameter in stepped:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in stepped:
            parameter.requires_grad_(True)


__all__ = ["Supernet", "batch_statistics", "constant", "frozen_statistics"]
