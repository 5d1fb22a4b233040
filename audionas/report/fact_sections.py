"""The parts of the page that say what was read, how the search was set up, and what was spent."""

from __future__ import annotations

from audionas.quantities import count_text, seconds_text
from audionas.report.blocks import Facts, Section
from audionas.report.limit_rows import limit_rows
from audionas.report.quantities import group_word, plain
from audionas.report.run_files import JsonObject, RunFiles, SearchRun
from audionas.report.trial_sections import objective_text
from audionas.report.trials import is_lower_better
from audionas.training.measures import measures_of

_LABEL_WORDS = {"multilabel": "labels, several a clip", "regression": "targets"}


def search_facts(files: RunFiles) -> Section | None:
    """What was read, and how the search was set up."""
    data = files.data
    retrained = files.retraining.run if files.retraining else {}
    top = files.searches[0].run if files.searches else retrained
    if not data and not files.searches:
        return None
    labels = data.get("labels") or []
    groups = count_text(data.get("n_groups"), group_word(data))
    rows = [
        ("data set", f"{data.get('dataset', 'unnamed')} in {data.get('root', 'an unknown folder')}"),
        ("clips", count_text(data.get("n_clips"), "clip")),
        ("groups", f"{groups} (from: {data.get('group_source', 'unknown')})"),
        ("folds", f"from: {data.get('fold_source', 'unknown')}"),
        (_LABEL_WORDS.get(str(data.get("task")), "labels"), f"{len(labels)}: {plain(labels)}"),
        ("features", plain(top.get("features"))),
    ]
    if top.get("input_shape"):
        rows.append(("input shape", plain(top["input_shape"])))
    delay = top.get("delay") or retrained.get("delay")
    if delay:
        rows.append(("algorithmic delay", _delay_text(delay)))
    if files.searches:
        rows += _set_up(files.searches[0], files.is_nested)
    where = " (of the first of the nested searches)" if files.is_nested else ""
    return Section("facts", f"Data and settings{where}", (Facts(tuple(rows)),))


def _delay_text(delay: JsonObject) -> str:
    parts = ", ".join(f"{name} {delay[f'{name}_ms']:.1f}" for name in ("window", "hop", "lookahead"))
    return f"{delay['total_ms']:.1f} ms ({parts}): causal, no output reads a later frame than the lookahead says"


def _set_up(search: SearchRun, is_nested: bool) -> list[tuple[str, str]]:
    run = search.run
    left_out = run.get("split")
    parts = {name: part for name, part in (run.get("parts") or {}).items() if part}
    rows = [
        ("search space", str(run.get("space", "unknown"))),
        ("strategy", f"{run.get('strategy', 'unknown')} (algorithm: {run.get('algorithm', 'unknown')})"),
        ("test fold left out", f"{left_out}" if left_out else "none: this search read every fold"),
        *(
            (
                f"part: {name}",
                f"{count_text(part.get('n_clips'), 'clip')}, {count_text(part.get('n_groups'), 'group')}",
            )
            for name, part in parts.items()
        ),
        ("epochs", plain(run.get("epochs")) + (" a trial" if search.is_multi_trial else "")),
        ("batch size", plain(run.get("batch_size"))),
    ]
    if search.is_multi_trial:
        rows += _trial_rows(search)
    else:
        rows.append(("steps an epoch", plain(run.get("steps_per_epoch"))))
    reach = run.get("alpha_reach")
    if reach is not None:
        rows.append(
            (
                "reach of an alpha",
                f"{reach:.2f} = steps × learning rate, the farthest that Adam can move an alpha; below 1 the "
                "cells hardly differ from chance",
            )
        )
    if is_nested:
        rows[2] = ("test fold left out", "each search leaves out its own")
    return [*rows, *limit_rows(run), ("seed", plain(run.get("seed")))]


def _trial_rows(search: SearchRun) -> list[tuple[str, str]]:
    main, _ = measures_of(search.run.get("data") or {})
    better = "lower" if is_lower_better(search.objective) else "higher"
    rows = [
        ("trials", plain(search.run.get("trials"))),
        ("decided by", f"{objective_text(search.objective, main.name)}; {better} is better"),
    ]
    folds, division = search.run.get("inner_folds"), search.run.get("retest_division") or {}
    if folds:
        rows.append(("inner folds", f"{folds}: each trial is trained {folds} times, each time without one of them"))
    if division:
        rows.append(("re-test", f"{plain(search.run.get('retests'))} best trials; {division.get('how', '')}"))
    if search.strategy.get("score_epoch"):
        which = "the best epoch by what decides" if search.strategy["score_epoch"] == "best" else "the last epoch"
        rows.append(("a trial is scored at", which))
    if search.strategy.get("stop_diverging"):
        limit = plain(search.strategy["stop_diverging"])
        rows.append(("a trial fails", f"when its training loss rises above {limit} times that of guessing"))
    return rows


def _ledger_text(cost: JsonObject) -> str:
    """Clip-passes, device seconds and energy, as far as they were counted."""
    passes = cost.get("clip_passes") or {}
    text = ""
    if passes.get("forward"):
        text += f"; clip-passes: {passes['forward']:,} forward, {passes.get('backward', 0):,} backward"
    if cost.get("device_seconds"):
        text += f"; {seconds_text(cost['device_seconds'])} of the device"
    if cost.get("energy_joules"):
        text += f"; {cost['energy_joules'] / 3600:,.1f} Wh (whole processor or card)"
    return text


def cost_rows(files: RunFiles) -> list[tuple[str, str]]:
    """What was spent, and what had been estimated."""
    rows = []
    costs = [search.run.get("cost") or {} for search in files.searches]
    for search, cost in zip(files.searches, costs, strict=True):
        name = f"search of split {search.split}" if search.split else "search"
        estimate = search.run.get("estimate") or {}
        is_running = search.run.get("status") == "running"
        text = "not known before it ends" if is_running else seconds_text(cost.get("seconds"))
        text += "" if is_running else _ledger_text(cost)
        if estimate.get("seconds") is not None:
            memory = plain(estimate.get("memory_mb"))
            text += f" (estimated before: {seconds_text(estimate['seconds'])}, {memory} MB)"
        rows.append((name, text))
    if files.retraining:
        cost = files.retraining.run.get("cost") or {}
        rows.append(("retraining", seconds_text(cost.get("seconds")) + _ledger_text(cost)))
        for name, step in (cost.get("steps") or {}).items():
            if name != "retraining":
                rows.append((f"of these for {name}", seconds_text(step.get("seconds"))))
    run = files.searches[0].run if files.searches else files.top
    rows.append(("device", f"{run.get('device', 'unknown')}, {count_text(run.get('threads'), 'thread')}"))
    if run.get("kernel_path"):
        rows.append(("kernels", str(run["kernel_path"])))
    return rows
