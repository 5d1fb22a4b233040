"""`retrain --final`: one model on all clips; its expected score is the k-fold estimate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from audionas.errors import RunError
from audionas.experiment.corpus import Corpus
from audionas.experiment.fold_rows import FoldRows
from audionas.experiment.fold_training import OnEpoch, TrainingPlan, train_fold
from audionas.experiment.genotype_sources import Source
from audionas.experiment.run_folder import RunFolder
from audionas.experiment.talk import Talk
from audionas.experiment.tuning import Grid, Setting, tuned
from audionas.records import read_json, write_json
from audionas.spaces.genotype_file import genotype_document

FINAL = "final"


def check_final(sources: Mapping[str, Source]) -> None:
    """Refuse a final model where the splits have different genotypes.

    Raises:
        RunError: they have.
    """
    hashes = {source.genotype.hash for source in sources.values()}
    if len(hashes) > 1:
        raise RunError(
            f"--final trains one genotype, and the splits of this nested search have {len(hashes)}; retrain without "
            "--final, and give the genotype of one search for the final model"
        )


def train_final(
    run: RunFolder,
    corpus: Corpus,
    sources: Mapping[str, Source],
    plan: TrainingPlan,
    document: Mapping[str, Any],
    talk: Talk,
) -> None:
    """One model on all clips, rate and epochs as fixed or chosen; its expected score is the k-fold estimate."""
    source = next(iter(sources.values()))
    rows = tuple(range(len(corpus.manifest)))
    epochs = plan.epochs
    if plan.select == "best":
        used = [
            read_json(path, "result")["epoch_used"] + 1 for path in sorted(run.path.glob("split_*/seed_*/result.json"))
        ]
        epochs = int(np.median(used))
    final = replace(plan, epochs=epochs, select="last", inner_folds=0)
    if run.record.get("tuning"):
        grid = Grid.from_record(run.record["tuning"])
        chosen = tuned(source.genotype, corpus, FoldRows(rows, (), ()), plan, grid, run.path / FINAL, _silent)
        final = replace(chosen, select="last", inner_folds=0)
    result = train_fold(source.genotype, corpus, FoldRows(rows, (), ()), final, run.path / FINAL, 0)
    if result["failed"]:
        raise RunError(f"{run.path / FINAL}: the final model diverged ({result['failed']}); there is none")
    write_json(run.path / FINAL / "model.json", {
        "schema_version": 1,
        "genotype": genotype_document(source.genotype, dict(source.provenance)),
        "features": corpus.settings,
        "input_shape": list(corpus.input_shape),
        "labels": list(corpus.manifest.labels),
        "task": corpus.manifest.task,
        "epochs": final.epochs,
        "learning_rate": final.recipe.learning_rate,
        "expected": document["headline"] or document["all_splits"],
    })  # fmt: skip
    talk.say(f"final model on all {len(rows)} clips: {run.path / FINAL}")


def _silent(setting: Setting, k: int) -> OnEpoch:  # noqa: ARG001
    """Nothing is told of the inner trainings of a final model."""
    return lambda epoch, record: None
