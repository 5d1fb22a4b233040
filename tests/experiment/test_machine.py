"""What a run says of its machine: the GPU only where it computes on one."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from audionas.experiment.machine import machine
from audionas.experiment.run_folder import RunFolder


def test_a_run_on_the_cpu_names_no_gpu(tmp_path: Path) -> None:
    assert sorted(machine()) == ["cores", "memory_gib", "processor", "system"]
    assert "gpu" not in RunFolder.create(tmp_path / "run", "search", []).record["machine"]


def test_a_run_on_a_gpu_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card = SimpleNamespace(name="A card", total_memory=80 * 2**30)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: {"cuda:1": card}[device])
    monkeypatch.setattr(torch.version, "cuda", "12.6")
    run = RunFolder.create(tmp_path / "run", "search", [], device="cuda:1")
    assert run.record["machine"]["gpu"] == {"name": "A card", "memory_gib": 80.0, "cuda": "12.6"}
