"""Causal genotypes in searches and retrainings: what is refused, and the delay of several splits."""

from __future__ import annotations

from pathlib import Path

import pytest

from audionas.errors import SettingsError
from audionas.experiment.causal_sources import causal_delay
from audionas.experiment.genotype_sources import Source
from audionas.experiment.search import SearchRequest, search
from audionas.features import extractor_from_settings
from audionas.spaces import CnnGenotype, CnnMacro

EDGES = (("skip_connect", 0), ("skip_connect", 1))


def source(causal: bool, **settings: object) -> Source:
    extractor = extractor_from_settings({"extractor": "log_mel", **settings}, "test").resolve(16_000, [1.0])
    genotype = CnnGenotype(EDGES, (2,), EDGES, (2,), macro=CnnMacro(reduction_at=(), causal=causal))
    return Source(
        Path("g.json"), genotype, {"features": extractor.settings(), "input_shape": list(extractor.input_shape)}
    )


def test_of_several_splits_the_longest_delay_is_told() -> None:
    found = causal_delay({"1": source(True, hop_ms=10), "2": source(True, hop_ms=20)})
    assert found is not None
    assert found.total_ms == 25 + 20


def test_networks_that_are_not_causal_have_none() -> None:
    assert causal_delay({"1": source(False)}) is None


def test_retraining_refuses_features_that_read_the_whole_clip() -> None:
    with pytest.raises(SettingsError, match=r"g\.json: causal: true and features with frames_by: adaptive"):
        causal_delay({"1": source(True, frames=20, frames_by="adaptive", crop="end")})


def test_a_search_refuses_them_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "space.yaml").write_text(
        "kind: cnn_cell\nfeatures: emotionnas-literal\nnodes: 1\nops: [skip_connect, conv_1x5]\nmacro: {causal: true}\n"
    )
    with pytest.raises(SettingsError, match="space space: causal: true and features with frames_by: adaptive"):
        search(SearchRequest(space=str(tmp_path / "space.yaml"), strategy="random", out=tmp_path / "run"))
    assert not (tmp_path / "run").exists()
