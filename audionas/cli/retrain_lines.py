"""What `audionas retrain` prints of its `metrics.json`."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def result_lines(run: Path, metrics: dict[str, Any]) -> list[str]:
    """What `audionas retrain` prints of a `metrics.json`."""
    from audionas.experiment.group_scores import worst_group_line
    from audionas.experiment.noise_scores import noise_lines
    from audionas.experiment.second_task_scores import second_task_lines
    from audionas.quantities import count_text
    from audionas.training.measures import measures_of

    main, second = measures_of(metrics)
    lines = [f"run: {run}", f"parameters: {metrics['parameters']}"]
    for name in ("headline", "all_splits"):
        found = metrics[name]
        if found is None:
            lines.append("headline: none, the search has read clips of every test fold (see --nested, --exclude-fold)")
            continue
        lines.append(
            f"{name}: {_chance(found)}{main.name} {_pm(found, main.key)}{_interval(found, main.key)}, "
            f"{second.name} {_pm(found, second.key)}, "
            f"{found['n_clips']} clips, {count_text(len(found['seeds']), 'seed')}"
        )
        lines.append(f"  = {found['what']}")
        lines += _evidence(found)
    if not metrics["speaker_independence_checked"]:
        lines.append("speaker independence not checked")
    worst = worst_group_line(metrics)
    lines += [*([worst] if worst else []), *second_task_lines(metrics), *noise_lines(metrics)]
    lines += [
        f"beside it, on the headline's folds: {b['name']}: {main.name} {b[main.key]:.3f}"
        for b in metrics["baselines"]["headline"]
    ]
    return [*lines, f"next: audionas report {page_of(run)}"]


def page_of(run: Path) -> Path:
    """The run whose report shows this retraining: the search's that it lies in, else its own."""
    from audionas.records import read_json

    is_inside = (run.parent / "genotype.json").exists() or run.name.startswith("retrained")
    file = run.parent / "run.json"
    is_search = file.exists() and read_json(file, "run file").get("kind") in ("search", "nested_search")
    return run.parent if is_inside and (is_search or not file.exists()) else run


def _chance(found: dict[str, Any]) -> str:
    """What leads a score that is not above chance, whatever WA is."""
    from audionas.quantities import p_text
    from audionas.statistics.chance import NOT_ABOVE

    return f"{NOT_ABOVE} (p {p_text(found['chance']['p'])}): " if found["verdict"] == NOT_ABOVE else ""


def _interval(found: dict[str, Any], key: str) -> str:
    bounds = found[f"{key}_interval"]
    return f" [{bounds[0]:.3f}, {bounds[1]:.3f}]" if bounds else ""


def _evidence(found: dict[str, Any]) -> list[str]:
    """What the interval and the p are, and why no claim about speakers is possible."""
    from audionas.quantities import p_text

    against = found["chance"]
    lines = [
        f"  {found['interval']}; {found['verdict']}: p {p_text(against['p'])}, {against['how']}, "
        f"{against['permutations']:,} permutations"
    ]
    return [*lines, f"  {found['claim']}"] if found["claim"] else lines


def _pm(found: dict[str, Any], name: str) -> str:
    spread = found[f"{name}_sd"]
    return f"{found[name]:.3f}" + (f" +- {spread:.3f}" if spread is not None else "")
