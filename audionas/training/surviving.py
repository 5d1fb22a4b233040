"""`SurvivingModule`: training steps that go on where the GPU has no memory left, or a network cannot be compiled.

A step is the forward and the backward pass of a batch whose augmentation is drawn. If it fails, generators, buffers and
gradients are as before it, a remedy is chosen, and it is done again; remedies stay for the rest of the training.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor

from audionas.models import GenotypeNetwork
from audionas.training.batches import Batch
from audionas.training.memory import (
    Economy,
    Moment,
    can_run_out,
    generators,
    has_batch_norm,
    is_out_of_memory,
    set_generators,
    tell_once,
)
from audionas.training.module import Prepared, TrainingModule

BACKEND = "inductor"  # of torch.compile
Outputs = Callable[..., Any]


class SurvivingModule(TrainingModule):
    """`economy` is how memory is saved; set it to what a training that is resumed had found."""

    economy = Economy()
    _compiled: Outputs | None = None
    _moment: Moment | None = None
    _batch: Prepared | None = None

    def compile_network(self) -> None:
        """Compile the network when it is first used; its modules and their names stay as they are."""
        forward = self.model.forward_with_auxiliary if isinstance(self.model, GenotypeNetwork) else self.model.forward
        try:
            self._compiled = torch.compile(forward, backend=BACKEND)
        except RuntimeError as why:  # of a Python that torch.compile does not know
            _tell_uncompiled(why)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Draws the augmentation; the step itself is in `backward`, where it can be done again.

        What Lightning keeps of a step until it is over must hold no graph, or a step that failed for memory would leave
        none to the next try.
        """
        self._batch = self._prepared(*batch)
        return torch.zeros((), device=self.device, requires_grad=True)

    def backward(self, loss: Tensor, *args: Any, **kwargs: Any) -> None:
        """Leave the gradients of the batch in the parameters."""
        assert self._batch is not None
        batch, self._batch = self._batch, None
        if can_run_out(self.device) or self._compiled is not None or self.economy.micro_batch:
            self._moment = self._moment or Moment(self.model, self.device)
            self._moment.take()
            while not self._is_done(batch):
                gc.collect()
                if self.device.type == "cuda":
                    torch.cuda.empty_cache()
                self._moment.restore()
                self.zero_grad(set_to_none=True)
        else:
            self._step(batch)

    def _is_done(self, batch: Prepared) -> bool:
        """Do the step; False if it has to be done again, with a remedy. What it held is free when this returns."""
        try:
            self._step(batch)
        except Exception as why:  # compilers fail in any way; what is not their fault comes again without them
            if is_out_of_memory(why):
                further = self.economy.further(len(batch.x), has_batch_norm=has_batch_norm(self.model))
                if further is None:
                    raise
                self.economy = further
                tell_once(further.text(has_batch_norm=has_batch_norm(self.model)))
            elif self._compiled is not None:
                self._compiled = None
                _tell_uncompiled(why)
            else:
                raise
            return False
        return True

    def _step(self, batch: Prepared) -> None:
        n_parts = self.economy.n_parts(len(batch.x), has_batch_norm=has_batch_norm(self.model))
        if n_parts > 1:
            loss = self._step_in_parts(batch, n_parts)
        else:
            with self._forward_context():
                loss = self._loss_of(self._logits(batch.x, batch.lengths), batch)
            torch.autograd.backward([self._scaled(loss)])
        self.record("train", loss)

    def _step_in_parts(self, batch: Prepared, n_parts: int) -> Tensor:
        """The loss of the whole batch, and its gradients part after part.

        All logits first, without a graph; then the loss of them together, and its gradient by logits; then each part
        again, with the same draws, to take that gradient on to the weights (Gao et al. 2021, gradient caching).
        """
        parts = list(_parts(batch, n_parts))
        states, found = [], []
        for x, lengths in parts:
            states.append(generators(self.device))
            with torch.no_grad(), self._forward_context():
                found.append(self._logits(x, lengths))
        assert self._moment is not None
        self._moment.restore_buffers()  # or statistics of batch norm would move twice
        with self._forward_context():
            logits = [torch.cat(each).requires_grad_() for each in zip(*found, strict=True)]
            loss = self._loss_of(logits, batch)
        gradients = torch.autograd.grad(self._scaled(loss), logits)
        by_part = zip(*(each.tensor_split(n_parts) for each in gradients), strict=True)
        for (x, lengths), state, gradient in zip(parts, states, by_part, strict=True):
            set_generators(self.device, state)
            with self._forward_context():
                again = self._logits(x, lengths)
            torch.autograd.backward(again, list(gradient))
        return loss

    def _outputs(self, x: Tensor, lengths: Tensor | None) -> Sequence[Tensor | None]:
        if self._compiled is None:
            return super()._outputs(x, lengths)
        found = self._compiled(x) if lengths is None else self._compiled(x, lengths)
        return found if isinstance(found, tuple) else (found,)

    def _forward_context(self) -> ExitStack:
        """Mixed precision as the trainer has it, and where activations are kept."""
        stack = ExitStack()
        stack.enter_context(self.trainer.precision_plugin.train_step_context())
        if self.economy.activations_on_host:
            stack.enter_context(torch.autograd.graph.save_on_cpu(pin_memory=self.device.type == "cuda"))
        return stack

    def _scaled(self, loss: Tensor) -> Tensor:
        """The loss times what float16 needs, else itself."""
        scaler = getattr(self.trainer.precision_plugin, "scaler", None)
        return loss if scaler is None else scaler.scale(loss)


def _parts(batch: Prepared, n_parts: int) -> Sequence[tuple[Tensor, Tensor | None]]:
    lengths = [None] * n_parts if batch.lengths is None else batch.lengths.tensor_split(n_parts)
    return list(zip(batch.x.tensor_split(n_parts), lengths, strict=True))


def _tell_uncompiled(why: Exception) -> None:
    words = " ".join(" ".join(str(why).strip().splitlines()[:2]).split())[:200]
    tell_once(f"--compile: the network cannot be compiled here ({type(why).__name__}: {words}); trained without")
