"""The live page in headless Chromium: it loads itself again when the run grows, with no complaint of its policy."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from audionas.watching import page as page_module
from audionas.watching.page import LivePage, LiveReport
from audionas.watching.server import live_server
from tests.watching.small_runs import hold, write_run

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--enable-logging=stderr",
    "--virtual-time-budget=20000", "--dump-dom",
)  # fmt: skip


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
def test_the_page_loads_itself_again_when_the_run_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = write_run(tmp_path / "run", "rank", "running", genotypes=3)
    monkeypatch.setattr(page_module, "REST", 0.0)
    report, served = LiveReport(run, 0.5), []
    page_of = report.page

    def page() -> LivePage:
        found = page_of()
        served.append(found)
        line = {"supernet_ua": 0.5, "retrained": [{"ua": 0.6}, {"ua": 0.7}], "seconds": 3.0}
        lines = [line] * min(len(served), 2)  # after each of the first two pages the run has grown
        (run / "genotypes.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        return found

    monkeypatch.setattr(report, "page", page)
    lock = hold(run)
    with live_server(report) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            found = subprocess.run(
                [str(CHROMIUM), *FLAGS, f"--user-data-dir={tmp_path / 'browser'}", server.url],
                capture_output=True, text=True, check=False, timeout=120,
            )  # fmt: skip
        finally:
            server.shutdown()
            thread.join()
            lock.release()
    assert "2 of 3" in found.stdout
    assert len(served) == 3
    assert "Content Security Policy" not in found.stderr
    assert "Uncaught" not in found.stderr
