"""The committed regret benchmark: its claims follow from the regrets of its seeds, computed here once more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from scipy import stats

from audionas import shipped
from audionas.search.strategy import load_strategy
from audionas.search.tabular import Row

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results" / "regret"
LEARNING = ("regularized_evolution", "tpe", "local_search")
TABLES = ("nas_bench_macro", "nasbench301_rows")
ALL_TABLES = (*TABLES, "nasbench301_list")


def read(name: str) -> dict[str, Any]:
    return json.loads((RESULTS / f"{name}.json").read_text())  # type: ignore[no-any-return]


def check_against_random(found: dict[str, Any], key: str, alternative: Literal["less", "two-sided"]) -> None:
    """The tests that a result holds are Wilcoxon's on its seeds, corrected by Holm's rule written out."""
    raw = []
    for each in found[key]:
        at = (found["regret"][name][str(each["evaluations"])]["seeds"] for name in (each["strategy"], "random"))
        raw.append(stats.wilcoxon(*map(np.array, at), alternative=alternative).pvalue)
    ordered = sorted(raw)
    holm = [max(min((len(raw) - k) * p, 1) for k, p in enumerate(ordered[: i + 1])) for i in range(len(ordered))]
    for each, p in zip(found[key], raw, strict=True):
        assert each["p"] == pytest.approx(p)
        assert each["p_holm"] == pytest.approx(holm[ordered.index(p)])


@pytest.mark.parametrize("path", sorted(RESULTS.glob("*.json")), ids=lambda path: path.stem)
def test_every_result_has_its_plots_and_its_means_are_those_of_its_seeds(path: Path) -> None:
    found = read(path.stem)
    assert path.with_suffix(".svg").is_file()
    assert path.with_suffix(".png").is_file()
    for at in found["regret"].values():
        for each in at.values():
            assert len(each["seeds"]) == found["seeds"]
            assert each["mean"] == pytest.approx(np.mean(each["seeds"]), abs=1e-4)
            assert each["sd"] == pytest.approx(np.std(each["seeds"], ddof=1), abs=1e-4)


def test_evolution_tpe_and_local_search_beat_random_search_with_the_shipped_settings() -> None:
    found = read("nas_bench_macro")
    assert found["seeds"] == 50
    check_against_random(found, "better_than_random", "less")
    assert {(each["strategy"], each["evaluations"]) for each in found["better_than_random"]} == {
        (name, n) for name in LEARNING for n in (100, 300)
    }
    for each in found["better_than_random"]:
        assert each["p_holm"] < 0.01
        assert each["mean_difference_to_random"] < 0


@pytest.mark.parametrize("name", TABLES)
def test_what_is_said_of_the_other_strategies_follows_from_their_seeds(name: str) -> None:
    found = read(name)
    check_against_random(found, "better_than_random", "less")
    check_against_random(found, "different_from_random", "two-sided")


@pytest.mark.parametrize("name", ALL_TABLES)
def test_strategies_run_as_they_ship_but_for_what_is_named(name: str) -> None:
    found = read(name)
    for arm, settings in found["settings"].items():
        strategy = arm.split(" by ")[0]
        changes = found["changed_settings"].get(arm, {})
        assert settings == load_strategy(strategy).settings | changes, "settings changed: run the benchmark"
        assert set(changes) <= ({"proxy", "draws"} if strategy == "zero_cost" else set())
    assert set(found["made_up_shorter_trainings"]) <= {"successive_halving", "hyperband"}


def test_every_strategy_by_trials_is_in_the_benchmark() -> None:
    by_trials = {name for name in shipped.names("strategies") if load_strategy(name).kind == "multi-trial"}
    macro, rows, one_list = ({arm.split(" by ")[0] for arm in read(name)["regret"]} for name in ALL_TABLES)
    assert macro == by_trials - {"catalogue"}
    assert rows == by_trials - {"catalogue", "successive_halving", "hyperband"}
    assert one_list == {"catalogue", "random"}


def test_every_strategy_comes_as_far_as_its_plain_reference() -> None:
    for name in ALL_TABLES:
        found = read(name)
        assert found["regret"].keys() == found["plain_reference"].keys()
        for at in found["plain_reference"].values():
            for each in at.values():
                low, high = each["difference"]
                assert each["zero_is_inside"]
                assert low <= 0 <= high


def test_the_readme_has_the_numbers_of_the_results() -> None:
    from benchmarks.regret_text import README, with_tables

    text = README.read_text(encoding="utf-8")
    assert text == with_tables(text), "run: PYTHONPATH=. python benchmarks/regret_text.py"


def test_the_noise_of_a_made_up_shorter_training_is_keyed_and_shrinks_with_epochs() -> None:
    from benchmarks.regret_fidelity import ShortTrainings

    drawn = {}
    for seed in (0, 1):
        table = ShortTrainings({str(i): Row(50.0) for i in range(4000)}, seed=seed)
        for epochs in (1, 3, 9):
            drawn[seed, epochs] = np.array([table.noise(name, epochs) for name in table.rows])
        assert table.noise("7", 3) == drawn[seed, 3][7]
    # 0.75 (sqrt(9 / epochs) - 1); the standard error of a standard deviation of 4000 draws is 1.1 %
    assert drawn[0, 1].std() == pytest.approx(1.5, rel=0.05)
    assert drawn[0, 3].std() == pytest.approx(0.75 * (3**0.5 - 1), rel=0.05)
    assert not drawn[0, 9].any()
    for other in (drawn[1, 1], drawn[0, 3]):
        assert abs(np.corrcoef(drawn[0, 1], other)[0, 1]) < 0.06
