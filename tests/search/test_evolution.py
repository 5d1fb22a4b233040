"""The evolution over paths: keyed, without repetition, resumable from its log, and better than random draws."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from audionas.search.evolution import EvolutionLog, EvolutionPlan, ScoredPath, evolve
from audionas.spaces import CnnCellSpace, Genotype
from audionas.spaces.derived import derived_genotype

SPACE = CnnCellSpace(nodes=2, ops=("none", "skip_connect", "sep_conv_3x3", "avg_pool_3x3"), macro={"n_cells": 2})
PLAN = EvolutionPlan(population=12, generations=8, parents=4, mutation=0.15)


def n_convolutions(genotype: Genotype) -> tuple[float, float]:
    """A score to maximise: how many of the eight edges are convolutions; the loss prefers early inputs."""
    edges = [*genotype.normal, *genotype.reduce]  # type: ignore[union-attr]
    return float(sum(op == "sep_conv_3x3" for op, _ in edges)), float(sum(source for _, source in edges))


def run(folder: Path, plan: EvolutionPlan = PLAN, seed: int = 0, stop_after: int | None = None) -> ScoredPath:
    scored: list[Genotype] = []

    def score(genotype: Genotype) -> tuple[float, float]:
        if len(scored) == stop_after:
            raise KeyboardInterrupt
        scored.append(genotype)
        return n_convolutions(genotype)

    folder.mkdir(exist_ok=True)
    log = EvolutionLog(folder / "evolution.jsonl", "ua")
    best = evolve(SPACE, plan, seed, score, log, lambda *_: None)
    log.chosen({"hash": best.genotype.hash, "n_scored": len(scored)})
    return best


def logged(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "evolution.jsonl").read_text().splitlines()]


def test_it_finds_better_paths_than_as_many_random_draws(tmp_path: Path) -> None:
    """Random draws have 8/3 of 8 convolutions in the mean; 8 of 8 has a chance of 3^-8 a draw."""
    found = [run(tmp_path / str(seed), seed=seed).score for seed in range(5)]
    rng = np.random.default_rng(0)
    random = [max(n_convolutions(SPACE.random(rng))[0] for _ in range(12 * 8)) for _ in range(5)]
    assert min(found) >= 7
    assert np.mean(found) > np.mean(random)


def test_equal_scores_are_decided_by_the_loss(tmp_path: Path) -> None:
    best = run(tmp_path)
    rows = [line for line in logged(tmp_path) if "number" in line]
    of_best = [row["loss"] for row in rows if row["ua"] == best.score]
    assert best.loss == min(of_best)


def test_every_path_is_scored_once_and_told_apart_by_generation(tmp_path: Path) -> None:
    run(tmp_path)
    rows = [line for line in logged(tmp_path) if "number" in line]
    assert [row["number"] for row in rows] == list(range(12 * 8))
    assert len({row["hash"] for row in rows}) == 12 * 8
    assert [row["generation"] for row in rows] == [i // 12 for i in range(12 * 8)]
    for row in rows[::7]:
        genotype = derived_genotype(SPACE, row["genotype"])
        SPACE.check(genotype)
        assert genotype.hash == row["hash"]
        assert n_convolutions(genotype) == (row["ua"], row["loss"])


def test_a_stopped_evolution_ends_as_the_whole_one_and_scores_nothing_twice(tmp_path: Path) -> None:
    run(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "torn", stop_after=30)
    with (tmp_path / "torn" / "evolution.jsonl").open("a") as log:
        log.write('{"number": 30, "ha')  # a torn line
    run(tmp_path / "torn")
    whole, torn = logged(tmp_path / "whole"), logged(tmp_path / "torn")
    assert whole[:-1] == torn[:-1]
    assert whole[-1]["chosen"]["hash"] == torn[-1]["chosen"]["hash"]
    assert torn[-1]["chosen"]["n_scored"] == 12 * 8 - 30


def test_the_seed_fixes_the_paths(tmp_path: Path) -> None:
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        run(tmp_path / name, seed=seed)
    hashes = [[row.get("hash") for row in logged(tmp_path / name)] for name in "abc"]
    assert hashes[0] == hashes[1] != hashes[2]


def test_a_space_smaller_than_the_population_is_scored_whole(tmp_path: Path) -> None:
    small = CnnCellSpace(nodes=1, ops=("none", "skip_connect", "sep_conv_3x3"), macro={"n_cells": 2})
    seen: list[str] = []

    def score(genotype: Genotype) -> tuple[float, float]:
        seen.append(genotype.hash)
        return n_convolutions(genotype)

    best = evolve(small, PLAN, 0, score, EvolutionLog(tmp_path / "evolution.jsonl", "ua"), lambda *_: None)
    assert best.score == 4
    assert len(seen) == len(set(seen)) <= small.size() == 16


def test_a_path_that_is_not_allowed_is_never_scored_and_the_first_one_is_given(tmp_path: Path) -> None:
    def few(genotype: Genotype) -> bool:
        return n_convolutions(genotype)[0] <= 2

    first = SPACE.genotype({label: options[0] for label, options in SPACE.choices().items()})
    log = EvolutionLog(tmp_path / "evolution.jsonl", "ua")
    best = evolve(SPACE, PLAN, 0, n_convolutions, log, lambda *_: None, few, first)
    rows = [line for line in logged(tmp_path) if "number" in line]
    assert rows[0]["hash"] == first.hash
    assert max(row["ua"] for row in rows) == best.score == 2
    assert [row["number"] for row in rows] == list(range(len(rows)))


def test_where_nothing_else_is_allowed_the_first_path_wins(tmp_path: Path) -> None:
    first = SPACE.genotype({label: options[0] for label, options in SPACE.choices().items()})
    log = EvolutionLog(tmp_path / "evolution.jsonl", "ua")
    plan = EvolutionPlan(population=2, generations=2)
    best = evolve(SPACE, plan, 0, n_convolutions, log, lambda *_: None, lambda _: False, first)
    assert best.genotype.hash == first.hash
