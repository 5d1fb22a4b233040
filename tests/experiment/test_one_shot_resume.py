"""Every one-shot algorithm, killed in a checkpoint write, ends bit for bit as the uninterrupted one."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from audionas.search.algorithms import ALGORITHMS
from tests.experiment.test_resume import Words, _epochs, _finish, _same_end

SETTINGS = {
    "random_one_shot": "{population: 4, generations: 3, parents: 2}",
    "pc_darts": "{partial: 2, warmup: 0.4}",
    "darts": "{collapse_eigenvalue: 0.01}",
}
ONE_SHOT = [name for name, algorithm in ALGORITHMS.items() if algorithm.kind == "one-shot" and name != "enas"]


def write_strategy(path: Path, algorithm: str, settings: str = "{}") -> Path:
    path.write_text(
        f"algorithm: {algorithm}\nbatch_size: 4\nparts: {{weights: 0.5, alphas: 0.5}}\nalpha_reach: 3.0\n"
        f"settings: {settings}\n"
    )
    return path


RECURRENT = "kind: darts_recurrent\nfeatures: features.yaml\nnodes: {max: 4}\nmacro: {hidden: 4}\n"
PAIRS = [(name, kind) for name in ONE_SHOT for kind in ALGORITHMS[name].spaces]


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("algorithm", "kind"), PAIRS)
def test_a_killed_search_of_any_algorithm_ends_bit_equal(
    tmp_path: Path, search_words: Words, algorithm: str, kind: str
) -> None:
    strategy = write_strategy(tmp_path / "strategy.yaml", algorithm, SETTINGS.get(algorithm, "{}"))
    words = ["--strategy", str(strategy), "--epochs", "3"]
    if kind == "darts_recurrent":
        space = tmp_path / "cells.yaml"
        space.write_text(RECURRENT)
        words += ["--space", str(space)]
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    assert _finish(search_words(whole, *words)) == 0
    assert _finish(search_words(torn, *words), KILL_AT_SAVE="2") == -signal.SIGKILL
    assert _finish(["search", "--resume", str(torn)]) == 0
    _same_end(whole, torn)
    evolutions = [run / "evolution.jsonl" for run in (whole, torn)]
    assert evolutions[0].exists() == (algorithm == "random_one_shot")
    if evolutions[0].exists():
        assert evolutions[0].read_text() == evolutions[1].read_text()
        assert len(evolutions[0].read_text().splitlines()) == 4 * 3 + 1
    assert all(skips in line for line in _epochs(whole) for skips in ("skips", "skips_of"))


@pytest.mark.slow
def test_a_collapsed_search_stops_says_so_and_keeps_the_epoch_before(tmp_path: Path, search_words: Words) -> None:
    space = tmp_path / "skips.yaml"  # the only operation that a genotype can hold: it is collapsed from the start
    space.write_text(
        "kind: cnn_cell\nfeatures: features.yaml\nnodes: 1\nops: [none, skip_connect]\n"
        "macro: {n_cells: 2, channels: 2, stem_multiplier: 1, reduction_at: [1/2]}\n"
    )
    strategy = write_strategy(tmp_path / "strategy.yaml", "darts", "{collapse_skips: 2}")
    run = tmp_path / "run"
    assert _finish(search_words(run, "--strategy", str(strategy), "--space", str(space), "--epochs", "4")) == 0
    (line,) = _epochs(run)
    assert line["alarm"] == {
        "why": "2 of 2 kept edges of the normal cell are skip connections, 2 or more stop it", "take": 0,
    }  # fmt: skip
    record = json.loads((run / "run.json").read_text())
    assert record["stopped_by"] == "collapse"
    assert any(text.startswith("collapse alarm: 2 of 2 kept edges") for text in record["warnings"])
    assert record["decided"]["epoch"] == 0
