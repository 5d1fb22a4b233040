"""What `check --costs` says of a genotype: the sizes of the network that is built, and a time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from audionas.errors import GenotypeError, SettingsError
from audionas.experiment.genotype_costs import cost_lines, genotype_costs
from audionas.models import build_model, n_parameters
from audionas.models.macs import n_macs
from audionas.spaces.genotype_file import load_genotype


def test_the_costs_are_those_of_the_network_on_the_features_of_its_search(searched: Path) -> None:
    network = build_model(load_genotype(searched / "genotype.json"), input_shape=(1, 8, 8), n_classes=2)
    length_s = json.loads((searched / "run.json").read_text())["features"]["length_s"]
    found = genotype_costs(searched / "genotype.json")
    assert found["parameters"] == n_parameters(network)
    assert found["macs"] == n_macs(network, (1, 8, 8))
    assert found["macs_per_second"] == pytest.approx(found["macs"] / length_s)
    assert (found["input_shape"], found["n_outputs"]) == ([1, 8, 8], 2)
    latency = found["latency"]
    assert 0 < latency["median_ms"] <= latency["p95_ms"]
    assert latency["real_time_factor"] == pytest.approx(latency["median_ms"] / 1000 / length_s, rel=1e-2)
    lines = cost_lines(found)
    assert lines[0].startswith(f"{found['parameters']:,} parameters; {found['macs']:,} MACs a clip, ")
    assert "1x8x8 input" in lines[0]
    assert lines[1].startswith("latency median ")
    assert lines[1].endswith("(cpu, batch 1, one thread, features included, 30 runs)")


def test_a_run_folder_stands_for_its_genotype(searched: Path) -> None:
    assert genotype_costs(searched)["parameters"] == genotype_costs(searched / "genotype.json")["parameters"]


def test_a_genotype_that_does_not_know_its_features_is_told(searched: Path) -> None:
    document = json.loads((searched / "genotype.json").read_text())
    del document["provenance"]
    path = searched / "bare.json"
    path.write_text(json.dumps(document))
    with pytest.raises(GenotypeError, match=r"bare.json: does not say which features and labels it was found on"):
        genotype_costs(path)
    with pytest.raises(SettingsError, match="--device: got 'tpu'; accepted"):
        genotype_costs(path, "tpu")
