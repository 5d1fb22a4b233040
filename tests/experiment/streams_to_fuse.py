"""Retrained streams of the tiny corpus that can be fused, made once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audionas.experiment.prepare import PrepareOptions
from audionas.experiment.retrain import RetrainRequest, retrain
from audionas.experiment.search import SearchRequest, search
from tests.experiment.conftest import FEATURES, make_tiny_corpus, make_tiny_space


@dataclass(frozen=True)
class StreamsToFuse:
    """A search that left out fold 1, and retrainings of its genotype.

    `one` and `two` (other features) have inner folds; `best_one` and `best_two` a validation part.
    """

    folder: Path
    search: Path
    one: Path
    two: Path
    best_one: Path
    best_two: Path


def make_streams(folder: Path) -> StreamsToFuse:
    """Six speakers, three folds, two epochs; two seeds where there are inner folds, else one."""
    corpus, space = make_tiny_corpus(folder), make_tiny_space(folder)
    other = folder / "other.yaml"
    other.write_text(FEATURES.replace("n_mels: 8", "n_mels: 12"))
    names = ("search", "one", "two", "best_one", "best_two")
    streams = StreamsToFuse(folder, *(folder / name for name in names))
    by_speaker = PrepareOptions(group_from="^(s[0-9])", folds="3")
    search(SearchRequest(corpus, str(space), epochs=1, threads=1, out=streams.search, preparation=by_speaker))
    inner: dict[str, Any] = {"seeds": 2, "inner_folds": 2}
    best: dict[str, Any] = {"seeds": 1, "select": "best"}
    for out, features, how in (
        (streams.one, None, inner), (streams.two, str(other), inner),
        (streams.best_one, None, best), (streams.best_two, str(other), best),
    ):  # fmt: skip
        retrain(RetrainRequest((streams.search,), epochs=2, threads=1, out=out, features=features, **how))
    return streams
