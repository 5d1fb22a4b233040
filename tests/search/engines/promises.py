"""What every engine with workers of its own promises; each test takes a running engine of two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from audionas.search.engines import Engine, Job, Outcome
from tests.search.engines.trials_that_go_wrong import GENOTYPE, Misbehaving, job


def run_all(engine: Engine, jobs: Sequence[Job]) -> dict[int, Outcome]:
    """Every job's outcome, at most two under way at a time."""
    waiting, outcomes, n_running = list(jobs), dict[int, Outcome](), 0
    while waiting or n_running:
        while waiting and n_running < engine.n_workers:
            engine.submit(waiting.pop(0))
            n_running += 1
        found = engine.next()
        assert found.number not in outcomes
        outcomes[found.number] = found
        n_running -= 1
    return outcomes


def a_trial_is_scored_as_it_would_be_here(engine: Engine, evaluator: Misbehaving) -> None:
    here = evaluator.evaluate(GENOTYPE, epochs=1, seed=100)
    outcomes = run_all(engine, [job(number) for number in (1, 2, 3)])
    assert [outcomes[number].score for number in (1, 2, 3)] == [here] * 3
    processes = {(evaluator.folder / f"trial_{100 * n}").read_text().split()[-1] for n in (1, 2, 3)}
    assert len(processes) <= 2, "processes live longer than a trial"


def a_trial_that_goes_wrong_is_one_failed_trial_with_its_reason(engine: Engine, timeout_s: float) -> dict[int, Outcome]:
    """Of the outcomes that it gives back, 0 died and 2 hung."""
    deeds = ("die", "score", "hang", "raise", "nan", "score", "score")
    outcomes = run_all(engine, [job(number, deed) for number, deed in enumerate(deeds)])
    errors = {number: outcome.error for number, outcome in outcomes.items()}
    assert errors[0] is not None
    assert errors[0].startswith("the worker died")
    assert errors[0].endswith("; perhaps out of memory")
    assert errors[2] == f"stopped after {timeout_s:g} s (--timeout)"
    assert (errors[3], errors[4]) == ("ValueError: a shape does not fit", "a score is not finite: ua is nan")
    assert [errors[number] for number in (1, 5, 6)] == [None] * 3
    assert [outcomes[number].status for number in range(7)] == [
        "failed", "done", "failed", "failed", "failed", "done", "done",
    ]  # fmt: skip
    return outcomes


def a_worker_has_one_thread_flushes_denormals_and_has_not_imported_nni(engine: Engine) -> None:
    outcomes = run_all(engine, [job(1, "threads"), job(2, "modules")])
    assert outcomes[1].error == "ValueError: 1 thread, 1e-39 is 0.0"
    assert outcomes[2].error == "ValueError: torch"


def what_a_trial_counted_comes_with_its_outcome(engine: Engine) -> None:
    for outcome in run_all(engine, [job(1), job(2, "raise")]).values():
        assert (outcome.costs["forward"], outcome.costs["backward"]) == (2, 1)
        assert 0 < outcome.costs["device_seconds"] < 10


def evaluator_of(folder: Path | str, deeds: Mapping[int, str] | None = None) -> Misbehaving:
    """One with values of its own to share."""
    return Misbehaving(Path(folder), np.linspace(0, 1, 1001), deeds or {})
