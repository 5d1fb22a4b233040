"""What `audionas rank` scores and how: random genotypes, each by the supernet and by two trainings of its own."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from audionas.audio.folds import find_split
from audionas.errors import RunError, SettingsError
from audionas.experiment.augmented_corpus import recorded_copies, with_copies
from audionas.experiment.corpus import load_corpus
from audionas.experiment.restarts import parts_seed
from audionas.experiment.run_folder import RunFolder
from audionas.experiment.search_divisions import trained_rows
from audionas.experiment.search_inputs import read_inputs
from audionas.experiment.search_plan import divide_search_clips
from audionas.experiment.talk import Talk
from audionas.models import Supernet
from audionas.run_places import course_folder
from audionas.search import SearchData, Strategy, TrainingEvaluator
from audionas.search.supernet_ranking import load_supernet, supernet_score
from audionas.seeding import derive, generator
from audionas.spaces import Genotype, RecurrentGenotype, SearchSpace
from audionas.spaces.derived import derived_document
from audionas.training.fit import NonFiniteLossError
from audionas.training.tasks import task_of

SEEDS = (0, 1)  # two trainings of each genotype: what they disagree on is the noise of retraining
MOST_ATTEMPTS = 20  # draws a genotype: a space may hold fewer distinct ones than were asked for


@dataclass(frozen=True)
class RankedSearch:
    """A finished one-shot search, ready to score genotypes on `part`, which trains no network here."""

    space: SearchSpace
    strategy: Strategy
    supernet: Supernet
    as_searched: SearchData
    alone: SearchData
    part: str

    @property
    def main(self) -> str:
        """Key of the score: ua, map or ccc."""
        return self.as_searched.task.main

    def score(self, genotype: Genotype, *, epochs: int, seed: int, device: str) -> dict[str, Any]:
        """One line of `genotypes.jsonl`: UA as a sub-network, and of a training from scratch with either seed.

        Other tasks have their main score, and its key, in the place of UA.
        """
        started = time.perf_counter()
        found = supernet_score(self.supernet, genotype, self.as_searched, self.part, seed)
        trained = [self._train(genotype, epochs, seed, which, device) for which in SEEDS]
        return {
            "hash": genotype.hash,
            "recipe" if isinstance(genotype, RecurrentGenotype) else "cells": derived_document(genotype),
            f"supernet_{self.main}": found,
            "retrained": trained,
            "seconds": round(time.perf_counter() - started, 3),
        }

    def _train(self, genotype: Genotype, epochs: int, seed: int, which: int, device: str) -> dict[str, Any]:
        assert self.strategy.recipe is not None
        evaluator = TrainingEvaluator(self.alone, self.strategy.recipe, device)
        try:
            score = evaluator.evaluate(genotype, epochs=epochs, seed=derive(seed, "rank", "training", which))
        except NonFiniteLossError as why:
            return {"seed": which, self.main: None, "failed": str(why)}
        return {"seed": which, self.main: score.ua, "parameters": score.parameters, "failed": None}


def open_ranked_search(path: Path, device: str, talk: Talk) -> RankedSearch:
    """Read a search, its data and its supernet.

    The scored part is the monitor part, else the alphas part. A network trained alone learns from the weights part,
    normalised with statistics of that part only. No clip of the split left out is scored or trained on.

    Raises:
        RunError: it is not finished, not one-shot, or its supernet is missing or damaged.
    """
    run = RunFolder.open(path, "search")
    record = run.record
    if record["status"] != "done":
        raise RunError(f"{path}: this search is not finished ({record['status']}); audionas search --resume {path}")
    course = course_folder(path, record)
    space, strategy, manifest = read_inputs(course)
    if strategy.kind != "one-shot":
        raise RunError(
            f"{path}: has no supernet: strategy {record['strategy']!r} trains each candidate alone; rank a one-shot "
            "search, e.g. of strategy darts_small_data"
        )
    record = RunFolder.open(course, "search").record
    split = find_split(manifest, record["split"])
    corpus = load_corpus(manifest, Path(record["features_folder"]), record["features"], talk)
    parts = divide_search_clips(manifest, split, strategy, parts_seed(record))
    copies = recorded_copies(record.get("augment"), manifest, Path(record["features_folder"]), talk)
    corpus = with_copies(corpus, copies, trained_rows(parts), talk)  # trained alone as in the search
    part = "monitor" if parts.get("monitor") else "alphas"
    rows, task = sorted(parts["weights"] + parts["alphas"]), task_of(manifest)
    as_searched = SearchData(
        manifest, corpus.tensors(rows, ())[0], parts, corpus.input_shape, task.fitted(manifest.targets[rows]),
        strategy.class_weighting, strategy.batch_size, device,
    )  # fmt: skip
    alone = replace(
        as_searched,
        tensors=corpus.tensors(parts["weights"])[0],
        parts={"train": parts["weights"], "validation": parts[part]},
        task=task.fitted(manifest.targets[list(parts["weights"])]),
    )
    supernet = load_supernet(course, space, as_searched, strategy.mixing()).to(device)
    return RankedSearch(space, strategy, supernet, as_searched, alone, part)


def distinct_genotypes(space: SearchSpace, n: int, seed: int) -> list[Genotype]:
    """Genotypes drawn uniformly over the choices, isomorphic ones once; keyed by (seed, "rank", "genotype", draw).

    Raises:
        SettingsError: the space seems to hold fewer.
    """
    found: dict[str, Genotype] = {}
    for draw in range(min(n, space.size()) * MOST_ATTEMPTS):
        genotype = space.random(generator(seed, "rank", "genotype", draw))
        found.setdefault(genotype.hash, genotype)
        if len(found) == n:
            return list(found.values())
    raise SettingsError(
        f"--genotypes: got {n}, space {space.name!r} holds about {len(found)} distinct ones; ask for no more"
    )


def check_line(line: Mapping[str, Any], genotype: Genotype, where: Path) -> None:
    """Refuse a logged genotype that this ranking would not have drawn.

    Raises:
        RunError: it is another one.
    """
    if line.get("hash") != genotype.hash:
        raise RunError(
            f"{where}: genotype {line.get('number')} is another one than this ranking draws (other space or versions); "
            "delete the folder and rank anew"
        )
