"""Every one-shot algorithm, stopped in a checkpoint write, ends bit for bit as the uninterrupted one."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audionas.experiment.prepare import PrepareOptions
from audionas.experiment.search import SearchRequest, resume, search
from audionas.records import write_bytes
from audionas.search.algorithms import ALGORITHMS
from tests.experiment.test_resume import Words, _epochs, _finish, _same_end
from tests.forked import forked_command

SETTINGS = {
    "random_one_shot": "{population: 4, generations: 3, parents: 2}",
    "pc_darts": "{partial: 2, warmup: 0.4}",
    "darts": "{collapse_eigenvalue: 0.01}",
    "enas": "{paths: 2, samples: 5}",
}
N_PATHS = {"random_one_shot": 4 * 3, "enas": 5}  # scored after the training
ONE_SHOT = [name for name, algorithm in ALGORITHMS.items() if algorithm.kind == "one-shot"]


def write_strategy(path: Path, algorithm: str, settings: str = "{}") -> Path:
    path.write_text(
        f"algorithm: {algorithm}\nbatch_size: 4\nparts: {{weights: 0.5, alphas: 0.5}}\nalpha_reach: 3.0\n"
        f"settings: {settings}\n"
    )
    return path


RECURRENT = "kind: darts_recurrent\nfeatures: features.yaml\nnodes: {max: 4}\nmacro: {hidden: 4}\n"
PAIRS = [(name, kind) for name in ONE_SHOT for kind in ALGORITHMS[name].spaces]


class KilledError(Exception):
    """What stands for a kill: raised in the middle of a checkpoint write."""


@pytest.fixture
def request_of(tiny_corpus: Path, tiny_space: Path) -> Callable[..., SearchRequest]:
    def make(strategy: Path, out: Path, **changes: Any) -> SearchRequest:
        return SearchRequest(
            tiny_corpus, changes.pop("space", str(tiny_space)), str(strategy), threads=1, out=out,
            preparation=PrepareOptions(group_from="^(s[0-9])", folds="3"), **changes,
        )  # fmt: skip

    return make


def kill_at_save(patch: pytest.MonkeyPatch, number: int) -> None:
    """Let the checkpoint write of this number fail."""
    saves: list[Path] = []

    def write(path: Path, data: bytes) -> None:
        saves.append(path)
        if len(saves) == number:
            raise KilledError
        write_bytes(path, data)

    patch.setattr("audionas.training.checkpoint.write_bytes", write)


@pytest.mark.slow
@pytest.mark.parametrize(("algorithm", "kind"), PAIRS)
def test_a_stopped_search_of_any_algorithm_ends_bit_equal(
    tmp_path: Path, request_of: Callable[..., SearchRequest], algorithm: str, kind: str
) -> None:
    changes: dict[str, Any] = {"epochs": 3}
    if kind == "darts_recurrent":
        changes["space"] = str(tmp_path / "cells.yaml")
        (tmp_path / "cells.yaml").write_text(RECURRENT)
    strategy = write_strategy(tmp_path / "strategy.yaml", algorithm, SETTINGS.get(algorithm, "{}"))
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    search(request_of(strategy, whole, **changes))
    with pytest.MonkeyPatch.context() as patch:
        kill_at_save(patch, 2)
        with pytest.raises(KilledError):
            search(request_of(strategy, torn, **changes))
    assert len(_epochs(torn)) == 2, "the second epoch was logged, its checkpoint was not written"
    resume(torn)
    _same_end(whole, torn)
    evolutions = [run / "evolution.jsonl" for run in (whole, torn)]
    assert evolutions[0].exists() == (algorithm in N_PATHS)
    if evolutions[0].exists():
        assert evolutions[0].read_text() == evolutions[1].read_text()
        assert len(evolutions[0].read_text().splitlines()) == N_PATHS[algorithm] + 1
    assert all(skips in line for line in _epochs(whole) for skips in ("skips", "skips_of"))
    other = search(request_of(strategy, tmp_path / "other", **changes, seed=1))
    assert _epochs(other)[-1]["weights_loss"] != _epochs(whole)[-1]["weights_loss"]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_killed_search_by_single_paths_ends_bit_equal_in_new_processes(tmp_path: Path, search_words: Words) -> None:
    strategy = write_strategy(tmp_path / "strategy.yaml", "random_one_shot", SETTINGS["random_one_shot"])
    words = ["--strategy", str(strategy), "--epochs", "3"]
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    _finish(*search_words(whole, *words))
    assert forked_command(tmp_path, *search_words(torn, *words), dies_at_save=2).finish() == -signal.SIGKILL
    assert forked_command(tmp_path, "search", "--resume", torn).finish() == 0
    _same_end(whole, torn)
    assert (whole / "evolution.jsonl").read_text() == (torn / "evolution.jsonl").read_text()


@pytest.mark.slow
def test_a_collapsed_search_stops_says_so_and_keeps_the_epoch_before(
    tmp_path: Path, request_of: Callable[..., SearchRequest]
) -> None:
    space = tmp_path / "skips.yaml"  # the only operation that a genotype can hold: it is collapsed from the start
    space.write_text(
        "kind: cnn_cell\nfeatures: features.yaml\nnodes: 1\nops: [none, skip_connect]\n"
        "macro: {n_cells: 2, channels: 2, stem_multiplier: 1, reduction_at: [1/2]}\n"
    )
    strategy = write_strategy(tmp_path / "strategy.yaml", "darts", "{collapse_skips: 2}")
    run = search(request_of(strategy, tmp_path / "run", space=str(space), epochs=4))
    (line,) = _epochs(run)
    assert line["alarm"] == {
        "why": "2 of 2 kept edges of the normal cell are skip connections, 2 or more stop it", "take": 0,
    }  # fmt: skip
    record = json.loads((run / "run.json").read_text())
    assert record["stopped_by"] == "collapse"
    assert any(text.startswith("collapse alarm: 2 of 2 kept edges") for text in record["warnings"])
    assert record["decided"]["epoch"] == 0
