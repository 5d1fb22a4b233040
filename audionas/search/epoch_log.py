"""`epochs.jsonl` of a one-shot search: what each epoch of the supernet was, scored and described."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytorch_lightning as pl
from torch import Tensor

from audionas.errors import RunError
from audionas.kernels import torch_only
from audionas.models import Supernet
from audionas.models.mixing import PathMixing
from audionas.models.supernet import batch_statistics
from audionas.records import append_jsonl, rewrite_jsonl
from audionas.search.collapse import Collapse, NeverCollapses
from audionas.search.eigenvalue import dominant_eigenvalue
from audionas.search.evaluator import SearchData
from audionas.search.limits_derivation import LimitedDerivation
from audionas.search.listener import SearchListener
from audionas.search_logs import read_epochs
from audionas.seeding import generator
from audionas.spaces import Genotype
from audionas.training.fit import NonFiniteLossError
from audionas.training.scoring import predict_clips

if TYPE_CHECKING:
    from audionas.search.nni_module import SearchModule

SCORE_BATCH = 64


def derived_now(module: Any, supernet: Supernet) -> Genotype:
    """The genotype of the alphas as they are; of ENAS, the path that its controller finds likeliest."""
    return module.likeliest() if hasattr(module, "likeliest") else supernet.genotype()


class EpochLog(pl.Callback):
    """`epochs.jsonl`: losses, UA (the task's main score) of supernet and derived sub-network, alphas, genotype."""

    supernet: Supernet
    collapse: Collapse = NeverCollapses

    def __init__(
        self,
        path: Path,
        data: SearchData,
        seed: int,
        listener: SearchListener,
        limited: LimitedDerivation | None = None,
    ) -> None:
        self._path, self._data, self._seed, self._listener, self._limited = path, data, seed, listener, limited
        self.records: list[dict[str, Any]] = []
        self._started = 0.0

    def cut_back(self, epoch: int) -> None:
        """Forget epochs that the checkpoint does not hold."""
        self.records = read_epochs(self._path)[:epoch]
        if len(self.records) < epoch:
            raise RunError(
                f"{self._path}: {len(self.records)} epochs logged, the checkpoint has {epoch}; the run is damaged: "
                "delete its checkpoint folder to start its training anew"
            )
        rewrite_jsonl(self._path, self.records)

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the epoch's clock."""
        self._started = time.perf_counter()

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Tell the listener of the step."""
        self._listener.on_step(trainer.current_epoch, batch_idx + 1, int(trainer.num_training_batches))

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Score, describe and log the epoch."""
        module: SearchModule = pl_module.training_module  # type: ignore[assignment]
        losses = {name: module.mean_loss(name) for name in ("weights", "alphas") if name in module.losses}
        for name, loss in losses.items():
            if not math.isfinite(loss):
                raise NonFiniteLossError(f"epoch {trainer.current_epoch}: the {name} loss is {loss}; lower the rates")
        genotype = self._limited(self.supernet) if self._limited else derived_now(pl_module, self.supernet)
        record = {
            "epoch": trainer.current_epoch,
            "weights_loss": losses["weights"],
            "alphas_loss": losses.get("alphas"),
            **self._scores(trainer.current_epoch, genotype),
            **self.supernet.describe(self._data.input_shape, self._data.n_outputs, genotype),
            **(self._limited.unlimited(self.supernet) if self._limited else {}),
            **module.sparing.as_record(),
        }
        self._check_collapse(record, module)
        record["seconds"] = round(time.perf_counter() - self._started, 3)
        trainer.should_stop = "alarm" in record
        self.records.append(record)
        append_jsonl(self._path, record)
        self._listener.on_epoch(record)

    @property
    def alarm(self) -> Mapping[str, Any] | None:
        """The alarm of the last epoch, which ended the training."""
        return self.records[-1].get("alarm") if self.records else None

    def _check_collapse(self, record: dict[str, Any], module: Any) -> None:
        """Add the eigenvalue, where a rule wants it, and the alarm, if it rings."""
        if self.collapse.eigenvalue:
            batch = next(iter(self._data.batches("alphas", seed=self._seed, epoch=lambda: 0)))  # the same every time
            device = self.supernet.weights_device
            moved = [each if each is None else each.to(device) for each in batch]
            with batch_statistics(self.supernet), torch_only():
                loss = module.loss_of(moved)
                record["eigenvalue"] = dominant_eigenvalue(loss, self.supernet.arch_parameters())
        alarm = self.collapse.alarm([*self.records, record])
        if alarm:
            record["alarm"] = alarm.as_record()

    def _scores(self, epoch: int, genotype: Genotype) -> dict[str, Any]:
        """UA (the main score) of the mixture and the derived sub-network, both with BN statistics of what is scored.

        Where single paths are drawn there is no mixture, and the sub-network is one path, the same in every epoch.
        """
        part = "monitor" if self._data.parts.get("monitor") else "alphas"
        rows = list(self._data.parts[part])
        generator(self._seed, "score", epoch).shuffle(rows)

        def score(forward: Any) -> Mapping[str, float]:
            data = self._data
            device = self.supernet.weights_device
            found = predict_clips(
                forward, data.tensors, data.manifest, rows, data.task, part=part, batch_size=SCORE_BATCH, device=device
            )
            return data.task.metrics(found.truth, found.scores, found.labels).scores

        def derived(x: Tensor, lengths: Tensor | None = None) -> Tensor:
            return self.supernet(x, lengths, genotype)  # type: ignore[no-any-return]

        with batch_statistics(self.supernet):
            networks = {"supernet": self.supernet, "network": derived}
            if isinstance(self.supernet.mixing, PathMixing):
                del networks["supernet"]
            found = {part: score(forward) for part, forward in networks.items()}
        scores = {f"{part}_{key}": value for part, values in found.items() for key, value in values.items()}
        return {**scores, "scored_on": "monitor" if part == "monitor" else "used by the search"}
