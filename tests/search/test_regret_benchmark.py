"""The committed regret benchmark: its claims follow from the regrets of its seeds, computed here once more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from audionas.search.strategy import load_strategy

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results" / "regret"
LEARNING = ("regularized_evolution", "tpe", "local_search")


def read(name: str) -> dict[str, Any]:
    return json.loads((RESULTS / f"{name}.json").read_text())  # type: ignore[no-any-return]


@pytest.mark.parametrize("path", sorted(RESULTS.glob("*.json")), ids=lambda path: path.stem)
def test_every_result_has_its_plots_and_its_means_are_those_of_its_seeds(path: Path) -> None:
    found = read(path.stem)
    assert path.with_suffix(".svg").is_file()
    assert path.with_suffix(".png").is_file()
    for at in found["regret"].values():
        for each in at.values():
            assert len(each["seeds"]) == found["seeds"]
            assert each["mean"] == pytest.approx(np.mean(each["seeds"]), abs=1e-4)


def test_evolution_tpe_and_local_search_beat_random_search_with_the_shipped_settings() -> None:
    found = read("nas_bench_macro")
    assert found["seeds"] == 50
    p_values = {}
    for name in LEARNING:
        assert found["settings"][name] == load_strategy(name).settings, "shipped settings changed: run the benchmark"
        for n in ("100", "300"):
            ours, drawn = (np.array(found["regret"][each][n]["seeds"]) for each in (name, "random"))
            assert ours.mean() < drawn.mean()
            p_values[name, int(n)] = stats.wilcoxon(ours, drawn, alternative="less").pvalue
    ordered = sorted(p_values.values())
    holm = [max((len(ordered) - k) * p for k, p in enumerate(ordered[: i + 1])) for i in range(len(ordered))]
    assert max(holm) < 0.01
    for each in found["better_than_random"]:
        raw = p_values[each["strategy"], each["evaluations"]]
        assert each["p"] == pytest.approx(raw)
        assert each["p_holm"] == pytest.approx(holm[ordered.index(raw)])


def test_every_strategy_comes_as_far_as_its_plain_reference() -> None:
    for name in ("nas_bench_macro", "nasbench301_list"):
        for at in read(name)["plain_reference"].values():
            for each in at.values():
                low, high = each["difference"]
                assert each["zero_is_inside"]
                assert low <= 0 <= high
    assert read("nas_bench_macro")["regret"].keys() >= {*LEARNING, "random", "grid"}
    assert "catalogue" in read("nasbench301_list")["regret"]
