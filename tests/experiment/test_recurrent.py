"""Recurrent genotypes from end to end: the user's own recipe and own YAML, by path, on real files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from audionas.errors import GenotypeError, SettingsError
from audionas.experiment.prepare import PrepareOptions
from audionas.experiment.retrain import RetrainRequest, retrain
from audionas.experiment.search import SearchRequest, search
from audionas.experiment.search_inputs import read_inputs
from audionas.records import read_json
from audionas.spaces import RecurrentGenotype
from audionas.spaces.genotype_file import read_genotype_file
from audionas.spaces.reference_recipes import reference_recipe
from tests.experiment.conftest import make_tiny_corpus, make_tiny_space

GROUPS = PrepareOptions(group_from="^(s[0-9]+)_", folds="3")


def write_recipes(folder: Path) -> None:
    """Two recipes in a file, a space that chooses between them, and one bare recipe."""
    recipes = {name: reference_recipe(name).to_recipe() for name in ("lstm", "gru")}
    (folder / "mine.json").write_text(json.dumps(recipes))
    (folder / "mine.yaml").write_text(
        "kind: recurrent_catalogue\ncatalogue: mine.json\nfeatures: features.yaml\nmacro: {hidden: 4, pooling: mean}\n"
    )
    (folder / "recipe.json").write_text(json.dumps(recipes["gru"]))
    masked = (folder / "features.yaml").read_text().replace("frames: 8", "pool: 4\nmask_padding: true")
    (folder / "features.yaml").write_text(masked)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder with a corpus, features and the user's own recipes."""
    make_tiny_corpus(tmp_path)
    make_tiny_space(tmp_path)
    write_recipes(tmp_path)
    return tmp_path


def test_an_own_catalogue_is_searched_and_retrained_by_path(own: Path) -> None:
    request = SearchRequest(
        data=own / "corpus", space=str(own / "mine.yaml"), strategy="catalogue", trials=5, epochs=1,
        out=own / "run", preparation=GROUPS,
    )  # fmt: skip
    run = search(request)
    record = read_json(run / "run.json", "run file")
    assert record["stopped_by"] == "exhausted"  # two recipes, five trials
    found = read_genotype_file(run / "genotype.json").genotype
    assert isinstance(found, RecurrentGenotype)
    assert found.recipe_hash in {reference_recipe(name).recipe_hash for name in ("lstm", "gru")}
    assert (found.macro.hidden, found.macro.pooling) == (4, "mean")
    (own / "mine.json").unlink()
    read_inputs(run)[0].check(found)  # the run holds the recipes itself

    retrained = retrain(RetrainRequest((run,), epochs=2, seeds=1, out=own / "retrained"))
    result = read_json(retrained / "split_1" / "seed_0" / "result.json", "result")
    assert result["parameter_parts"]["total"] == result["parameters"]
    assert read_json(retrained / "run.json", "run file")["options"]["recipe"]["optimiser"] == "adam"


def test_an_own_recipe_file_is_retrained_by_path(own: Path) -> None:
    request = RetrainRequest(
        (own / "recipe.json",), own / "corpus", str(own / "features.yaml"), {"hidden": 5}, epochs=1, seeds=1,
        out=own / "retrained", preparation=GROUPS,
    )  # fmt: skip
    metrics = read_json(retrain(request) / "metrics.json", "metrics file")
    assert "NOT KNOWN" in metrics["headline"]["what"]
    with pytest.raises(GenotypeError, match="says nothing of its features; name them with --features"):
        retrain(RetrainRequest((own / "recipe.json",), own / "corpus", out=own / "other", preparation=GROUPS))


def test_a_recurrent_space_runs_under_random_search_and_refuses_darts(own: Path) -> None:
    space = own / "cells.yaml"
    space.write_text("kind: recurrent_cell\nfeatures: features.yaml\nnodes: {max: 5}\nmacro: {hidden: 3}\n")
    request = {"data": own / "corpus", "space": str(space), "epochs": 1, "preparation": GROUPS}
    run = search(SearchRequest(strategy="random", trials=2, out=own / "run", **request))
    assert isinstance(read_genotype_file(run / "genotype.json").genotype, RecurrentGenotype)
    with pytest.raises(SettingsError, match="algorithm 'darts' cannot search space 'cells' of kind 'recurrent_cell'"):
        search(SearchRequest(strategy="darts", out=own / "other", **request))
    assert not (own / "other").exists()


def test_masked_padding_reaches_the_network(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from audionas.models.frame_network import FrameNetwork

    seen: list[Any] = []
    forward = FrameNetwork.forward

    def spy(self: Any, x: Any, lengths: Any = None) -> Any:
        seen.append((x.shape[3], None if lengths is None else int(lengths.max())))
        return forward(self, x, lengths)

    monkeypatch.setattr(FrameNetwork, "forward", spy)
    long = (own / "features.yaml").read_text().replace("length_s: 0.5", "length_s: 1.0")
    (own / "features.yaml").write_text(long)  # clips of 0.5 s in an input of 1 s
    request = SearchRequest(
        data=own / "corpus", space=str(own / "mine.yaml"), strategy="catalogue", trials=1, epochs=1,
        out=own / "run", preparation=GROUPS,
    )  # fmt: skip
    search(request)
    frames = {shape for shape, _ in seen}
    lengths = {length for _, length in seen}
    assert len(frames) == 1
    # 4000 samples at 8 kHz, hop 80: 50 own frames of the transform, averaged by 4 they are 13; the input has
    # 8000 / 80 + 1 = 101 of the transform (centred), so 26
    assert (lengths, frames) == ({13}, {26})
