"""Commands, seeds, machine and versions on the page: of every run behind it, each where runs differ."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

from audionas.report.environment_section import commands_section, environment_section
from audionas.report.run_files import read_run

MACHINE = {"processor": "A chip", "cores": 4, "memory_gib": 31.2, "system": "linux"}


def change(folder: Path, **fields: object) -> None:
    path = folder / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def facts(folder: Path) -> dict[str, str]:
    (block,) = environment_section(read_run(folder)).blocks
    return dict(block.rows)


def commands(folder: Path) -> list[tuple[str, str]]:
    (block,) = commands_section(read_run(folder)).blocks
    return list(block.rows)


def test_machine_seeds_and_versions_stand_once_where_runs_agree(search_run: Path) -> None:
    for folder in (search_run, search_run / "retrained"):
        change(folder, machine=MACHINE, device="cpu", threads=2, kernel_path="torch")
    found = facts(search_run)
    assert found["seed of the search"] == "0"
    assert found["seeds of the retraining"] == "0, 1, 2"
    assert found["machine"] == "A chip, 4 cores, 31.2 GiB of memory, linux"
    assert found["computed on"] == "cpu, 2 threads, torch kernels"
    assert found["torch"] == "2.13.0"
    assert found["search made"] == found["retraining made"] == "2025-11-21T09:00:00"


def test_what_differs_stands_there_for_each_run(search_run: Path) -> None:
    gpu = {"name": "A card", "memory_gib": 80.0, "cuda": "12.6"}
    change(search_run, machine=MACHINE, device="cpu", threads=2)
    change(
        search_run / "retrained", machine=MACHINE | {"gpu": gpu}, device="cuda:1", versions={"torch": "2.13.0+cu126"}
    )
    found = facts(search_run)
    assert found["machine"] == "A chip, 4 cores, 31.2 GiB of memory, linux"
    assert found["computed on (search)"].startswith("cpu, 2 threads")
    assert found["computed on (retraining)"].startswith("cuda:1: A card, 80 GiB, CUDA 12.6")
    assert found["torch (search)"] == "2.13.0"
    assert found["torch (retraining)"] == "2.13.0+cu126"


def test_restarts_are_counted_from_the_seed(search_run: Path) -> None:
    change(search_run, restarts=3)
    assert facts(search_run)["seed of the search"] == "0, and the 3 restarts from there on"


def test_the_search_behind_a_retrained_genotype_is_named(
    search_run: Path, runs: SimpleNamespace, tmp_path: Path
) -> None:
    other = runs.retraining(tmp_path / "other", genotypes={"1": str(search_run / "genotype.json")})
    assert commands(other) == [
        ("search of the genotype", "audionas search runs/emodb4 --exclude-fold 1 --seed 0 --out runs/first"),
        ("retraining", "audionas retrain 'runs/my run' --seeds 3"),
        ("this page", f"audionas report {other}"),
    ]
    nested = runs.nested(tmp_path / "nested")
    genotypes = {split: str(nested / f"split_{split}" / "genotype.json") for split in ("1", "2", "3")}
    of_nested = runs.retraining(tmp_path / "of_nested", genotypes=genotypes)
    assert commands(of_nested)[0] == (
        "search of the genotype",
        "audionas search runs/emodb4 --nested --out runs/nested",
    )
    assert len(commands(of_nested)) == 3
    gone = runs.retraining(tmp_path / "gone", genotypes={"1": "/nowhere/genotype.json"})
    assert [what for what, _ in commands(gone)] == ["retraining", "this page"]


def test_streams_of_a_fusion_and_networks_of_an_evaluation_are_named(tmp_path: Path, runs: SimpleNamespace) -> None:
    stream = runs.retraining(tmp_path / "stream")
    for kind, fields in (("fuse", {"streams": [str(stream), "/gone"]}), ("evaluate", {"evaluated": str(stream)})):
        folder = tmp_path / kind
        folder.mkdir()
        record = {"schema_version": 1, "kind": kind, "status": "running", "command": f"audionas {kind} x"}
        (folder / "run.json").write_text(json.dumps(record | fields))
        first, second, _ = commands(folder)
        assert first[1] == "audionas retrain 'runs/my run' --seeds 3"
        assert second == (kind, f"audionas {kind} x")


def test_a_damaged_run_elsewhere_is_left_out(tmp_path: Path, runs: SimpleNamespace) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "run.json").write_text("{")
    found = runs.retraining(tmp_path / "r", genotypes={"1": str(tmp_path / "broken" / "genotype.json")})
    assert [what for what, _ in commands(found)] == ["retraining", "this page"]


def test_the_precision_is_told_where_it_is_not_the_usual_one_of_the_cpu(search_run: Path) -> None:
    change(search_run, machine=MACHINE, device="cpu", threads=2, precision="32")
    change(search_run / "retrained", machine=MACHINE, device="cpu", threads=2, precision="bf16")
    found = facts(search_run)
    assert found["computed on (search)"] == "cpu, 2 threads, torch kernels"
    assert found["computed on (retraining)"] == "cpu, 2 threads, bfloat16 mixed precision"
    change(search_run / "retrained", device="cuda", precision="32")
    assert "float32" in facts(search_run)["computed on (retraining)"]
