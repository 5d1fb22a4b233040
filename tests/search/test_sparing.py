"""A one-shot search that finds no memory goes on with less, to the same end, and a resumed one begins so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from audionas.models.cnn_supernet import CnnSupernet
from audionas.records import read_json, read_jsonl
from audionas.search import sparing
from audionas.search.gradient_pass import EagerRunner, GradientPass
from audionas.search.sparing import Sparing
from audionas.training import memory
from tests.search.test_gradient_pass import SEARCHES, Counter, places, run

__all__ = ["places"]
Places = tuple[Path, Path, Path]


@pytest.fixture(autouse=True)
def _memory_can_run_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The CPU counts as a device that can have no memory left."""
    monkeypatch.setattr(sparing, "can_run_out", lambda _: True)
    memory.tell_once.cache_clear()


def fail(monkeypatch: pytest.MonkeyPatch, *calls: int) -> None:
    """Let training passes of the supernet fail at these calls."""
    real, count = CnnSupernet.forward, [0]

    def forward(self: CnnSupernet, *given: Any) -> Any:
        found = real(self, *given)
        count[0] += torch.is_grad_enabled()
        if torch.is_grad_enabled() and count[0] in calls:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return found

    monkeypatch.setattr(CnnSupernet, "forward", forward)


@pytest.mark.parametrize("captured", [False, True], ids=["plain", "captured"])
@pytest.mark.parametrize("name", ["darts", "darts_second_order", "noise"])
def test_the_search_ends_as_if_there_had_been_memory(
    places: Places, name: str, captured: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    folder = f"{name}-{captured}"
    expected = run(places, name, f"{folder}-whole")
    if captured:
        monkeypatch.setattr("audionas.search.nni_darts.graph_runner", lambda _: EagerRunner())
    fail(monkeypatch, 7, 12)
    found = run(places, name, f"{folder}-short")
    records = [{key: value for key, value in line.items() if key not in REMEDIES} for line in found[0]]
    assert records == expected[0]
    assert all(torch.equal(found[1][key], expected[1][key]) for key in expected[1])
    assert found[2] == expected[2]
    assert {key: found[0][-1][key] for key in REMEDIES} == dict.fromkeys(REMEDIES, True)
    told = [record.message for record in caplog.records if "out of memory" in record.message]
    assert ["cells" in told[0], "host" in told[1], len(told)] == [True, True, 2]


REMEDIES = ("recomputes", "activations_on_host")


def test_draws_on_the_host_are_drawn_again(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("gumbel_darts", "proxyless"):
        monkeypatch.setitem(SEARCHES, name, f"algorithm: {name}\nsettings: {{}}\n")
        with monkeypatch.context() as patched:
            expected = run(places, name, f"{name}-whole")
            fail(patched, 7, 12)
            found = run(places, name, f"{name}-short")
        assert all(torch.equal(found[1][key], expected[1][key]) for key in expected[1])


def test_where_no_remedy_is_left_the_error_comes_out(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    fail(monkeypatch, *range(3, 99))
    with pytest.raises(torch.OutOfMemoryError):
        run(places, "darts", "hopeless")


def test_what_an_earlier_part_found_is_kept() -> None:
    network = Counter()
    assert Sparing(network).as_record() == {}
    found = Sparing(network, {"recomputes": True, "activations_on_host": True, "epoch": 3})
    assert (network.recomputes, found.on_host) == (True, True)
    assert found.as_record() == {"recomputes": True, "activations_on_host": True}


def test_what_was_asked_for_was_not_found() -> None:
    network = Counter()
    network.recomputes = True
    assert Sparing(network).as_record() == {}


def test_other_errors_come_out_at_once() -> None:
    calls: list[int] = []

    def work() -> None:
        calls.append(1)
        raise RuntimeError("shapes do not fit")

    with pytest.raises(RuntimeError, match="shapes"):
        Sparing(Counter())(work)
    assert calls == [1]


def test_epochs_say_what_was_found(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    fail(monkeypatch, 7)
    run(places, "darts", "told")
    lines = read_jsonl(places[0] / "told" / "epochs.jsonl")
    warnings = [line for line in read_json(places[0] / "told" / "run.json", "run")["warnings"] if "memory" in line]
    assert warnings == [
        "out of memory on the device: results within cells were computed again in the backward pass; "
        "the result is the same"
    ]
    assert [line.get("recomputes", False) for line in lines] == [False, True, True] or lines[0]["recomputes"]
    assert not any("activations_on_host" in line for line in lines)


def test_what_was_captured_before_a_remedy_is_forgotten_by_every_pass() -> None:
    network = Counter()
    found, given = Sparing(network), (torch.randn(4, 3), torch.zeros(4), torch.ones(4), None)
    passes = [GradientPass(network.gradients, [network.weight], network, EagerRunner(), found) for _ in range(2)]
    for each in passes:
        each(given)
    assert all(each._known for each in passes)
    failures = [torch.OutOfMemoryError("CUDA out of memory")]

    def work() -> list[bool]:
        if failures:
            raise failures.pop()
        return [bool(each._known) for each in passes]

    assert found(work) == [False, False]
