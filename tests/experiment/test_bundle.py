"""What a bundle holds and what it must not hold: no audio, no features, no path of the machine."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from audionas.errors import RunError
from audionas.experiment.bundle import bundle, bundle_files
from tests.experiment.finished_runs import FinishedRuns

pytestmark = pytest.mark.slow  # the fixture searches and retrains


def _json(files: dict[str, bytes], name: str) -> Any:
    return json.loads(files[name])


def test_a_bundle_holds_configs_manifest_genotypes_predictions_and_environment(finished: FinishedRuns) -> None:
    files = bundle_files(finished.searched)
    parts = {f"run/retrained/split_{n}/seed_{seed}/predictions.csv" for n in (1, 2, 3) for seed in (0, 1)}
    parts |= {f"run/split_{n}/genotype.json" for n in (1, 2, 3)}
    parts |= {"run/space.yaml", "run/strategy.yaml", "run/manifest.csv", "run/manifest.json", "run/run.json"}
    parts |= {"run/retrained/metrics.json", "run/retrained/run.json", "environment.json", "bundle.json"}
    assert parts <= set(files)
    listed = _json(files, "bundle.json")
    assert listed["runs"] == {
        "run": "nested_search", "run/retrained": "retrain",
        **{f"run/split_{n}": "search" for n in (1, 2, 3)},
    }  # fmt: skip
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items() if name != "bundle.json"}
    assert listed["files"] == hashes


def test_the_environment_names_every_package_as_pip_freeze_does(finished: FinishedRuns) -> None:
    import numpy
    import torch

    environment = _json(bundle_files(finished.one), "environment.json")
    assert {f"numpy=={numpy.__version__}", f"torch=={torch.__version__}"} <= set(environment["packages"])


def test_a_bundle_holds_no_audio_no_features_no_checkpoint_and_weights_only_when_asked(finished: FinishedRuns) -> None:
    plain, heavy = bundle_files(finished.one), bundle_files(finished.one, weights=True)
    assert {Path(name).suffix for name in plain} <= {".json", ".jsonl", ".yaml", ".csv"}
    assert {Path(name).name for name in set(heavy) - set(plain)} == {"weights.safetensors"}
    assert len(set(heavy) - set(plain)) == 6


def test_no_path_of_this_machine_is_in_a_bundle(finished: FinishedRuns) -> None:
    assert str(finished.folder) in (finished.one / "run.json").read_text()
    for run in (finished.searched, finished.two, finished.fused):
        for name, content in bundle_files(run).items():
            text = content.decode()
            assert str(finished.folder) not in text, name
            assert str(finished.folder.resolve()) not in text, name
            assert str(Path.home()) + "/" not in text, name


def test_paths_inside_the_run_become_places_in_the_bundle(finished: FinishedRuns) -> None:
    record = _json(bundle_files(finished.searched), "run/retrained/run.json")
    assert record["genotypes"]["2"] == "run/split_2/genotype.json"
    assert record["command"] == "audionas retrain run --out run/retrained"
    assert record["data"]["root"] == "corpus"


def test_a_fusion_brings_the_streams_that_it_was_made_of(finished: FinishedRuns) -> None:
    files = bundle_files(finished.fused)
    assert _json(files, "run/run.json")["streams"] == ["streams/1", "streams/2"]
    assert "streams/2/split_1/seed_0/inner_1/predictions.csv" in files
    assert [row["name"] for row in _json(files, "run/metrics.json")["headline"]["rows"]][:2] == [
        "streams/1", "streams/2",
    ]  # fmt: skip


def test_the_same_run_gives_the_same_bytes(finished: FinishedRuns, tmp_path: Path) -> None:
    first, second = (bundle(finished.one, tmp_path / name) for name in ("a.zip", "b.zip"))
    assert first.sha256 == second.sha256 == hashlib.sha256((tmp_path / "a.zip").read_bytes()).hexdigest()
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert len(archive.namelist()) == first.n_files


def test_an_unfinished_run_a_taken_place_and_a_missing_stream_are_refused(
    finished: FinishedRuns, tmp_path: Path
) -> None:
    with pytest.raises(RunError, match=r"a bundle is a \.zip file"):
        bundle(finished.one, tmp_path / "a.tar")
    (tmp_path / "a.zip").write_text("mine")
    with pytest.raises(RunError, match=r"a.zip: exists already; choose another --out"):
        bundle(finished.one, tmp_path / "a.zip")
    copy = tmp_path / "copy"
    shutil.copytree(finished.fused, copy)
    record = json.loads((copy / "run.json").read_text())
    (copy / "run.json").write_text(json.dumps(record | {"streams": [str(tmp_path / "gone")]}))
    with pytest.raises(RunError, match=r"its stream .*gone is not there; a bundle needs its predictions"):
        bundle(copy)
    (copy / "run.json").write_text(json.dumps(record | {"status": "interrupted"}))
    with pytest.raises(RunError, match=r"this run is not finished \(interrupted\)"):
        bundle(copy)


def test_a_table_that_names_the_users_home_is_refused(finished: FinishedRuns, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(finished.two, copy)
    table = (copy / "manifest.csv").read_text().splitlines()
    home = f"{Path.home()}/takes/a.wav"
    lines = [f"{table[0]},original", *(f"{line},{home}" for line in table[1:])]
    (copy / "manifest.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(RunError, match=r"manifest.csv: holds the path .*takes/a.wav; drop that column"):
        bundle(copy)
