"""What `ray` refuses before any work, without importing Ray."""

from __future__ import annotations

import importlib.util
import socket
from pathlib import Path

import pytest

from audionas.errors import RunError
from audionas.experiment.search import SearchRequest, search
from audionas.experiment.search_engine import EngineRequest
from audionas.search.engines import EngineOptions, check_engine

pytestmark = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed")


@pytest.fixture
def address_of_nobody() -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening, then free
        return f"127.0.0.1:{taken.getsockname()[1]}"


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_nobody_at_the_address_is_one_line(address_of_nobody: str, host: str) -> None:
    address = f"{host}:{address_of_nobody.rpartition(':')[2]}"
    with pytest.raises(
        RunError, match=r"--address .*: no Ray cluster answers there .* start one with `ray start --head`"
    ):
        check_engine("ray", EngineOptions(2, None, address), "random", "multi-trial")


def test_a_port_beyond_all_ports_is_one_line() -> None:
    with pytest.raises(RunError, match=r"--address 127\.0\.0\.1:99999: no Ray cluster answers there"):
        check_engine("ray", EngineOptions(2, None, "127.0.0.1:99999"), "random", "multi-trial")


def test_somebody_at_the_address_is_enough_before_the_work() -> None:
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        address = f"127.0.0.1:{somebody.getsockname()[1]}"
        check_engine("ray", EngineOptions(2, None, address), "random", "multi-trial")


def test_a_search_hears_of_it_before_any_work(
    address_of_nobody: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDIONAS_CACHE", str(tmp_path / "cache"))
    engine = EngineRequest("ray", address=address_of_nobody)
    with pytest.raises(RunError, match="no Ray cluster answers there"):
        search(SearchRequest(strategy="random", out=tmp_path / "run", engine=engine))
    assert not (tmp_path / "cache").exists(), "no features"
    assert not (tmp_path / "run").exists()
