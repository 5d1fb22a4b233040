"""A wheel built from the tree works in an empty environment, outside the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

from tests.installed_closure import make_environment

ROOT = Path(__file__).parent.parent


def _run(*command: str | Path, cwd: Path, **env: str) -> str:
    clean = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=clean | env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    _run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, ROOT, cwd=folder)
    return next(folder.glob("audionas-*.whl"))


@pytest.mark.slow
def test_only_audionas_stands_at_the_top_of_site_packages(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"audionas"}
    for wanted in (
        "search_spaces/darts_cnn.yaml", "strategies/darts.yaml", "sample/manifest.csv", "py.typed",
        "schemas/space.json", "starting_files/spaces/cnn_cell.yaml",
    ):  # fmt: skip
        assert f"audionas/{wanted}" in names
    assert sum(name.endswith(".flac") for name in names) == 119


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The executables of an environment with the wheel, what its metadata asks for, and nothing else."""
    folder = tmp_path_factory.mktemp("environment") / "venv"
    bin_folder = make_environment(folder, requirements_of(wheel))
    _run(sys.executable, "-m", "pip", "--python", bin_folder / "python", "install", "--quiet", "--no-deps", wheel,
         cwd=folder)  # fmt: skip
    return bin_folder


def requirements_of(wheel: Path) -> list[str]:
    """What the metadata of a wheel asks for, extras apart."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = message_from_bytes(archive.read(name))
    return metadata.get_all("Requires-Dist", [])


@pytest.mark.slow
def test_the_environment_has_no_more_than_the_wheel_asks_for(environment: Path, tmp_path: Path) -> None:
    code = "import importlib.util; print(*(n for n in ('pytest', 'hypothesis', 'torch', 'nni', 'transformers') "
    code += "if importlib.util.find_spec(n)))"
    assert _run(environment / "python", "-c", code, cwd=tmp_path).split() == ["torch", "nni"]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_wheel_lists_and_searches_in_an_empty_environment(environment: Path, tmp_path: Path) -> None:
    assert "darts_cnn_small" in _run(environment / "audionas", "list", "spaces", cwd=tmp_path)
    _run(
        environment / "audionas", "search", "--epochs", "1", "--out", tmp_path / "run", cwd=tmp_path,
        AUDIONAS_CACHE=str(tmp_path / "cache"),
    )  # fmt: skip
    assert (tmp_path / "run" / "genotype.json").is_file()
