"""A run folder of very many trials over a shipped space, as `audionas search` writes it, with made-up scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from audionas import load_search_space
from audionas.shipped import find
from tests.report.run_folders import LABELS, search_record, write_json, write_lines

OBJECTIVE = "algorithm: random\nobjective: ua\n"


def write_many_trials(folder: Path, n_trials: int = 1000, *, space: str = "darts_cnn", n_failed: int = 20) -> Path:
    """Trials with genotypes of `space`, parameters, MACs, latency and memory; the first `n_failed` have failed."""
    rng, chosen = np.random.default_rng(5), load_search_space(space)
    folder.mkdir(parents=True, exist_ok=True)
    record = search_record("done", LABELS, "1", True) | {"space": space, "algorithm": "random", "strategy": "random"}
    write_json(folder / "run.json", record | {"trials": n_trials})
    (folder / "strategy.yaml").write_text(OBJECTIVE, encoding="utf-8")
    (folder / "space.yaml").write_text(find("search_spaces", space).read_text(encoding="utf-8"), encoding="utf-8")
    lines: list[dict[str, Any]] = []
    for number in range(n_trials):
        genotype = chosen.random(rng)
        lines.append({
            "event": "proposed", "number": number, "hash": genotype.hash, "sample": chosen.sample(genotype),
            "epochs": 5, "seed": number,
        })  # fmt: skip
        lines.append(_finished(rng, number, number < n_failed))
    write_lines(folder / "trials.jsonl", lines)
    return folder


def _finished(rng: np.random.Generator, number: int, is_failed: bool) -> dict[str, Any]:
    parameters = int(10 ** rng.uniform(3, 6))
    ua = min(0.95, 0.2 + 0.1 * np.log10(parameters) + rng.normal() * 0.08)
    costs = {"macs_per_second": 300.0 * parameters, "latency_ms": rng.uniform(1, 9), "memory_mb": parameters / 2e4}
    score = {"ua": ua, "wa": ua + 0.01, "loss": 1.6 - ua, "parameters": parameters, "costs": costs, "epoch": 3}
    error = "loss is not finite at step 12" if is_failed else None
    return {
        "event": "finished", "number": number, "status": "failed" if is_failed else "done",
        "score": None if is_failed else score, "seconds": 4.0, "error": error,
    }  # fmt: skip
