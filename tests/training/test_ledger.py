"""The ledger: clip-passes counted where they are made, by step, and kept through a kill."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from audionas.training import ledger
from audionas.training.energy import EnergyCounter
from audionas.training.ledger import Ledger, count, step, summed


def _ledger(kept: dict[str, Any] | None = None, saved: list[dict[str, Any]] | None = None) -> Ledger:
    return Ledger("search", "cpu", kept or {}, (saved if saved is not None else []).append)


def test_passes_go_to_the_step_under_way_and_to_all_ledgers_at_work() -> None:
    outer, inner = _ledger(), _ledger()
    with outer.working():
        count(forward=2)
        with inner.working(), step("tuning"):
            count(forward=3, backward=3)
        count(forward=5, backward=1)
    count(forward=1000)
    assert outer.record()["clip_passes"] == {"forward": 10, "backward": 4}
    assert outer.record()["steps"]["tuning"]["forward"] == 3
    assert outer.record()["steps"]["search"]["forward"] == 7
    assert inner.record()["clip_passes"] == {"forward": 3, "backward": 3}


def test_seconds_of_the_steps_sum_to_those_of_the_run() -> None:
    found = _ledger()
    started = time.perf_counter()
    with found.working():
        time.sleep(0.02)
        with step("tuning"):
            time.sleep(0.05)
    spent = time.perf_counter() - started
    record = found.record()
    assert record["steps"]["tuning"]["seconds"] == pytest.approx(0.05, abs=0.02)
    assert record["seconds"] == pytest.approx(spent, abs=0.01)
    assert record["device_seconds"] < 0.05, "sleeping is no processor time"


def test_a_resumed_run_goes_on_from_what_was_kept() -> None:
    kept = {"steps": {"search": {"seconds": 10.0, "forward": 7, "backward": 7}}}
    found = _ledger(kept)
    with found.working():
        count(forward=1)
    assert found.record()["clip_passes"] == {"forward": 8, "backward": 7}
    assert found.record()["seconds"] >= 10.0


def test_it_saves_while_work_goes_on_so_that_a_kill_loses_little(monkeypatch: pytest.MonkeyPatch) -> None:
    saved: list[dict[str, Any]] = []
    monkeypatch.setattr(ledger, "SAVE_EVERY_S", 0.0)
    found = _ledger(saved=saved)
    with found.working():
        count(forward=4)
        count(forward=4)
    assert [record["clip_passes"]["forward"] for record in saved] == [4, 8]


def test_sums_of_runs_keep_their_steps() -> None:
    one = {"steps": {"search": {"seconds": 1.0, "forward": 2, "backward": 2}}}
    other = {"steps": {"search": {"seconds": 2.0, "forward": 3}, "tuning": {"energy_joules": 5.0}}}
    total = summed([one, other])
    assert total["steps"]["search"] == {"seconds": 3.0, "forward": 5, "backward": 2}
    assert (total["clip_passes"], total["energy_joules"]) == ({"forward": 5, "backward": 2}, 5.0)


def _package(powercap: Path, joules: float) -> None:
    (powercap / "intel-rapl:0").mkdir(parents=True, exist_ok=True)
    (powercap / "intel-rapl:0" / "energy_uj").write_text(f"{joules * 1e6:.0f}\n")
    (powercap / "intel-rapl:0" / "max_energy_range_uj").write_text("100000000\n")  # 100 J


def test_energy_is_read_from_the_processors_counter_which_runs_over(tmp_path: Path) -> None:
    _package(tmp_path, 90.0)
    counter = EnergyCounter("cpu", tmp_path)
    _package(tmp_path, 95.0)
    assert counter.spent() == pytest.approx(5.0)
    _package(tmp_path, 3.0)  # 95 -> 100 = 0 -> 3
    assert counter.spent() == pytest.approx(8.0)


def test_a_machine_that_tells_no_energy_gives_none(tmp_path: Path) -> None:
    assert EnergyCounter("cpu", tmp_path).spent() is None
