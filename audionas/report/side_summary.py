"""The row of a run in the table of several runs, whatever kind it is of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audionas.quantities import count_text, seconds_text
from audionas.report.quantities import data_name, group_word, interval_text, score_text
from audionas.report.run_files import JsonObject, RunFiles
from audionas.training.measures import Measure, measures_of

KINDS = {
    "search": "search", "nested_search": "nested search", "retrain": "retraining", "fuse": "fusion",
    "evaluate": "evaluation", "reproduce": "reproduction", "compare": "comparison",
}  # fmt: skip
HEAD = ("run", "kind", "what", "data", "genotype", "parameters", "time of search and retraining")
SCORE_HEAD = ("run", "main score", "95 % of it", "second score", "test clips", "clean")
NONE = "none"


def summary_row(name: str, files: RunFiles) -> tuple[str, ...]:
    """What a run is, in the order of `HEAD`."""
    _, metrics = scores_of(files)
    status = str(files.top.get("status", "unknown"))
    return (
        name,
        KINDS.get(files.kind, files.kind) + ("" if status == "done" else f", {status}"),
        _what(files),
        data_name(files.data) if files.data else NONE,
        _hashes(files),
        _parameters(files, metrics),
        _time(files),
    )


def score_row(name: str, files: RunFiles) -> tuple[str, ...]:
    """What a run scores, in the order of `SCORE_HEAD`."""
    scores, metrics = scores_of(files)
    main, second = measures_of(metrics)
    interval = interval_text(scores.get(f"{main.key}_interval"))
    clips, clean = _clips(files, scores), _clean(files, metrics)
    return name, _score(scores, main), interval, _score(scores, second), clips, clean


def scores_of(files: RunFiles) -> tuple[JsonObject, JsonObject]:
    """The scores that stand for a run, and the document that they are from; both empty where it has none."""
    if files.kind == "fuse":
        metrics = files.fusion or {}
        found = metrics.get("headline") or metrics.get("all_splits") or {}
        row: JsonObject = next((row for row in found.get("rows") or [] if row.get("kind") == "mlp"), {})
        return {**row, "n_clips": found.get("n_clips"), "n_groups": found.get("n_groups")} if row else {}, metrics
    metrics = (
        files.evaluation if files.kind == "evaluate" else (files.retraining.metrics if files.retraining else None)
    ) or {}
    return metrics.get("headline") or metrics.get("all_splits") or {}, metrics


def _score(scores: JsonObject, measure: Measure) -> str:
    """A score with its sd, or nothing."""
    if measure.key not in scores:
        return NONE
    n_seeds = len(scores.get("seeds") or scores.get("per_seed") or [])
    return f"{measure.name} {score_text(scores[measure.key], scores.get(f'{measure.key}_sd'), n_seeds)}"


def _hashes(files: RunFiles) -> str:
    """The genotypes found, each once."""
    found = [str(search.genotype.get("hash", NONE))[:12] for search in files.searches if search.genotype]
    return ", ".join(dict.fromkeys(found)) or NONE


def _what(files: RunFiles) -> str:
    """What was searched, or which system was trained."""
    if files.searches:
        run = files.searches[0].run
        return f"{run.get('space', 'a space')} with {run.get('strategy', 'a strategy')}"
    genotypes = list(files.retraining.genotypes.values()) if files.retraining else []
    if genotypes:
        first: Mapping[str, Any] = genotypes[0]
        strategy = (first.get("provenance") or {}).get("strategy")
        found = str(first.get("name") or first.get("space") or "a genotype")
        return f"{found} found by {strategy}" if strategy else found
    if files.kind == "fuse":
        return count_text(len(files.top.get("streams") or []), "stream")
    others = {"evaluate": "trained networks", "compare": "strategies compared", "reproduce": "a paper repeated"}
    return others.get(files.kind, NONE)


def _clips(files: RunFiles, scores: JsonObject) -> str:
    clips, groups = scores.get("n_clips"), scores.get("n_groups")
    if clips is None:
        return NONE
    return f"{clips:,}" + (f", {count_text(groups, group_word(files.data))}" if groups else "")


def _clean(files: RunFiles, metrics: JsonObject) -> str:
    """Whether the search has read no clip that is scored."""
    if not metrics or files.kind == "evaluate":
        return NONE if not metrics else "another corpus"
    if metrics.get("optimistic"):
        return "no: epochs chosen on the test folds"
    return "yes" if metrics.get("headline") else "no: seen by the search"


def _parameters(files: RunFiles, metrics: JsonObject) -> str:
    last: JsonObject = next((search.epochs[-1] for search in files.searches if search.epochs), {})
    found = metrics.get("parameters", None if files.is_nested else last.get("parameters"))
    return f"{found:,}" if isinstance(found, int) else NONE


def _time(files: RunFiles) -> str:
    """Search and retraining together, as far as they are on record."""
    runs = [search.run for search in files.searches] + ([files.retraining.run] if files.retraining else [])
    seconds = [(run.get("cost") or {}).get("seconds") for run in runs or [files.top]]
    known = [value for value in seconds if isinstance(value, int | float)]
    return seconds_text(sum(known)) if known else NONE
