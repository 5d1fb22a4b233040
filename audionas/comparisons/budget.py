"""How many from-scratch trials cost as much as a one-shot search: both counted in clip-passes, forward and backward."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from audionas.errors import RunError
from audionas.search import Strategy
from audionas.search.algorithms import ALGORITHMS, evolution_of, setting_of
from audionas.search.retest import n_retests
from audionas.training.batches import n_batches_of


def trial_passes(strategy: Strategy, parts: Mapping[str, Sequence[int]]) -> int:
    """Clip-passes of one trial: there and back for each training clip and epoch, there for each scored clip.

    With inner folds the parts are these, and each clip trains in all trainings but one.
    """
    epochs = strategy.budget.epochs
    scorings = epochs if strategy.score_epoch == "best" else 1
    if strategy.inner_folds:
        n_clips = sum(map(len, parts.values()))
        return 2 * epochs * (strategy.inner_folds - 1) * n_clips + scorings * n_clips
    return 2 * epochs * len(parts["train"]) + scorings * len(parts["validation"])


def one_shot_passes(strategy: Strategy, parts: Mapping[str, Sequence[int]]) -> int:
    """Clip-passes of a one-shot search, before it runs: both parts there and back, two networks scored an epoch.

    The alphas part is cycled to as many batches as the weights part has; second order passes the weights part four
    times. Single paths pass the weights part alone, and the alphas part once for each path of their evolution; a
    controller sees the alphas part once for each of its `paths`.
    What a search really costs is in its ledger; where features train on all windows of a clip (`train_windows`), a clip
    counts as one here for every arm.
    """
    epochs, passes = strategy.budget.epochs, ALGORITHMS[strategy.algorithm].passes
    scored = len(parts.get("monitor") or parts["alphas"])
    n_steps = n_batches_of(len(parts["weights"]), strategy.batch_size)
    alphas = round(len(parts["alphas"]) * n_steps / n_batches_of(len(parts["alphas"]), strategy.batch_size))
    plan = evolution_of(strategy.algorithm, strategy.settings)
    if plan:
        paths = plan.generations * plan.population * len(parts["alphas"]) + len(parts.get("monitor") or ())
        drawn = int(setting_of(strategy.algorithm, strategy.settings, "paths", 0))
        return epochs * (2 * len(parts["weights"]) + drawn * alphas + scored) + paths
    resting = int(float(setting_of(strategy.algorithm, strategy.settings, "warmup", 0.0)) * epochs)
    ahead = 2 * (epochs - resting) * ((passes - 2) * len(parts["weights"]) + alphas)
    return 2 * epochs * len(parts["weights"]) + ahead + 2 * epochs * scored


def affordable_trials(strategy: Strategy, passes: int, divisions: Sequence[Mapping[str, Sequence[int]]]) -> int:
    """The most trials, re-tests of the best included, that cost no more than `passes` over all splits together.

    Of a zero-cost ranking no more than its draws.

    Raises:
        RunError: not even one.
    """
    each = sum(trial_passes(strategy, parts) for parts in divisions)
    draws = setting_of(strategy.algorithm, strategy.settings, "draws", 0) if strategy.algorithm == "zero_cost" else 0
    n = min(passes // each, draws or passes)
    while n and (n + n_retests(n, strategy.retest)) * each > passes:
        n -= 1
    if not n:
        raise RunError(
            f"the one-shot search costs {passes:,} clip-passes and one trial of {strategy.name!r} "
            f"({strategy.budget.epochs} epochs) {each:,}: give fewer --trial-epochs or more --search-epochs"
        )
    return n
