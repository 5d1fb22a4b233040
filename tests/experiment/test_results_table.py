"""The table of several runs: what each row says, where it comes from, and which runs are not ranked."""

from __future__ import annotations

import csv
import json
import shutil
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from audionas.errors import RunError, SettingsError
from audionas.experiment.results_table import results, results_table
from audionas.report.result_rows import BASELINE, FUSION, SYSTEM
from tests.experiment.finished_runs import FinishedRuns

pytestmark = pytest.mark.slow  # the fixture searches and retrains


def _json(path: Path) -> Any:
    return json.loads(path.read_text())


def _changed(run: Path, copy: Path, file: str, **changes: Any) -> Path:
    if not copy.exists():
        shutil.copytree(run, copy)
    (copy / file).write_text(json.dumps(_json(copy / file) | changes))
    return copy


def test_a_row_says_what_metrics_and_records_say(finished: FinishedRuns) -> None:
    row = next(row for row in results_table([finished.searched]).rows if row.kind == SYSTEM)
    metrics = _json(finished.one / "metrics.json")
    result = _json(finished.one / "split_1" / "seed_0" / "result.json")
    assert (row.ua, row.ua_sd, row.wa) == tuple(metrics["headline"][key] for key in ("ua", "ua_sd", "wa"))
    assert (row.parameters, row.n_clips, row.n_groups, row.n_seeds) == (metrics["parameters"], 24, 6, 2)
    assert result["macs_per_second"] == result["macs"] / 0.56  # 8 frames of 10 ms hop within 0.5 s, see FEATURES
    assert row.macs_per_second == metrics["macs_per_second"] >= result["macs_per_second"]
    costs = [_json(folder / "run.json")["cost"]["seconds"] for folder in (finished.searched, finished.one)]
    assert row.cost.seconds == pytest.approx(sum(costs))
    assert row.cost.what == "search, retraining"
    assert row.name == "tiny, darts_small_data"


def test_the_best_stands_first_and_baselines_are_in_the_ranking_once(finished: FinishedRuns) -> None:
    rows = results_table([finished.searched, finished.two]).rows
    assert [row.ua for row in rows] == sorted((row.ua for row in rows), reverse=True)
    assert [row.name for row in rows if row.kind == BASELINE].count("majority class") == 1
    assert {row.name for row in rows if row.kind == SYSTEM} == {
        "tiny, darts_small_data (run)", "tiny, darts_small_data (two)",
    }  # fmt: skip


def test_a_fusion_has_rows_for_its_rules_and_for_streams_that_are_not_given(finished: FinishedRuns) -> None:
    alone = results_table([finished.fused]).rows
    assert [row.kind for row in alone].count(SYSTEM) == 2
    together = results_table([finished.searched, finished.two, finished.fused]).rows
    assert [row.kind for row in together].count(SYSTEM) == 2
    mlp = next(row for row in alone if row.name == "fusion MLP")
    streams = [row for row in alone if row.kind == SYSTEM]
    assert mlp.kind == FUSION
    assert mlp.macs_per_second == pytest.approx(sum(row.macs_per_second or 0 for row in streams))
    folders = (finished.fused, finished.one, finished.two, finished.searched)  # the search of both streams once
    assert mlp.cost.seconds == pytest.approx(sum(_json(run / "run.json")["cost"]["seconds"] for run in folders))


def test_runs_of_different_rules_are_refused_and_told_unranked(finished: FinishedRuns, tmp_path: Path) -> None:
    other = _changed(finished.two, tmp_path / "other", "run.json", epochs=5)
    with pytest.raises(RunError, match=r"cannot be ranked, they differ in epochs: 2 in .*run; 5 in .*other; retrain"):
        results_table([finished.searched, other])
    table = results_table([other, finished.searched], unranked=True)
    assert not table.is_ranked
    assert table.caption.startswith("Not a ranking")
    systems = [row for row in table.rows if row.kind == SYSTEM]
    assert [(row.run, row.rules) for row in systems] == [(str(other), "epochs 5"), (str(finished.searched), "epochs 2")]


def test_a_score_on_folds_that_the_search_has_read_is_not_ranked(finished: FinishedRuns, tmp_path: Path) -> None:
    seen = _changed(finished.two, tmp_path / "seen", "metrics.json", headline=None)
    with pytest.raises(RunError, match="the search has read the test clips of every fold, its score cannot be ranked"):
        results_table([finished.searched, seen])
    row = next(row for row in results_table([seen]).rows if row.kind == SYSTEM)
    assert row.remark.split("; ")[0] == "the search has read the test clips"


def test_intervals_p_passes_and_verdict_are_taken_where_they_are_on_record(
    finished: FinishedRuns, tmp_path: Path
) -> None:
    metrics = _json(finished.two / "metrics.json")
    found = {"ua_interval": [0.4, 0.6], "chance": {"p": 0.312, "how": "labels permuted"}, "n_groups": 6,
             "interval": "95 % by jackknife over 6 speakers", "verdict": "not above chance",
             "claim": "no claim, too few"}  # fmt: skip
    run = _changed(finished.two, tmp_path / "two", "metrics.json", headline=metrics["headline"] | found)
    cost = {"seconds": 3600, "device_seconds": 1800, "clip_passes": {"forward": 2000, "backward": 1000}}
    _changed(run, run, "run.json", cost=cost, genotypes={"1": str(tmp_path / "gone" / "genotype.json")})
    table = results_table([run])
    row = next(row for row in table.rows if row.kind == SYSTEM)
    assert (row.ua_interval, row.p, row.remark) == ((0.4, 0.6), 0.312, "not above chance")
    assert (row.cost.forward, row.cost.backward, row.cost.device_seconds) == (2000, 1000, 1800)
    assert row.cost.what == "retraining alone, the search is not there"
    for words in ("Interval of UA: 95 % by jackknife", "labels permuted", "No claim, too few."):
        assert words in table.caption
    texts = results([run], csv=True, latex=True)
    cells = next(cells for cells in csv.DictReader(StringIO(texts["csv"])) if cells["kind"] == SYSTEM)
    assert (cells["ua_low_percent"], cells["p_chance"], cells["device_hours"]) == ("40.00", "0.312", "0.50000")
    assert "40.0 to 60.0 & 0.31 &" in texts["latex"]
    assert "& 2k / 1k & 0.5 &" in texts["latex"]


def test_a_run_given_twice_and_runs_of_two_tasks_are_refused(finished: FinishedRuns, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="given twice; name each run once"):
        results_table([finished.searched, finished.one])
    run = _changed(finished.two, tmp_path / "two", "metrics.json", task="regression")
    with pytest.raises(RunError, match=r"two: is scored by CCC, .* by UA; no table holds both"):
        results_table([finished.one, run])


def test_methods_stand_before_the_latex_table_or_alone(finished: FinishedRuns) -> None:
    texts = results([finished.searched], latex=True, methods=True)
    assert set(texts) == {"latex"}
    assert texts["latex"].startswith("\\paragraph{Methods.} We used 24 clips")
    assert set(results([finished.searched], methods=True)) == {"methods"}
