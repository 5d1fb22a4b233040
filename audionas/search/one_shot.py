"""One-shot searches: NNI trains our supernet and its alphas in turn; one log line and checkpoint an epoch."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytorch_lightning as pl
import torch
from torch import Tensor

from audionas.errors import RunError
from audionas.kernels import torch_only
from audionas.models import Supernet, build_supernet
from audionas.models.baselines import trims_padding
from audionas.models.mixing import PathMixing
from audionas.models.supernet import batch_statistics
from audionas.records import append_jsonl, rewrite_jsonl
from audionas.search.algorithms import builder, setting_defaults, setting_of
from audionas.search.collapse import Collapse, NeverCollapses
from audionas.search.eigenvalue import dominant_eigenvalue
from audionas.search.evaluator import SearchData, TrainingEvaluator
from audionas.search.limits import LimitCheck
from audionas.search.limits_cost_term import CostTerm
from audionas.search.limits_derivation import LimitedDerivation
from audionas.search.listener import Pick, SearchListener
from audionas.search.nni_quiet import import_nni
from audionas.search.sparing import Sparing
from audionas.search.strategy import Strategy
from audionas.search_logs import read_epochs
from audionas.seeding import derive, generator, seed_torch
from audionas.spaces import Genotype, SearchSpace
from audionas.spaces.derived import derived_genotype
from audionas.training.batches import n_batches_of
from audionas.training.checkpoint import EpochCheckpoint
from audionas.training.fit import NonFiniteLossError, quiet, run_interruptibly, trainer_settings
from audionas.training.ledger import count
from audionas.training.scoring import predict_clips

if TYPE_CHECKING:
    from audionas.search.nni_module import SearchModule

EPOCHS_FILE = "epochs.jsonl"
SCORE_BATCH = 64
MAX_ARC_RATE = 0.1  # beyond it a few steps decide everything


StoppedBy = Literal["budget", "collapse"]


@dataclass(frozen=True)
class OneShotResult:
    """A genotype, the epoch (from 0) that it comes from, and what ended the training."""

    genotype: Genotype
    epoch: int
    stopped_by: StoppedBy


def search_one_shot(
    space: SearchSpace,
    strategy: Strategy,
    evaluator: TrainingEvaluator,
    seed: int,
    run: Path,
    pick: Pick,
    listener: SearchListener,
    limits: LimitCheck | None = None,
) -> OneShotResult:
    """The derived genotype, within the limits, or where single paths are drawn an arbitrary one.

    A collapse alarm ends the training, and the genotype is that of the epoch that it names.
    """
    checkpoint = EpochCheckpoint(run / "checkpoint" / "last.pt")
    log = EpochLog(run / EPOCHS_FILE, evaluator.data, seed, listener, LimitedDerivation(limits) if limits else None)
    log.cut_back(checkpoint.next_epoch)
    count(compared=int(checkpoint.next_epoch == 0))
    if checkpoint.next_epoch < strategy.budget.epochs and not log.alarm:
        with quiet():
            _train(space, strategy, evaluator, seed, log, checkpoint, limits)
    records = log.records[: log.alarm["take"] + 1] if log.alarm else log.records
    record = records[-1]
    if pick == "best":
        score = f"network_{evaluator.data.task.main}"
        record = max(records, key=lambda line: (line[score], line["epoch"]))
    stopped: StoppedBy = "collapse" if log.alarm else "budget"
    return OneShotResult(derived_genotype(space, record["genotype"]), record["epoch"], stopped)


def steps_per_epoch(strategy: Strategy, parts: Any) -> int:
    """Bi-level steps an epoch: batches of the weights part; the alphas part is cycled to as many.

    Here and below `parts` are what an epoch deals out of each part: its clips, or all windows of them.
    """
    return n_batches_of(len(parts["weights"]), strategy.batch_size)


def alpha_reach(strategy: Strategy, parts: Any) -> float:
    """Steps x rate: how far Adam can move an alpha in the whole search; logits need about 1 to decide."""
    return _rate(strategy) * _alpha_steps(strategy, parts)


def with_reach(strategy: Strategy, parts: Any) -> Strategy:
    """The strategy with its alphas' rate raised until `alpha_reach` is met, to `MAX_ARC_RATE` at most."""
    if strategy.alpha_reach is None or not has_alphas(strategy):
        return strategy
    steps = _alpha_steps(strategy, parts)
    if not steps or alpha_reach(strategy, parts) >= strategy.alpha_reach:
        return strategy
    rate = min(MAX_ARC_RATE, math.ceil(strategy.alpha_reach / steps * 1e6) / 1e6)
    return strategy.replace(settings={**strategy.settings, "arc_learning_rate": rate})


def has_alphas(strategy: Strategy) -> bool:
    """Whether the algorithm steps alphas at all."""
    return "arc_learning_rate" in setting_defaults(strategy.algorithm)


def _rate(strategy: Strategy) -> float:
    return float(setting_of(strategy.algorithm, strategy.settings, "arc_learning_rate", 0.0))


def _alpha_steps(strategy: Strategy, parts: Any) -> int:
    """Steps of the alphas in the whole search: none in the epochs of a warm-up."""
    warmup = float(setting_of(strategy.algorithm, strategy.settings, "warmup", 0.0))
    epochs = strategy.budget.epochs - int(warmup * strategy.budget.epochs)
    return epochs * steps_per_epoch(strategy, parts)


def _train(
    space: SearchSpace,
    strategy: Strategy,
    evaluator: TrainingEvaluator,
    seed: int,
    log: EpochLog,
    checkpoint: EpochCheckpoint,
    limits: LimitCheck | None,
) -> None:
    import_nni()
    from nni.nas.evaluator.pytorch import Lightning, Trainer
    from nni.nas.execution import SequentialExecutionEngine
    from nni.nas.space import RawFormatModelSpace

    from audionas.search.nni_module import SearchModule
    from audionas.search.nni_space import AudioModelSpace

    data = evaluator.data
    seed_torch(seed, "supernet")
    supernet = build_supernet(space, data.input_shape, data.n_outputs, strategy.mixing())
    supernet.recomputes = evaluator.recomputes
    log.supernet = supernet
    module = SearchModule(data.task, evaluator.recipe, epochs=strategy.budget.epochs, seed=seed, purpose="search")
    module.autocast = torch.bfloat16 if evaluator.precision == "bf16" else None
    module.sparing = Sparing(supernet, log.records[-1] if log.records else None)
    if limits and strategy.cost_weight:
        module.cost_term = CostTerm.of(supernet, limits, strategy.cost_weight)
    trainer = Trainer(
        max_epochs=strategy.budget.epochs,
        callbacks=[log, checkpoint],
        **trainer_settings(evaluator.device, mixed_precision=False),
    )
    checkpoint.start(trainer)

    def epoch() -> int:
        return int(trainer.current_epoch)

    n_steps, trims = steps_per_epoch(strategy, data.dealt), trims_padding(supernet)
    nni_evaluator = Lightning(
        module,
        trainer,
        train_dataloaders=data.batches("weights", seed=seed, epoch=epoch, trims_padding=trims),
        val_dataloaders=data.batches("alphas", seed=seed, epoch=epoch, n_batches=n_steps, trims_padding=trims),
    )
    nni_strategy = builder(strategy.algorithm)(seed=derive(seed, strategy.algorithm), **strategy.settings)
    log.collapse = getattr(nni_strategy, "collapse", NeverCollapses)
    model_space = RawFormatModelSpace(AudioModelSpace(space, supernet), nni_evaluator)
    run_interruptibly(trainer, lambda: nni_strategy(model_space, SequentialExecutionEngine()))
    exported = space.genotype(next(iter(nni_strategy.list_models())).sample)
    if exported.hash != supernet.genotype().hash:
        raise RunError("NNI exported another genotype than the supernet's; this is a defect, please report it")


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


__all__ = ["alpha_reach", "has_alphas", "search_one_shot", "steps_per_epoch", "with_reach"]
