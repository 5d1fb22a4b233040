"""How far a retraining or a pre-training has come: trainings done, epochs of the one under way, scores so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audionas.audio.folds import split_folder
from audionas.errors import AudionasError
from audionas.records import read_jsonl
from audionas.training.measures import measures_of
from audionas.watching.fold_scores import score_of_table
from audionas.watching.genotype_lines import genotype_lines
from audionas.watching.headline import headline_texts
from audionas.watching.nested import inner_course, read_if_there
from audionas.watching.snapshot import Course, Part, Progress, Series
from audionas.watching.time_left import seconds_left

Line = Mapping[str, Any]


@dataclass(frozen=True)
class _Training:
    """One (split, seed): the epochs of its own training, and those of its inner ones."""

    split: str
    seed: int
    folder: Path
    history: list[Line]
    inner: list[Line]
    is_done: bool

    @property
    def name(self) -> str:
        return f"split {self.split}, seed {self.seed}"


def retrain_course(run: Path, record: Line) -> Course:
    """The course of a retraining: every split and seed."""
    names = list(record.get("genotypes") or {})
    jobs = [(name, seed) for name in names for seed in record.get("seeds") or [0]]
    trainings = [_training(run, split, seed) for split, seed in jobs]
    done = [each for each in trainings if each.is_done]
    under_way = next((each for each in trainings if not each.is_done and (each.history or each.inner)), None)
    epochs = int(record.get("epochs") or 1)
    progress = [Progress("trainings", len(done), len(jobs), _seconds_left(trainings, epochs, _n_each(record)))]
    if under_way is not None:
        progress.append(Progress(f"epochs of {under_way.name}", len(under_way.history), epochs))
    elif (tuning := _tuning(run, names)) is not None:
        progress.append(Progress(f"settings compared in split {tuning[0]}", tuning[1]))
    shown = under_way or (done[-1] if done else None)
    metrics = read_if_there(run / "metrics.json", "metrics file")
    split = shown.split if shown else next(iter(names), None)
    document = read_if_there(run / split_folder(split) / "genotype.json", "genotype") if split else None
    return Course(
        progress=tuple(progress),
        scores=(*headline_texts(metrics), *_latest(shown)),
        series=_series(shown),
        genotype=genotype_lines(document) if document else (),
        parts=_parts(trainings, record),
        current=shown.name if shown else None,
    )


def pretrain_course(run: Path, record: Line) -> Course:
    """The course of a pre-training, or of one for each split."""
    if record.get("splits") and "split" not in record:
        folders = {f"split {name}": run / split_folder(name) for name in record["splits"]}
        return inner_course("splits", folders, pretrain_course)
    history = read_jsonl(run / "history.jsonl")
    total = int((record.get("plan") or {}).get("epochs") or 0) or None
    taken = record.get("epoch_used")
    return Course(
        progress=(
            Progress(
                "epochs at most",
                len(history),
                total,
                seconds_left(history, None if total is None else total - len(history)),
            ),
        ),
        scores=tuple(
            (key.replace("_", " "), f"{history[-1][key]:.4f}")
            for key in ("train_loss", "validation_loss")
            if history and isinstance(history[-1].get(key), int | float)
        ),
        series=_losses(history),
        best=None if taken is None else f"epoch {taken + 1} of {len(history)} is taken",
    )


def _training(run: Path, split: str, seed: int) -> _Training:
    folder = run / split_folder(split) / f"seed_{seed}"
    inner = [line for path in sorted(folder.glob("inner_*/history.jsonl")) for line in read_jsonl(path)]
    return _Training(
        split, seed, folder, read_jsonl(folder / "history.jsonl"), inner, (folder / "result.json").exists()
    )


def _n_each(record: Line) -> int:
    """Trainings of each split and seed: its own, and the inner ones."""
    return 1 + int((record.get("options") or {}).get("inner_folds") or 0)


def _seconds_left(trainings: Sequence[_Training], epochs: int, n_each: int) -> float | None:
    """From the mean time of the epochs so far; a training that is done counts none, however early it stopped."""
    lines = [line for each in trainings for line in (*each.history, *each.inner)]
    under_way = [each for each in trainings if not each.is_done]
    return seconds_left(lines, sum(max(0, epochs * n_each - len(each.history) - len(each.inner)) for each in under_way))


def _tuning(run: Path, names: Sequence[str]) -> tuple[str, int] | None:
    """The split that chooses its settings, and how many inner trainings of that are done."""
    for name in names:
        folder = run / split_folder(name)
        if (folder / "tuning").is_dir() and not (folder / "tuning.json").exists():
            return name, len(list((folder / "tuning").rglob("result.json")))
    return None


def _latest(shown: _Training | None) -> tuple[tuple[str, str], ...]:
    if shown is None or not shown.history:
        return ()
    last = shown.history[-1]
    return tuple(
        (f"{key.replace('_', ' ')} of epoch {len(shown.history)}", f"{value:.4f}")
        for key, value in last.items()
        if key not in ("epoch", "seconds") and isinstance(value, int | float)
    )


def _series(shown: _Training | None) -> tuple[Series, ...]:
    return _losses(shown.history) if shown else ()


def _losses(history: Sequence[Line]) -> tuple[Series, ...]:
    """Every column of a history that is a number in at least one line."""
    keys = dict.fromkeys(key for line in history for key in line if key not in ("epoch", "seconds"))
    found = [Series(key.replace("_", " "), tuple(_number(line.get(key)) for line in history)) for key in keys]
    return tuple(each for each in found if any(value is not None for value in each.values))


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) else None


def _parts(trainings: Sequence[_Training], record: Line) -> tuple[Part, ...]:
    """Each split with the main score of the seeds that are done."""
    main, _ = measures_of(record.get("data") or {})
    parts = []
    for split in dict.fromkeys(each.split for each in trainings):
        own = [each for each in trainings if each.split == split]
        n_done = sum(each.is_done for each in own)
        has_begun = any(each.history or each.inner or each.is_done for each in own)
        state = "done" if n_done == len(own) else "running" if has_begun else "waiting"
        scores = [_score(each, main.key) for each in own if each.is_done]
        known = [f"{value:.3f}" for value in scores if value is not None]
        text = f"{n_done}/{len(own)} seeds" + (f", {main.name} {' '.join(known)}" if known else "")
        parts.append(Part(f"split {split}", state, text if has_begun else ""))
    return tuple(parts)


def _score(training: _Training, key: str) -> float | None:
    try:
        return score_of_table(training.folder / "predictions.csv", key)
    except AudionasError:  # damaged or of a training that diverged: `audionas verify` says more
        return None
