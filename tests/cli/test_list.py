"""`audionas list`: every shelf, with a line for each member."""

from __future__ import annotations

import json

import pytest

from audionas import shipped
from audionas.datasets import DATASETS
from audionas.experiment.listing import SHELVES
from audionas.features import PRESETS
from audionas.models.baselines import BASELINES
from audionas.ops import CNN_OPS
from audionas.ops.recurrent import RNN_OPS
from audionas.search.algorithms import ALGORITHMS
from audionas.search.strategy import load_strategy
from tests.cli.running import refused, run

MEMBERS = {
    "spaces": shipped.names("search_spaces"),
    "strategies": shipped.names("strategies"),
    "baselines": BASELINES,
    "ops": {**CNN_OPS, **RNN_OPS},
    "features": [
        *PRESETS,
        "ge2e:CHECKPOINT",
        "pretrained:MODEL",
        "wav2vec:CHECKPOINT",
        "emotionnas_wav2vec:CHECKPOINT",
        "fop:CHECKPOINT",
    ],
    "datasets": DATASETS,
    "augmentations": shipped.names("augmentations"),
}


@pytest.mark.parametrize("shelf", SHELVES)
def test_a_shelf_names_all_its_members_with_a_line_each(shelf: str) -> None:
    found = json.loads(run("list", shelf, "--json").out)
    assert list(found) == [shelf]
    assert set(found[shelf]) == set(MEMBERS[shelf])
    assert all(found[shelf].values())
    lines = run("list", shelf).out.splitlines()
    assert lines[0] == f"{shelf}:"
    assert [line.split()[0] for line in lines[1:]] == list(found[shelf])


def test_without_a_name_all_shelves_are_listed() -> None:
    assert list(json.loads(run("list", "--json").out)) == list(SHELVES)


def test_an_unknown_shelf_suggests_the_nearest() -> None:
    line = refused("list", "strategy")
    assert line.startswith(
        "unknown list 'strategy' (did you mean 'strategies'?); known: augmentations, baselines, datasets, features, "
    )


def test_a_strategy_says_which_kinds_of_space_it_searches() -> None:
    found = json.loads(run("list", "strategies", "--json").out)["strategies"]
    assert found["catalogue"].endswith("for spaces recurrent_catalogue")
    for name, line in found.items():
        assert line.endswith(f"for spaces {', '.join(ALGORITHMS[load_strategy(name).algorithm].spaces)}")


def test_a_strategy_says_its_kind_its_cost_and_its_paper() -> None:
    found = json.loads(run("list", "strategies", "--json").out)["strategies"]
    assert found["regularized_evolution"].startswith("multi-trial, 60 trainings of 20 epochs: ")
    assert "Real, Aggarwal, Huang, Le: Regularized Evolution" in found["regularized_evolution"]
    assert found["darts"].startswith("one-shot, 1 supernet, 50 epochs: ")
    for name, line in found.items():
        assert load_strategy(name).source in line


def test_no_two_features_read_the_same() -> None:
    found = json.loads(run("list", "features", "--json").out)["features"]
    assert len(set(found.values())) == len(found)
    assert "pad_to 2911, pool 4" in found["emotionnas_wav2vec:CHECKPOINT"]
