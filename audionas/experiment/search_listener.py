"""Turns what a search reports into lines and progress for a person."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from audionas.experiment.talk import Talk
from audionas.quantities import seconds_text
from audionas.search import SearchListener, Strategy
from audionas.search.retest import n_retests
from audionas.search.rungs import rungs_of, rungs_text
from audionas.training.measures import measure_of_key

SKIP_ALARM = 0.25  # share of skip connections in the normal cell above which DARTS is known to collapse


REMEDIES = {
    "recomputes": "results within cells were computed again in the backward pass",
    "activations_on_host": "activations were kept in the host's memory",
}


def listener(strategy: Strategy, talk: Talk, keep_warning: Callable[[str], None], n_workers: int = 1) -> SearchListener:
    """A listener that tells of every epoch, trial and step; so many workers divide the time that is left."""
    epochs, trials = strategy.budget.epochs, strategy.budget.trials
    retests = n_retests(trials, strategy.retest)
    spent: list[float] = []
    rungs = rungs_of(strategy) if strategy.kind == "multi-trial" else ()

    def on_step(epoch: int, step: int, n_steps: int) -> None:
        talk.progress(f"epoch {epoch + 1}/{epochs}", step, n_steps)

    def on_epoch(record: dict[str, Any]) -> None:
        spent.append(record["seconds"])
        left = (epochs - record["epoch"] - 1) * sum(spent) / len(spent)
        talk.say(
            f"epoch {record['epoch'] + 1}/{epochs}  loss {_losses_text(record)}  {_scores_text(record)} "
            f"({record['scored_on']})  {_alphas_text(record)}"
            f"{record['seconds']:.1f} s, {seconds_text(left)} left"
        )
        for remedy, text in REMEDIES.items():
            if record.get(remedy):
                keep_warning(f"out of memory on the device: {text}; the result is the same")
        n_edges = record["skips_of"]
        if "alarm" in record:
            _tell_alarm(record["alarm"])
        elif "alphas" in record and record["skips"] > SKIP_ALARM * n_edges:
            line = f"skip alarm: {record['skips']} of {n_edges} edges of the normal cell are skip connections"
            keep_warning(f"{line} (epoch {record['epoch'] + 1})")
            talk.warn(line)

    def _tell_alarm(alarm: Mapping[str, Any]) -> None:
        line = f"collapse alarm: {alarm['why']}; the search stops, with the genotype of epoch {alarm['take'] + 1}"
        keep_warning(line)
        talk.warn(line)

    def on_trial(trial: Any) -> None:
        spent.append(trial.score.seconds if trial.score else 0.0)
        left = (trials + retests - trial.number - 1) * sum(spent) / len(spent) / n_workers
        head = f"trial {trial.number + 1}/{trials}"
        if len(rungs) > 1:
            head = f"trial {trial.number + 1} ({rungs_text(rungs, [trial.fidelity])})"
        if trial.score is None:
            talk.warn(f"{head}  {trial.status}: {trial.error}")
            return
        score = trial.score
        talk.say(
            f"{head}  validation {_name(score.names[0])} {score.ua:.3f}  loss {score.loss:.3f}  "
            f"balanced loss {score.balanced_loss:.3f}  "
            f"{score.parameters} parameters  {score.seconds:.1f} s"
            + (f", {seconds_text(left)} left" if len(rungs) < 2 else "")
        )

    def on_retest(again: Any, trial: Any, place: int, n: int) -> None:
        head = f"re-test {place}/{n}  trial {trial.number + 1}"
        if again.score is None:
            talk.warn(f"{head}  {again.status}: {again.error}")
            return
        first, new = trial.value(strategy.objective), again.value(strategy.objective)
        what = strategy.objective.replace("_", " ").replace("ua", _name(again.score.names[0]))
        talk.say(f"{head}  validation {what} {new:.3f}, first {first:.3f}  {again.score.seconds:.1f} s")

    def on_generation(record: dict[str, Any]) -> None:
        key = next(name for name in record if name not in ("generation", "generations", "loss"))
        talk.say(
            f"generation {record['generation'] + 1}/{record['generations']}  best path: {_name(key)} {record[key]:.3f} "
            f"balanced loss {record['loss']:.3f} (alphas part)"
        )

    return SearchListener(on_step, on_epoch, on_trial, on_retest, on_generation)


def _scores_text(record: Mapping[str, Any]) -> str:
    """The main score of the mixture and of the network cut out of it."""
    key = next(name for name in record if name.startswith("network_")).removeprefix("network_")
    if f"supernet_{key}" not in record:
        return f"{_name(key)} one path {record[f'network_{key}']:.3f}"
    return f"{_name(key)} supernet {record[f'supernet_{key}']:.3f} network {record[f'network_{key}']:.3f}"


def _losses_text(record: Mapping[str, Any]) -> str:
    """The losses of the parts that trained: the alphas rest in a warm-up, and paths have none."""
    parts = {"weights": record["weights_loss"], "alphas": record["alphas_loss"]}
    return " ".join(f"{part} {loss:.3f}" for part, loss in parts.items() if loss is not None)


def _alphas_text(record: Mapping[str, Any]) -> str:
    if "alphas" not in record:
        return ""
    skips = f"skips {record['skips']}  " if record["skips_of"] else ""
    return f"entropy {next(iter(record['entropy'].values())):.2f}  {skips}"


def _name(key: str) -> str:
    return measure_of_key(key).name
