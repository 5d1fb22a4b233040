"""What the page says of how decided a search is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from audionas.errors import RunError
from audionas.report import write_report

PageOf = Callable[[Path], str]
CELL = {"margins": [0.004], "margin_median": 0.004, "margin_min": 0.001, "skips": 1, "skip_share": 0.25}
DECIDED: dict[str, Any] = {
    "verdict": "undecided", "undecided_below": 0.02, "margin_median": 0.004, "margin_min": 0.001, "epoch": 19,
    "discretisation_gap": 0.125, "supernet_ua": 0.625, "network_ua": 0.5, "scored_on": "monitor",
    "cells": {"normal": CELL, "reduce": CELL},
}  # fmt: skip
RESTARTS: dict[str, Any] = {
    "n": 2, "different_genotypes": 2, "same_genotype": 0.0, "agreement": 0.375, "agreement_by_chance": 0.12,
    "agreement_by_cell": {"normal": 0.25, "reduce": 0.5}, "chosen": 2, "chosen_by": "the rule",
    "each": [
        {"restart": k, "seed": 6 + k, "genotype_hash": f"{k}" * 64, "verdict": "undecided", "margin_median": 0.004,
         "network_ua": 0.5, "scored_on": "monitor"} for k in (1, 2)
    ],
}  # fmt: skip
RANKING: dict[str, Any] = {
    "what": "UA on the monitor part", "n_genotypes": 3, "n_failed": 1, "n_clips": 23, "part": "monitor",
    "supernet": {"tau": 0.3333, "interval": [-0.5, 1.0], "n": 3}, "ceiling": {"tau": 0.6667, "interval": [0.1, 1.0]},
    "ratio": 0.5, "interval": None, "conclusion": "the supernet is not shown", "warning": "3 genotypes only",
}  # fmt: skip


def _record(run: Path, **changes: Any) -> None:
    path = run / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_an_undecided_search_is_called_so_at_the_top_and_in_its_section(search_run: Path, words_of: PageOf) -> None:
    _record(search_run, decided=DECIDED)
    html = words_of(search_run)
    assert html.count("Undecided: the kept operations were hardly preferred") == 2
    assert "compare with random architectures" in html
    assert "Discretisation gap 0.125: UA 0.625 of the supernet, 0.500 of the network cut out" in html
    assert "1 (25%)" in html


def test_a_decided_search_is_no_alarm(search_run: Path, words_of: PageOf) -> None:
    _record(search_run, decided=DECIDED | {"verdict": "decided", "margin_median": 0.3}, warnings=[])
    html = words_of(search_run)
    assert "Decided, by its margins: kept operations lead their runners-up by 0.300" in html
    assert 'class="alarm"' not in html


def test_a_search_of_before_says_nothing(search_run: Path, words_of: PageOf) -> None:
    html = words_of(search_run)
    assert "Is the search decided?" not in html
    assert "ecided, by its margins" not in html


def test_restarts_show_the_curves_of_the_one_that_is_handed_on(
    runs: SimpleNamespace, tmp_path: Path, words_of: PageOf
) -> None:
    run = runs.search(tmp_path / "run")
    (run / "epochs.jsonl").unlink()
    runs.search(run / "restart_1", n_epochs=3, seed=1)
    runs.search(run / "restart_2", n_epochs=7, seed=2)
    _record(run, restarts=2, chosen_restart=2, decided=DECIDED | {"restarts": RESTARTS})
    html = words_of(run)
    assert "weights after epoch 7" in html
    assert "2 restarts found 2 different genotypes, which share 38% of their edges (12% by chance)" in html
    assert "2 (handed on)" in html
    assert "Handed on: the rule." in html


def test_a_search_stopped_among_its_restarts_says_how_far_it_came(
    runs: SimpleNamespace, tmp_path: Path, words_of: PageOf
) -> None:
    run = runs.search(tmp_path / "run", status="interrupted", has_genotype=False)
    runs.search(run / "restart_1")
    runs.search(run / "restart_2", has_genotype=False, status="interrupted")
    _record(run, restarts=3)
    assert "after 1 of 3 restarts" in words_of(run)


def test_a_ranking_is_drawn_with_both_taus(search_run: Path, page_of: PageOf) -> None:
    lines = [
        {"supernet_ua": ua, "retrained": [{"seed": 0, "ua": ua}, {"seed": 1, "ua": other}]}
        for ua, other in ((0.4, 0.3), (0.5, 0.6), (0.6, 0.5), (0.7, None))
    ]
    folder = search_run / "ranking"
    folder.mkdir()
    (folder / "ranking.json").write_text(json.dumps(RANKING))
    (folder / "genotypes.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    html = page_of(search_run)
    for words in (
        "Ranking: the supernet is not shown.", "3 genotypes only.", "0.333", "-0.500 to 1.000", "0.667", "0.500",
        "Left out because a training diverged: 1.", "noise ceiling: two seeds",
    ):  # fmt: skip
        assert words in html


def test_each_split_of_a_nested_search_has_its_row(runs: SimpleNamespace, tmp_path: Path, words_of: PageOf) -> None:
    run = runs.nested(tmp_path / "run", names=("1", "2"))
    _record(run / "split_1", decided=DECIDED)
    _record(run / "split_2", decided=DECIDED | {"verdict": "decided", "margin_median": 0.1})
    html = words_of(run)
    assert "Are the searches decided?" in html
    assert "Undecided: 1 of 2 searches (median margins to the runner-up 0.004 to 0.100)" in html


def test_a_ranking_alone_is_shown_with_its_search(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"schema_version": 1, "kind": "rank"}')
    with pytest.raises(RunError, match="a ranking is shown on the page of its search"):
        write_report(tmp_path)
