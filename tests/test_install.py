"""A wheel built from the tree works in an empty environment, outside the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

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
    for wanted in ("search_spaces/darts_cnn.yaml", "strategies/darts.yaml", "sample/manifest.csv", "py.typed"):
        assert f"audionas/{wanted}" in names
    assert sum(name.endswith(".flac") for name in names) == 119


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_wheel_lists_and_searches_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    bin_folder = tmp_path / "venv" / "bin"
    _run(bin_folder / "pip", "install", "--quiet", "-c", ROOT / "constraints.txt", wheel, cwd=tmp_path)
    assert "darts_cnn_small" in _run(bin_folder / "audionas", "list", "spaces", cwd=tmp_path)
    _run(
        bin_folder / "audionas", "search", "--epochs", "1", "--out", tmp_path / "run", cwd=tmp_path,
        AUDIONAS_CACHE=str(tmp_path / "cache"),
    )  # fmt: skip
    assert (tmp_path / "run" / "genotype.json").is_file()
