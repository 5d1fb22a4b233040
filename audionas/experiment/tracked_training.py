"""Listeners that also tell the trackers: of a search's epochs and trials, and of every training of a retraining."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from audionas.experiment.tracking import tracking
from audionas.records import read_jsonl
from audionas.search import SearchListener, Strategy
from audionas.search_logs import EPOCHS_FILE
from audionas.training.optimisers import epoch_rates
from audionas.training.recipe import Recipe

HISTORY_FILE = "history.jsonl"
OnEpoch = Callable[[int, dict[str, float]], None]


def tracked_listener(listener: SearchListener, run: Path, strategy: Strategy) -> SearchListener:
    """A listener of a search in a run folder that passes everything on, and tells the trackers."""
    trackers = tracking()
    if not trackers.is_on:
        return listener
    rates = epoch_rates(strategy.recipe, strategy.budget.epochs) if strategy.recipe else None
    first = _first_untold(run / EPOCHS_FILE)

    def on_epoch(record: dict[str, Any]) -> None:
        listener.on_epoch(record)
        if record["epoch"] >= first:
            trackers.log(run, {**record, **_rate(rates, record["epoch"])}, record["epoch"])

    def on_trial(trial: Any) -> None:
        listener.on_trial(trial)
        trackers.log(run, _trial_record(trial), trial.number, "trial")

    def on_retest(again: Any, trial: Any, place: int, n: int) -> None:
        listener.on_retest(again, trial, place, n)
        trackers.log(run, _trial_record(again), trial.number, "retest")

    return SearchListener(listener.on_step, on_epoch, on_trial, on_retest, listener.on_generation)


def tracked_training(tell: OnEpoch, folder: Path, recipe: Recipe, epochs: int) -> OnEpoch:
    """What is called after an epoch of the training in a folder; tells the trackers too."""
    trackers = tracking()
    if not trackers.is_on:
        return tell
    rates, first = epoch_rates(recipe, epochs), _first_untold(folder / HISTORY_FILE)

    def both(epoch: int, record: dict[str, float]) -> None:
        tell(epoch, record)
        if epoch >= first:
            trackers.log(folder, {**record, **_rate(rates, epoch)}, epoch)

    return both


def _first_untold(log: Path) -> int:
    """The first epoch that trackers may not have heard of: epochs behind a checkpoint are trained again on resume.

    Of the last line it is not known, so it is told again.
    """
    return max(len(read_jsonl(log)) - 1, 0)


def _rate(rates: list[float] | None, epoch: int) -> dict[str, float]:
    return {"learning_rate": rates[epoch]} if rates is not None and epoch < len(rates) else {}


def _trial_record(trial: Any) -> Mapping[str, Any]:
    """The score and costs of a trial, or that it failed."""
    return {"failed": 1.0} if trial.score is None else trial.score.as_record()
