"""Hand-made networks beside the network of a page: what was trained under the same rules, or how to train it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev

from audionas.models.baselines import BASELINES
from audionas.report.hand_made_sections import hand_made
from audionas.report.quantities import score_text
from audionas.report.run_files import JsonObject, RunFiles
from audionas.training.measures import measures_of


@dataclass(frozen=True)
class Beside:
    """A network trained under the rules of a page's, scored on the same folds; `each` has the scores of each seed."""

    name: str
    parameters: int
    each: tuple[JsonObject, ...]

    def score(self, key: str) -> str:
        """Mean and sd over seeds of one score."""
        return _mean_sd([float(scores[key]) for scores in self.each])

    def recall(self, label: str) -> str:
        """Mean and sd over seeds of one class's recall; a class without test clips has none."""
        return _mean_sd([scores["recalls"][label] for scores in self.each if label in scores["recalls"]])

    def mean(self, key: str) -> float:
        """Mean over seeds."""
        return mean(float(scores[key]) for scores in self.each)


def beside_sentences(files: RunFiles) -> list[str]:
    """What the best of them reaches; nothing where there is none."""
    metrics = files.retraining.metrics if files.retraining else None
    if not files.beside or metrics is None:
        return []
    main, _ = measures_of(metrics)
    best = max(files.beside, key=lambda other: other.mean(main.key))
    who = "The network trained beside it" if len(files.beside) == 1 else f"The best of {len(files.beside)} networks"
    return [f"{who} under the same rules, {best.name}, reaches {main.name} {best.score(main.key)}."]


def beside_note(files: RunFiles) -> str:
    """How to have more of them on the page, and which were found and are not shown."""
    notes = [f"Not shown: {note}." for note in files.not_beside]
    if files.beside:
        notes.append("The other networks were trained under the same rules: folds, seeds, epochs, what is chosen how.")
    elif files.retraining and hand_made(files) is None:
        notes.append(_advice(files.folder, files.retraining.run))
    return " ".join(notes)


def _advice(folder: Path, run: JsonObject) -> str:
    """The command that trains another one under the same rules."""
    grid = run.get("tuning") or {}
    epochs = ",".join(map(str, grid.get("epochs") or [run.get("epochs")]))
    rates = [f"{rate:g}" for rate in grid.get("learning_rates") or []]
    flags = [("--epochs", epochs), ("--seeds", str(len(run.get("seeds") or [])))]
    flags += [("--learning-rate", ",".join(rates))] if len(rates) > 1 else []
    words = " ".join(f"{flag} {value}" for flag, value in flags)
    return (
        f"Hand-made networks stand here once they are trained: audionas retrain --baseline NAME "
        f"{shlex.quote(str(folder))} {words}, with what else this retraining was given; NAME is one of "
        f"{', '.join(BASELINES)}."
    )


def _mean_sd(values: list[float]) -> str:
    return (
        score_text(mean(values), stdev(values) if len(values) > 1 else None, len(values)) if values else "no test clips"
    )
