"""The second half of a single-path search: an evolution over the trained supernet, on the alphas part.

Of ENAS it has one generation, which the trained controller draws.
Sources: Guo et al. 2020 (SPOS), section 3.4; Pham et al. 2018 (ENAS), section 2.3. Difference from SPOS:
BN takes the statistics of each scored batch, so those of the path itself; SPOS estimates them from training clips.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor

from audionas.models import Supernet
from audionas.models.supernet import batch_statistics
from audionas.search.algorithms import evolution_of, path_draws
from audionas.search.epoch_log import SCORE_BATCH
from audionas.search.evaluator import SearchData, TrainingEvaluator
from audionas.search.evolution import EVOLUTION_FILE, EvolutionLog, ScoredPath, evolve
from audionas.search.limits import LimitCheck
from audionas.search.limits_smallest import smallest_within, within_limits
from audionas.search.listener import SearchListener
from audionas.search.strategy import Strategy
from audionas.search.supernet_ranking import load_supernet
from audionas.seeding import generator
from audionas.spaces import Genotype, SearchSpace
from audionas.training.ledger import count
from audionas.training.scoring import predict_clips


def search_paths(
    space: SearchSpace,
    strategy: Strategy,
    evaluator: TrainingEvaluator,
    seed: int,
    run: Path,
    listener: SearchListener,
    limits: LimitCheck | None = None,
) -> Genotype:
    """The best path of the supernet in a run's checkpoint; every scored path stands in `evolution.jsonl`.

    Paths over a limit are not scored; the smallest network of the space is the first that is.
    """
    plan, data = evolution_of(strategy.algorithm, strategy.settings), evaluator.data
    assert plan is not None
    supernet = load_supernet(run, space, data, strategy.mixing()).to(evaluator.device)
    main = data.task.main
    log, draw = EvolutionLog(run / EVOLUTION_FILE, main), path_draws(strategy.algorithm, run, space)

    def score(genotype: Genotype) -> tuple[float, float]:
        count(compared=1)
        return path_score(supernet, genotype, data, "alphas", seed)

    def told(generation: int, best: ScoredPath) -> None:
        listener.on_generation({
            "generation": generation, "generations": plan.generations, main: best.score, "loss": best.loss,
        })  # fmt: skip

    if limits:
        first = smallest_within(limits.limits, space, limits.meter)
        best = evolve(space, plan, seed, score, log, told, within_limits(limits, space), first, draw)
    else:
        best = evolve(space, plan, seed, score, log, told, draw=draw)
    log.chosen(_chosen_record(best, supernet, data, main, seed))
    return best.genotype


def path_score(supernet: Supernet, genotype: Genotype, data: SearchData, part: str, seed: int) -> tuple[float, float]:
    """Main score and balanced loss of a path on a part, BN with the statistics of the scored clips.

    The order of the clips, and so the batches, is keyed by (seed, "evolution", "score"): the same for each path.
    """
    rows = list(data.parts[part])
    generator(seed, "evolution", "score").shuffle(rows)

    def path(x: Tensor, lengths: Tensor | None = None) -> Tensor:
        return supernet(x, lengths, genotype)  # type: ignore[no-any-return]

    with batch_statistics(supernet):
        found = predict_clips(
            path, data.tensors, data.manifest, rows, data.task,
            part=part, batch_size=SCORE_BATCH, device=supernet.weights_device,
        )  # fmt: skip
    balanced = data.task.losses(found.truth, found.scores)[1]
    return data.task.metrics(found.truth, found.scores, found.labels).primary.value, balanced


def _chosen_record(best: ScoredPath, supernet: Supernet, data: SearchData, main: str, seed: int) -> dict[str, Any]:
    """The winner, with its score on the monitor part where there is one."""
    has_monitor = bool(data.parts.get("monitor"))
    score = path_score(supernet, best.genotype, data, "monitor", seed)[0] if has_monitor else best.score
    return {
        "number": best.number,
        "hash": best.genotype.hash,
        f"alphas_{main}": best.score,
        f"network_{main}": score,
        "scored_on": "monitor" if has_monitor else "used by the search",
    }
