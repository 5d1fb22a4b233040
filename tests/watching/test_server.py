"""The server of the live page, asked over HTTP: what it gives, and all that it refuses."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from audionas.errors import SettingsError
from audionas.watching.page import LiveReport
from audionas.watching.server import LiveServer, live_server
from tests.watching.small_runs import hold, write_epochs, write_run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A ranking at work, which has no page of its own: nothing is drawn."""
    return write_run(tmp_path / "run", "rank", "running", genotypes=3)


@pytest.fixture
def server(run: Path) -> Iterator[LiveServer]:
    """Listens on a free port until the test ends."""
    lock = hold(run)
    with live_server(LiveReport(run, 2.0)) as found:
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield found
        found.shutdown()
        thread.join()
    lock.release()


def ask(
    server: LiveServer, path: str = "/", method: str = "GET", host: str | None = None
) -> tuple[int, http.client.HTTPMessage, bytes]:
    port = server.server_address[1]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.putrequest(method, path, skip_host=True)
    connection.putheader("Host", f"127.0.0.1:{port}" if host is None else host)
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, answer.headers, body


def test_the_page_and_its_state_are_served_and_follow_the_run(server: LiveServer, run: Path) -> None:
    status, headers, body = ask(server)
    assert status == 200
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "Python" not in headers["Server"]
    assert b"0 of 3" in body
    first = json.loads(ask(server, "/state")[2])
    assert first["is_running"] is True
    line = {"supernet_ua": 0.5, "retrained": [{"ua": 0.6}, {"ua": 0.7}], "seconds": 3.0}
    (run / "genotypes.jsonl").write_text(json.dumps(line) + "\n")
    second = json.loads(ask(server, "/state")[2])
    assert second["version"] != first["version"]
    server.report._rest_until = 0.0
    assert b"1 of 3" in ask(server)[2]


def test_head_answers_without_a_body(server: LiveServer) -> None:
    status, headers, body = ask(server, method="HEAD")
    assert (status, body) == (200, b"")
    assert int(headers["Content-Length"]) > 100


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_refused(server: LiveServer, method: str) -> None:
    status, headers, _ = ask(server, method=method)
    assert status == 405
    assert headers["Allow"] == "GET, HEAD"


def test_methods_that_nobody_knows_are_refused(server: LiveServer) -> None:
    assert ask(server, method="TRACE")[0] == 501


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1.evil.example", "127.0.0.1:1", ""])
@pytest.mark.parametrize("path", ["/", "/state"])
def test_a_foreign_host_header_is_refused(server: LiveServer, host: str, path: str) -> None:
    status, _, body = ask(server, path, host=host.format(port=server.server_address[1]))
    assert status == 403
    assert body == b"this server answers to 127.0.0.1 and localhost only\n"


def test_localhost_is_one_of_its_names(server: LiveServer) -> None:
    assert ask(server, "/state", host=f"LocalHost:{server.server_address[1]}")[0] == 200


@pytest.mark.parametrize(
    "path", ["/run.json", "/../run.json", "//etc/passwd", "/etc/passwd", "/%2e%2e/run.json", "/state/", "/live.js"]
)
def test_nothing_of_the_file_system_is_served(server: LiveServer, path: str) -> None:
    status, _, body = ask(server, path)
    assert (status, body) == (404, b"there is / and /state\n")


def test_it_listens_on_the_loopback_only(server: LiveServer) -> None:
    assert server.socket.getsockname()[0] == "127.0.0.1"
    assert server.url == f"http://127.0.0.1:{server.server_address[1]}/"


def test_a_run_that_was_deleted_is_told(server: LiveServer, run: Path) -> None:
    shutil.rmtree(run)
    status, _, body = ask(server)
    assert status == 410
    assert b"no such run folder" in body


def test_a_port_that_is_taken_or_none_is_refused(run: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"--port: {port} on 127.0.0.1 cannot be had"):
            live_server(LiveReport(run, 2.0), port)
    with pytest.raises(SettingsError, match="--port: got 70000, must be 0"):
        live_server(LiveReport(run, 2.0), 70000)


@pytest.mark.slow
def test_the_report_of_a_search_at_work_grows_with_it(tmp_path: Path) -> None:
    run = write_run(tmp_path / "search", "search", "running", epochs=5, data={"labels": ["a", "b"]})
    write_epochs(run, 1)
    report = LiveReport(run, 2.0)
    assert "no report" not in report.page().text
    assert "after 1 of 5 epochs" in report.page().text
    write_epochs(run, 3)
    report._rest_until = 0.0
    assert "after 3 of 5 epochs" in report.page().text
    assert report.n_rendered == 2
