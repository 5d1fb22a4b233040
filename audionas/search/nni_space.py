"""Our spaces as NNI sees them: every decision a `Categorical` of strings, the supernet behind a hook.

One sample format serves one-shot and multi-trial strategies; `space.genotype(sample)` reads it. NNI's own
Cell is not used: its supernet cannot be frozen, and it mutates the space in place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import nni
import numpy as np
from nni.mutable import ensure_frozen
from nni.nas.nn.pytorch import ModelSpace, MutableModule
from nni.nas.oneshot.pytorch.supermodule.base import BaseSuperNetModule
from torch import Tensor, nn

from audionas.models import Supernet
from audionas.spaces import Genotype, SearchSpace


class Decisions(MutableModule):  # type: ignore[misc]
    """Holds the decisions of a space; a one-shot strategy replaces it by the supernet.

    NNI builds this class anew for every proposal, within a context that freezes each choice: then `sample`
    is the proposal. The evaluator builds the network from it; nothing is built here.
    """

    def __init__(self, space: SearchSpace) -> None:
        super().__init__()
        self.sample = {
            label: str(ensure_frozen(self.add_mutable(nni.choice(label, list(options)))))
            for label, options in space.choices().items()
        }


class AudioModelSpace(ModelSpace):  # type: ignore[misc]
    """A search space of audionas as an NNI model space."""

    def __init__(self, space: SearchSpace, supernet: Supernet | None = None) -> None:
        super().__init__()
        self.decisions = Decisions(space)
        self._space = space
        self._supernet = [supernet]  # in a list: it must not be a submodule before the hook puts it in place

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """(batch, channels, features, frames) -> logits, once the supernet is in place."""
        return self.decisions(x, lengths)  # type: ignore[no-any-return]

    @property
    def sample(self) -> dict[str, str]:
        """The proposal that NNI froze this space to."""
        return dict(self.decisions.sample)

    def extra_oneshot_hooks(self, strategy: object) -> list[Any]:
        """The mutation hook that puts the supernet in place of the decisions."""

        def put_supernet(module: nn.Module, *_: object) -> nn.Module | None:
            if isinstance(module, Decisions):
                assert self._supernet[0] is not None
                return NniSupernet(self._space, self._supernet[0], list(module.mutables))
            return None

        return [put_supernet]


class NniSupernet(BaseSuperNetModule):  # type: ignore[misc]
    """Our supernet behind NNI's interface."""

    def __init__(self, space: SearchSpace, network: Supernet, decisions: list[Any]) -> None:
        super().__init__()
        self.network = network
        self._space = space
        self._decisions = decisions
        self._path: Genotype | None = None

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """(batch, channels, features, frames) -> logits (batch, classes), of the path that was drawn, if any."""
        return self.network(x, lengths, self._path)  # type: ignore[no-any-return]

    def draw_path(self, rng: np.random.Generator) -> None:
        """Draw the sub-network that computes from now on, uniformly over the choices."""
        self._path = self._space.random(rng)

    def take_path(self, sample: Mapping[str, str]) -> None:
        """Let the sub-network of a sample compute from now on."""
        self._path = self._space.genotype(sample)

    def arch_parameters(self) -> list[nn.Parameter]:
        """The alphas, in a fixed order."""
        return self.network.arch_parameters()

    def resample(self, memo: dict[str, Any]) -> dict[str, Any]:
        """Nothing is sampled in a mixture."""
        return {}

    def export(self, memo: dict[str, Any]) -> dict[str, Any]:
        """The derived genotype as a sample."""
        return self._space.sample(self.network.genotype())  # type: ignore[arg-type]

    def export_probs(self, memo: dict[str, Any]) -> dict[str, Any]:
        """Nothing: the epoch log holds the alphas."""
        return {}

    def leaf_mutables(self, is_leaf: Any) -> Any:
        """The decisions that this module stands for."""
        for mutable in self._decisions:
            yield from mutable.leaf_mutables(is_leaf)

    def check_contains(self, sample: Mapping[str, Any]) -> Any:
        """The first decision that a sample contradicts, or None."""
        for mutable in self._decisions:
            error = mutable.check_contains(sample)
            if error is not None:
                return error
        return None
