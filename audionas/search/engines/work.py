"""One job done, in whatever process: the candidate trained and scored, or failed with its reason."""

from __future__ import annotations

import math

from audionas.search.engines.contract import Evaluator, Job, Outcome

_NUMBERS = ("ua", "wa", "loss", "balanced_loss")


def work(evaluator: Evaluator, job: Job) -> Outcome:
    """The outcome of a job. Whatever it raises, interrupts aside, makes a failed trial; the search goes on."""
    share = {} if job.fraction == 1.0 else {"fraction": job.fraction}
    try:
        score = evaluator.evaluate(job.genotype, epochs=job.epochs, seed=job.seed, **share)
    except Exception as why:  # noqa: BLE001 - a candidate may break anything, and the search goes on
        return Outcome(job.number, None, reason(why))
    wrong = [f"{name} is {getattr(score, name)}" for name in _NUMBERS if not math.isfinite(getattr(score, name))]
    if wrong:
        return Outcome(job.number, None, f"a score is not finite: {', '.join(wrong)}")
    return Outcome(job.number, score)


def reason(why: BaseException) -> str:
    """One line that says what went wrong: the error's class and its text.

    >>> reason(ValueError("a\\nb"))
    'ValueError: a b'
    """
    text = " ".join(str(why).split())
    if isinstance(why, RuntimeError) and ("allocate memory" in text or "not enough memory" in text):
        return f"out of memory: {text}"  # torch's allocator of CPU memory raises no class of its own
    return f"{type(why).__name__}: {text}" if text else type(why).__name__
