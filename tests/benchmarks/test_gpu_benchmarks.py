"""The scripts for a machine with a GPU run without one, at toy sizes; what they carry there is whole."""

from __future__ import annotations

import base64
import csv
import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest
import torch

GPU = Path(__file__).parent.parent.parent / "benchmarks" / "gpu"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(GPU.parent.parent)}


@pytest.fixture(scope="module")
def prepare() -> ModuleType:
    spec = importlib.util.spec_from_file_location("prepare_gpu", GPU / "prepare.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_wheel(path: Path, requires: list[str]) -> Path:
    metadata = "Metadata-Version: 2.1\nName: nni\nVersion: 3.0\n" + "".join(f"Requires-Dist: {r}\n" for r in requires)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("nni/__init__.py", "version = 3\n")
        archive.writestr("nni_node/node", "x" * 100_000)
        archive.writestr("nni-3.0.dist-info/METADATA", metadata)
        archive.writestr("nni-3.0.dist-info/RECORD", "stale")
    return path


def test_the_wheel_of_nni_travels_without_its_node_and_with_a_true_record(prepare: ModuleType, tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path / "nni-3.0-py3-none-any.whl", [])
    prepare.without_node(wheel)
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        rows = list(csv.reader(archive.read("nni-3.0.dist-info/RECORD").decode().splitlines()))
        assert not [name for name in names if name.startswith("nni_node")]
        assert {row[0] for row in rows} == set(names)
        for name, digest, size in rows:
            if digest:
                data = archive.read(name)
                told = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
                assert (digest, int(size)) == (f"sha256={told}", len(data))


def test_needs_leaves_out_extras_and_other_systems(prepare: ModuleType, tmp_path: Path) -> None:
    lines = ["PyYAML>=5", "foo; extra == 'all'", "pywin32; sys_platform == 'win32'", "old; python_version < '3.8'"]
    wheel = write_wheel(tmp_path / "nni-3.0-py3-none-any.whl", lines)
    assert list(prepare.needs(wheel, "3.12")) == ["pyyaml"]


def test_names_of_packages_that_are_there(prepare: ModuleType, tmp_path: Path) -> None:
    file = tmp_path / "there.txt"
    file.write_text("Torch_Geometric==2.8\nnumpy\n")
    assert prepare.names_in(file) == {"torch-geometric", "numpy"}


def run(tmp_path: Path, *more: str) -> dict[str, object]:
    command = [sys.executable, str(GPU / "run.py"), "--tiny", "--device", "cpu", "--out", str(tmp_path / "out.json")]
    subprocess.run([*command, *more], check=True, cwd=GPU.parent.parent, env=ENVIRONMENT)
    return dict(json.loads((tmp_path / "out.json").read_text())["parts"])


def test_parts_run_without_a_card(tmp_path: Path) -> None:
    found = run(tmp_path, "--only", "agreement,recipes,catalogue", "--limit", "240")  # a busy machine
    assert [name for name, part in found.items() if "failed" in part] == []  # type: ignore[operator]
    assert found["agreement"]["distance between the ends / length of the way"] == 0.0  # type: ignore[index]


def test_a_part_out_of_time_is_told_and_costs_no_other(tmp_path: Path) -> None:
    found = run(tmp_path, "--only", "agreement,second_order", "--limit", "0.01")
    assert [set(part) for part in found.values()] == [{"aim", "failed"}] * 2  # type: ignore[call-overload]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a card")
def test_without_a_card_one_line_says_so(tmp_path: Path) -> None:
    command = [sys.executable, str(GPU / "run.py"), "--out", str(tmp_path / "out.json")]
    done = subprocess.run(command, cwd=GPU.parent.parent, env=ENVIRONMENT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.strip() == "--device: 'cuda' is not available here (0 GPUs); use cpu"
    assert not (tmp_path / "out.json").exists()
