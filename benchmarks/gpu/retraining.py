"""Retraining of one genotype on a card: all folds, through the product's front door."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
from searching import PAIRS
from synthetic_corpus import make_corpus
from timing import peak_gib

from audionas.experiment.retrain import RetrainRequest, retrain
from audionas.records import read_json
from audionas.spaces import load_search_space
from audionas.spaces.genotype_file import save_genotype

Result = dict[str, Any]


def five_folds(device: str, work: Path, sizes: Result, **more: Any) -> Result:
    """Wall seconds of retraining a random genotype of the EmotionNAS space under every fold."""
    data = make_corpus(work / "corpus", sizes["clips"], sizes["length_s"])
    genotype = work / "genotype.json"
    save_genotype(load_search_space("darts_cnn").random(np.random.default_rng(0)), genotype)
    started = time.perf_counter()
    request = RetrainRequest(
        (genotype,), data, features="emotionnas", epochs=sizes["epochs"], seeds=1, batch_size=sizes["batch"],
        device=device, out=work / "_".join(["retraining", *map(str, more.values())]), preparation=PAIRS, **more,
    )  # fmt: skip
    run = retrain(request)
    seconds = time.perf_counter() - started
    record = read_json(run / "run.json", "run file")
    return {"wall_s": seconds, "cost": record["cost"], "peak_gib": peak_gib(device)}
