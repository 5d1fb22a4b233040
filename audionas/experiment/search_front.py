"""`front.json` and `front/<k>.json`: what a search with several objectives leaves besides its winner."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from audionas.experiment.run_folder import RunFolder
from audionas.records import write_json
from audionas.run_places import FRONT
from audionas.search import SearchResult, Strategy
from audionas.search.candidate_costs import cost_of, costs_asked
from audionas.search.front import front
from audionas.search.trials import FILE_NAME, Trial, TrialLog
from audionas.spaces import SearchSpace
from audionas.spaces.genotype_file import save_genotype

FRONT_FILE, FOLDER = "front.json", FRONT


def write_front(
    run: RunFolder,
    space: SearchSpace,
    strategy: Strategy,
    result: SearchResult,
    provenance: Callable[[SearchResult], dict[str, Any]],
) -> None:
    """Write the trials that no other dominates, best by the objective first; nothing where there is one objective.

    Args:
        result: of the search; `provenance` says where the genotype of such a result comes from.
    """
    document, best = front_document(TrialLog(run.path / FILE_NAME), strategy)
    if not document:
        return
    shutil.rmtree(run.path / FOLDER, ignore_errors=True)  # of a search that was killed here
    for k, trial in enumerate(best, start=1):
        genotype = space.genotype(dict(trial.sample))
        its = replace(result, genotype=genotype, epoch_or_trial=trial.number)
        save_genotype(genotype, run.path / FOLDER / f"{k}.json", provenance(its))
    write_json(run.path / FRONT_FILE, document)


def front_document(log: TrialLog, strategy: Strategy) -> tuple[dict[str, Any], list[Trial]]:
    """What `front.json` holds, from the log of the trials, and the trials of the front; empty with one objective."""
    costs = costs_asked(strategy.algorithm, strategy.settings)
    if not costs:
        return {}, []
    ranked = log.ranked(strategy.objective)
    best = front(ranked, strategy.objective, costs)
    points = [_point(k, trial, strategy.objective, costs) for k, trial in enumerate(best, start=1)]
    return {
        "schema_version": 1, "objective": strategy.objective, "costs": list(costs), "compared": len(ranked),
        "scored_on": "validation clips, used to choose: no results", "points": points,
    }, best  # fmt: skip


def _point(k: int, trial: Trial, objective: str, costs: tuple[str, ...]) -> dict[str, Any]:
    assert trial.score is not None
    return {
        "file": f"{FOLDER}/{k}.json", "trial": trial.number, "hash": trial.hash, objective: trial.value(objective),
        **{name: trial.score.parameters if name == "parameters" else cost_of(trial.score, name) for name in costs},
    }  # fmt: skip
