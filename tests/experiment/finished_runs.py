"""Finished runs of the tiny corpus: a nested search with its retraining, a second stream, and their fusion."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from audionas.experiment.fuse import FuseRequest, fuse
from audionas.experiment.prepare import PrepareOptions
from audionas.experiment.retrain import RetrainRequest, retrain
from audionas.experiment.search import SearchRequest, search
from tests.experiment.conftest import FEATURES, make_tiny_corpus, make_tiny_space


@dataclass(frozen=True)
class FinishedRuns:
    """Folders of runs; `one` is the retraining in `searched`, `two` one with other features."""

    folder: Path
    searched: Path
    one: Path
    two: Path
    fused: Path


def make_finished_runs(folder: Path) -> FinishedRuns:
    """Six speakers, three folds, two seeds, two epochs; every path in the records is absolute."""
    corpus, space = make_tiny_corpus(folder), make_tiny_space(folder)
    other = folder / "other.yaml"
    other.write_text(FEATURES.replace("n_mels: 8", "n_mels: 12"))
    runs = FinishedRuns(folder, *(folder / name for name in ("run", "run/retrained", "two", "fused")))
    by_speaker = PrepareOptions(group_from="^(s[0-9])", folds="3")
    words = ("search", str(corpus), "--space", str(space), "--out", str(runs.searched))
    search(SearchRequest(
        corpus, str(space), epochs=1, threads=1, out=runs.searched, nested=True, preparation=by_speaker, argv=words
    ))  # fmt: skip
    for out, features in ((runs.one, None), (runs.two, str(other))):
        retrain(RetrainRequest(
            (runs.searched,), epochs=2, seeds=2, threads=1, inner_folds=2, out=out, features=features,
            argv=("retrain", str(runs.searched), "--out", str(out)),
        ))  # fmt: skip
    fuse(FuseRequest((runs.one, runs.two), out=runs.fused, argv=("fuse", str(runs.one), str(runs.two))))
    return runs
