"""The live page in headless Chromium: it loads itself again when the run grows, with no complaint of its policy."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest

from audionas.watching import page as page_module
from audionas.watching.page import LivePage, LiveReport
from audionas.watching.server import live_server
from tests.report.browser import CHROMIUM, DRIVER, MISSING, browser
from tests.watching.small_runs import hold, write_run


@pytest.mark.browser
@pytest.mark.skipif(not (CHROMIUM and DRIVER), reason=MISSING)
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
    with live_server(report) as server, browser() as tab:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            tab.driver.get(server.url)
            end = time.monotonic() + 60
            while "2 of 3" not in tab.driver.page_source and time.monotonic() < end:
                time.sleep(0.1)
            source, console = tab.driver.page_source, tab.console()
        finally:
            server.shutdown()
            thread.join()
            lock.release()
    assert "2 of 3" in source
    assert len(served) >= 3
    assert console == []
