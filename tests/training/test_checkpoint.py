"""Checkpoints are read without running code, and written whole or not at all."""

from __future__ import annotations

import pickle
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from audionas.errors import RunError
from audionas.training.checkpoint import EpochCheckpoint, load_checkpoint


class Hostile:
    """Unpickling it would make a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        import os

        return os.mkdir, (str(self._folder),)


def refused(path: Path, words: str = "not a readable checkpoint; delete it") -> None:
    with pytest.raises(RunError, match=words) as error:
        load_checkpoint(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("plain_pickle", [True, False])
def test_a_checkpoint_that_holds_code_is_refused_and_the_code_not_run(tmp_path: Path, plain_pickle: bool) -> None:
    path, trap = tmp_path / "last.pt", tmp_path / "executed"
    state = {"epoch": 1, "module": Hostile(trap), "optimisers": [], "schedules": []}
    if plain_pickle:
        path.write_bytes(pickle.dumps(state, protocol=2))
    else:
        torch.save(state, path)
    refused(path)
    assert not trap.exists()


def test_the_hostile_pickle_would_run_if_it_were_unpickled(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Hostile(tmp_path / "executed")))
    assert (tmp_path / "executed").exists()


def saved(path: Path, epoch: int = 3, network: nn.Module | None = None, every_s: float = 0.0) -> EpochCheckpoint:
    """Save as Lightning would have it at the end of an epoch."""
    trainer = SimpleNamespace(
        current_epoch=epoch - 1, max_epochs=10, should_stop=False, optimizers=[], lr_scheduler_configs=[]
    )
    checkpoint = EpochCheckpoint(path, every_s)
    checkpoint.on_train_epoch_end(trainer, network or nn.Linear(2, 2))  # type: ignore[arg-type]
    return checkpoint


def test_a_checkpoint_knows_the_next_epoch_and_the_weights(tmp_path: Path) -> None:
    network = nn.Linear(2, 2)
    assert EpochCheckpoint(tmp_path / "last.pt").next_epoch == 0
    saved(tmp_path / "last.pt", 3, network)
    assert EpochCheckpoint(tmp_path / "last.pt").next_epoch == 3
    state = load_checkpoint(tmp_path / "last.pt")
    assert state is not None
    assert torch.equal(state["module"]["weight"], network.weight)
    assert [path.name for path in tmp_path.iterdir()] == ["last.pt"]


@pytest.mark.parametrize("share", [0.0, 0.3, 0.95])
def test_a_torn_checkpoint_is_one_line(tmp_path: Path, share: float) -> None:
    path = tmp_path / "last.pt"
    saved(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    refused(path)


def test_a_foreign_file_is_one_line(tmp_path: Path) -> None:
    torch.save({"state_dict": {}}, tmp_path / "last.pt")
    refused(tmp_path / "last.pt", "not a checkpoint of audionas; delete it")
    (tmp_path / "text.pt").write_text("hello")
    refused(tmp_path / "text.pt")


@pytest.mark.parametrize(
    "changes", [{"epoch": "3"}, {"epoch": True}, {"module": [1]}, {"optimisers": None}, {"schedules": 1}]
)
def test_a_checkpoint_of_another_form_is_one_line(tmp_path: Path, changes: dict[str, Any]) -> None:
    torch.save({"epoch": 3, "module": {}, "optimisers": [], "schedules": [], **changes}, tmp_path / "last.pt")
    refused(tmp_path / "last.pt", "not a checkpoint of audionas; delete it")


def stepped(n_inputs: int) -> tuple[nn.Linear, torch.optim.Optimizer]:
    """A network after one step of Adam."""
    network = nn.Linear(n_inputs, 1)
    optimiser = torch.optim.Adam(network.parameters())
    network(torch.ones(1, n_inputs)).sum().backward()
    optimiser.step()
    return network, optimiser


@pytest.mark.parametrize("part", ["module", "optimisers", "moments", "schedules"])
def test_a_checkpoint_of_another_training_is_one_line_when_the_training_begins(tmp_path: Path, part: str) -> None:
    (network, optimiser), (_, other) = stepped(2), stepped(3)
    state: dict[str, Any] = {
        "epoch": 1, "module": network.state_dict(), "optimisers": [optimiser.state_dict()], "schedules": []
    }  # fmt: skip
    wrong: dict[str, dict[str, Any]] = {
        "module": {"module": nn.Linear(3, 1).state_dict()}, "optimisers": {"optimisers": []},
        "moments": {"optimisers": [other.state_dict()]}, "schedules": {"schedules": [{"x": 1}]},
    }  # fmt: skip
    trainer = SimpleNamespace(optimizers=[torch.optim.Adam(network.parameters())], lr_scheduler_configs=[])
    torch.save(state, tmp_path / "last.pt")
    EpochCheckpoint(tmp_path / "last.pt").on_train_start(trainer, network)  # type: ignore[arg-type]
    torch.save(state | wrong[part], tmp_path / "last.pt")
    with pytest.raises(RunError, match=r"last.pt: of another training than this; delete it to start this one anew"):
        EpochCheckpoint(tmp_path / "last.pt").on_train_start(trainer, network)  # type: ignore[arg-type]


def test_no_file_is_no_checkpoint(tmp_path: Path) -> None:
    assert load_checkpoint(tmp_path / "last.pt") is None


def test_a_checkpoint_is_not_saved_more_often_than_asked_but_at_the_end(tmp_path: Path) -> None:
    saved(tmp_path / "a.pt", epoch=3, every_s=1000)
    assert not (tmp_path / "a.pt").exists()
    saved(tmp_path / "b.pt", epoch=10, every_s=1000)
    assert (tmp_path / "b.pt").exists()


@contextmanager
def files_no_larger_than(n_bytes: int) -> Iterator[None]:
    """The operating system refuses to write more, as it does on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_takes_no_more_is_one_line_and_leaves_the_old_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "last.pt"
    saved(path, epoch=3)
    with files_no_larger_than(4096), pytest.raises(RunError, match=r"last\.pt: cannot write \("):
        saved(path, epoch=4, network=nn.Linear(100, 100))
    assert EpochCheckpoint(path).next_epoch == 3
    assert [file.name for file in tmp_path.iterdir()] == ["last.pt"]


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_a_damaged_checkpoint_is_one_line_whatever_is_damaged(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    path = tmp_path / "last.pt"
    whole = pickle.dumps({"epoch": 1, "module": {"a": [1, 2]}, "optimisers": [(1, 2)], "schedules": ["x"]}, protocol=2)
    for _ in range(200):
        damaged = bytearray(whole)
        for at in rng.integers(len(whole), size=3):
            damaged[at] = rng.integers(256)
        path.write_bytes(damaged)
        with suppress(RunError):
            load_checkpoint(path)
