"""How far a search has come: a supernet, trials, or the splits and restarts that are searches of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from audionas.errors import AudionasError
from audionas.records import parse_yaml
from audionas.run_places import restart_folder
from audionas.search_logs import read_epochs, read_evolution, read_trials
from audionas.training.measures import scored_by
from audionas.watching.genotype_lines import genotype_lines
from audionas.watching.nested import inner_course, read_if_there
from audionas.watching.snapshot import Course, Progress, Series
from audionas.watching.time_left import seconds_left
from audionas.watching.trials import trials_course

_LOSSES = {"weights_loss": "weights loss", "alphas_loss": "alphas loss"}


def search_course(run: Path, record: Mapping[str, Any]) -> Course:
    """The course of a search, a nested search, or a search with restarts."""
    if record.get("splits"):
        folders = {f"split {name}": run / f"split_{name}" for name in record["splits"]}
        return inner_course("splits", folders, search_course)
    if record.get("restarts") and "restart" not in record:
        folders = {f"restart {k}": run / restart_folder(k) for k in range(1, int(record["restarts"]) + 1)}
        return inner_course("restarts", folders, search_course)
    settings = _settings(run / "strategy.yaml")
    is_done = record.get("status") == "done"
    trials = read_trials(run / "trials.jsonl", is_done=is_done)
    if trials or record.get("trials"):
        return trials_course(run, record, settings, trials)
    return _supernet(run, record, settings, read_epochs(run / "epochs.jsonl", is_done=is_done))


def _supernet(
    run: Path, record: Mapping[str, Any], settings: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]
) -> Course:
    budget = settings.get("budget") or {}
    total = record.get("epochs") or budget.get("epochs")
    progress = [
        Progress("epochs", len(lines), total, seconds_left(lines, None if total is None else total - len(lines)))
    ]
    if (paths := _paths(run)) is not None:
        progress.append(Progress("paths scored", paths))
    last = lines[-1] if lines else {}
    found = read_if_there(run / "genotype.json", "genotype") or last.get("genotype") or {}
    return Course(
        progress=tuple(progress),
        scores=_scores(last),
        series=_series(lines),
        genotype=genotype_lines(found),
    )


def _paths(run: Path) -> int | None:
    """Scored paths of the evolution over single paths; None where there is none."""
    path = run / "evolution.jsonl"
    return sum("chosen" not in line for line in read_evolution(path)) if path.exists() else None


def _scores(last: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    if not last:
        return ()
    name = scored_by(last, "network")
    losses = [f"{_LOSSES[key].split()[0]} {last[key]:.3f}" for key in _LOSSES if last.get(key) is not None]
    both = [
        f"{part} {last[key]:.3f}"
        for part in ("supernet", "network")
        if last.get(key := f"{part}_{name.key}") is not None
    ]
    rows = {
        "loss": ", ".join(losses),
        name.name: ", ".join(both) + (f" ({last['scored_on']})" if last.get("scored_on") else ""),
        "entropy": ", ".join(f"{kind} {value:.2f}" for kind, value in (last.get("entropy") or {}).items()),
        "skips": f"{last['skips']} of {last['skips_of']} edges" if last.get("skips_of") else "",
        "parameters": f"{last['parameters']:,}" if isinstance(last.get("parameters"), int) else "",
        "alarm": str((last.get("alarm") or {}).get("why", "")),
    }
    return tuple((key, text) for key, text in rows.items() if text)


def _series(lines: Sequence[Mapping[str, Any]]) -> tuple[Series, ...]:
    main = scored_by(lines[-1] if lines else {}, "network")
    names = {**_LOSSES, f"supernet_{main.key}": f"{main.name} supernet", f"network_{main.key}": f"{main.name} network"}
    found = [Series(name, tuple(line.get(key) for line in lines)) for key, name in names.items()]
    return tuple(each for each in found if any(value is not None for value in each.values))


def _settings(path: Path) -> dict[str, Any]:
    """What a YAML file of the run holds; nothing where it is not there or cannot be read."""
    try:
        return parse_yaml(path.read_text(encoding="utf-8"), str(path))
    except (AudionasError, OSError, UnicodeDecodeError):
        return {}
