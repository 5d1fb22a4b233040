"""A run computes to its end with the kernels that it began with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from audionas.errors import RunError
from audionas.experiment.run_folder import RunFolder
from audionas.experiment.run_start import start_computing
from audionas.experiment.talk import Silent
from audionas.kernels import kernel_path, library, loader, use_kernels
from audionas.records import read_json


@pytest.fixture(autouse=True)
def _undecided(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AUDIONAS_KERNELS", "auto")
    loader._decided = None
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)
    loader._decided = None


def run_of(folder: Path, **fields: object) -> RunFolder:
    return RunFolder.create(folder / "run", "search", ["audionas"], threads=1, device="cpu", **fields)


def test_the_path_is_noted_in_the_run_file(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    start_computing(run, Silent())
    assert read_json(run.path / "run.json", "run file")["kernel_path"] == kernel_path()


def test_a_run_that_began_in_torch_goes_on_in_torch(tmp_path: Path) -> None:
    start_computing(run_of(tmp_path, kernel_path="torch"), Silent())
    assert (kernel_path(), library()) == ("torch", None)


def test_a_new_run_in_the_same_process_decides_for_itself(tmp_path: Path) -> None:
    start_computing(run_of(tmp_path / "old", kernel_path="torch"), Silent())
    new = run_of(tmp_path / "new")
    start_computing(new, Silent())
    assert new.record["kernel_path"] == use_kernels("auto", print)


def test_on_other_devices_torch_is_taken(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    run.record["device"] = "cuda"
    start_computing(run, Silent())
    assert run.record["kernel_path"] == "torch"


def test_a_run_that_began_with_kernels_is_not_ended_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIONAS_KERNELS_FOLDER", str(tmp_path / "none"))
    monkeypatch.setenv("CXX", "no-such-compiler")
    monkeypatch.setattr(loader, "_loaded", {})
    run = run_of(tmp_path, kernel_path="compiled")
    error = r"run: began with compiled kernels, which cannot be compiled here \(there is no compiler .*\); .* anew"
    with pytest.raises(RunError, match=error):
        start_computing(run, Silent())
    assert run.record["kernel_path"] == "compiled"
