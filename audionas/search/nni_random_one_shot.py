"""Single paths drawn uniformly (SPOS) as a strategy of NNI; every path is keyed by (seed, epoch, step).

Source: Guo et al. 2020 (SPOS), section 3.2. NNI's RandomOneShot exports an arbitrary path; here an evolution over the
trained supernet chooses, after the training.
"""

from __future__ import annotations

from typing import Any

from nni.nas.oneshot.pytorch.base_lightning import BaseOneShotLightningModule
from nni.nas.oneshot.pytorch.sampling import RandomSamplingLightningModule
from nni.nas.strategy import RandomOneShot
from torch import Tensor

from audionas.seeding import generator
from audionas.training.batches import Batch


class RandomPathModule(RandomSamplingLightningModule):  # type: ignore[misc]
    """Each step trains the weights of one path."""

    seed: int
    gradient_clip: float

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The loss of the step's path."""
        for module in self.supernet_modules():
            module.draw_path(generator(self.seed, "path", self.trainer.current_epoch, batch_idx))
        return self.training_module.training_step(batch, 2 * batch_idx + 1)  # type: ignore[no-any-return]

    def export(self) -> dict[str, Any]:
        """A path, without NNI's warning that it is arbitrary: the evolution chooses another."""
        return BaseOneShotLightningModule.export(self)  # type: ignore[no-any-return]

    def configure_gradient_clipping(self, optimizer: Any, *_: Any, **__: Any) -> None:
        """Clip the norm; the trainer is built before the strategy and knows of no clipping."""
        self.clip_gradients(optimizer, self.gradient_clip, "norm")


class RandomPaths(RandomOneShot):  # type: ignore[misc]
    """NNI's RandomOneShot with `RandomPathModule`."""

    def __init__(self, seed: int, gradient_clip: float) -> None:
        super().__init__()
        self.seed, self.gradient_clip = seed, gradient_clip

    def configure_oneshot_module(self, training_module: Any) -> RandomPathModule:
        """The module that trains the supernet."""
        module = RandomPathModule(training_module, None)
        module.seed, module.gradient_clip = self.seed, self.gradient_clip
        return module
