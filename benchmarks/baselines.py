"""Trains hand-made systems under one protocol, and writes one result JSON each.

    PYTHONPATH=. python benchmarks/baselines.py emodb4 DATA --work FOLDER --epochs 30 --seeds 3 [--only plain_cnn,lstm]

Same folds, epochs, batch size, class weighting and selection rule (the last epoch) for all; features and optimiser are
each system's own, as its paper has them. WORK keeps the run folders, so that a stopped work goes on where it was.
`baselines_table.py` makes the table.
"""

from __future__ import annotations

import argparse
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from record import KEPT_OF_DATA

from audionas.experiment.prepare import PrepareOptions
from audionas.experiment.retrain import RetrainRequest, resume_retraining, retrain
from audionas.experiment.run_step import run_step
from audionas.experiment.talk import Silent
from audionas.models.baselines import BASELINES, baseline_of, named_baseline
from audionas.records import read_json, write_json
from audionas.spaces import BaselineGenotype

RESULTS = Path(__file__).parent / "results" / "baselines"
KEPT_OF_METRICS = ("parameters", "macs_per_second", "headline", "per_fold", "second_task")


@dataclass(frozen=True)
class Work:
    """What all systems share."""

    corpus: str
    data: Path
    folder: Path
    epochs: int
    seeds: int
    protocol: str | None
    sets: tuple[str, ...] = ()

    def settings(self, name: str) -> dict[str, str]:
        """Settings of one system that are not its paper's, as text."""
        pairs = [text.removeprefix(f"{name}.").split("=", 1) for text in self.sets if text.startswith(f"{name}.")]
        return dict(pairs)

    def train(self, name: str) -> Path:
        """Train one system, or go on with it; returns its run folder."""
        place = self.folder / self.corpus / name
        request = RetrainRequest(
            sources=(), data=self.data, baseline=named_baseline(name, self.settings(name)),
            epochs=self.epochs, seeds=self.seeds, threads=1, out=place,
            preparation=PrepareOptions(protocol=self.protocol), argv=tuple(self.command(name).split()[1:]),
        )  # fmt: skip
        run_step(place, lambda _: retrain(request), resume_retraining, Silent())
        return place

    def command(self, name: str) -> str:
        """The same on the command line."""
        more = f" --protocol {self.protocol}" if self.protocol else ""
        rules = f"--epochs {self.epochs} --seeds {self.seeds}{more} --threads 1"
        sets = "".join(f" --set {key}={value}" for key, value in self.settings(name).items())
        return f"audionas retrain --baseline {name}{sets} {self.corpus} {rules}"


def result(work: Work, name: str, run: Path) -> dict[str, Any]:
    """The document of one system."""
    record, metrics = read_json(run / "run.json", "run file"), read_json(run / "metrics.json", "metrics file")
    return {
        "commands": [work.command(name)],
        "date": record["created"][:10],
        "commit": subprocess.run(
            ["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True
        ).stdout.strip(),
        "baseline": name,
        "paper": baseline_of(BaselineGenotype(name)).paper,
        "data": {key: record["data"][key] for key in (*KEPT_OF_DATA, "protocol")},
        "features": record["features"],
        "input_shape": record["input_shape"],
        "training": {key: record[key] for key in ("epochs", "seeds", "select", "options")},
        "machine": record["machine"],
        "versions": record["versions"],
        "cost": {"retrain_seconds": record["cost"]["seconds"]},
        "warnings": record.get("warnings", []),
        **{key: metrics[key] for key in KEPT_OF_METRICS if key in metrics},
        "plain": metrics["baselines"]["headline"],
    }


def main() -> None:
    """Train what is asked for, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", help="name of the corpus in the results")
    parser.add_argument("data", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--protocol")
    parser.add_argument("--only", default=",".join(BASELINES))
    parser.add_argument("--set", action="append", default=[], metavar="NAME.KEY=VALUE", help="a setting of one system")
    words = parser.parse_args()
    work = Work(words.corpus, words.data, words.work, words.epochs, words.seeds, words.protocol, tuple(words.set))
    for name in words.only.split(","):
        run = work.train(name)
        out = RESULTS / f"{work.corpus}-{name}.json"
        write_json(out, result(work, name, run))
        print(out, flush=True)


if __name__ == "__main__":
    main()
