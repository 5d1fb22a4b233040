"""One-shot searches: NNI trains our supernet and its alphas in turn; one log line and checkpoint an epoch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch

from audionas.errors import RunError
from audionas.models import build_supernet
from audionas.models.baselines import trims_padding
from audionas.search.algorithms import builder, setting_defaults, setting_of
from audionas.search.collapse import NeverCollapses
from audionas.search.epoch_log import EpochLog
from audionas.search.evaluator import TrainingEvaluator
from audionas.search.limits import LimitCheck
from audionas.search.limits_cost_term import CostTerm
from audionas.search.limits_derivation import LimitedDerivation
from audionas.search.listener import Pick, SearchListener
from audionas.search.nni_quiet import import_nni
from audionas.search.sparing import Sparing
from audionas.search.strategy import Strategy
from audionas.search_logs import EPOCHS_FILE
from audionas.seeding import derive, seed_torch
from audionas.spaces import Genotype, SearchSpace
from audionas.spaces.derived import derived_genotype
from audionas.training.batches import n_batches_of
from audionas.training.checkpoint import EpochCheckpoint
from audionas.training.fit import quiet, run_interruptibly, trainer_settings
from audionas.training.ledger import count

if TYPE_CHECKING:
    pass

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


__all__ = ["alpha_reach", "has_alphas", "search_one_shot", "steps_per_epoch", "with_reach"]
