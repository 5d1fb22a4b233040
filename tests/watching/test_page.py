"""The live page: made when files changed and then only, with a policy that lets its own script run and no other."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import pytest

from audionas.errors import RunError
from audionas.watching import page as page_module
from audionas.watching.page import LiveReport, with_reload
from tests.watching.small_runs import hold, write_epochs, write_run

PAGE = (
    '<html><head><meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
    "script-src 'sha256-abc'; style-src 'unsafe-inline'\"></head><body><main><p>x</p></main></body></html>"
)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A search at work, whose report is a short page."""
    monkeypatch.setattr(page_module, "_report", lambda _: PAGE)
    monkeypatch.setattr(page_module, "REST", 0.0)
    run = write_run(tmp_path, "search", "running", epochs=5)
    write_epochs(run, 1)
    return run


def test_a_page_is_made_anew_only_when_files_of_the_run_changed(run: Path) -> None:
    report = LiveReport(run, 2.0)
    first = report.page()
    assert report.page() is first
    version = report.state()["version"]
    assert f'data-version="{version}"' in first.text
    (run / "report.html").write_text("what nobody shows")
    (run / "checkpoint").mkdir()
    (run / "checkpoint" / "x.json").write_text("{}")
    assert report.state()["version"] == version
    write_epochs(run, 2)
    assert report.state()["version"] != version
    report.page()
    assert report.n_rendered == 2


def test_the_version_changes_when_the_run_dies_though_no_file_does(run: Path) -> None:
    lock = hold(run)
    report = LiveReport(run, 2.0)
    first = report.state()
    lock.release()
    second = report.state()
    assert (first["is_running"], second["is_running"]) == (True, False)
    assert first["version"] != second["version"]
    assert "its process has died" in str(second["line"])


def test_pages_that_take_long_are_made_rarely_while_the_run_works(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_module, "REST", 1e9)
    lock = hold(run)
    report = LiveReport(run, 2.0)
    report.page()
    version = report.state()["version"]
    write_epochs(run, 3)
    assert report.state()["version"] == version
    report.page()
    assert report.n_rendered == 1
    lock.release()  # the last page is not withheld
    assert report.state()["version"] != version
    report.page()
    assert report.n_rendered == 2


def test_the_script_alone_is_added_to_the_policy_of_the_page() -> None:
    page = with_reload(PAGE, "working <b>", "0123", 1.5)
    script = re.search(r"<script data-version=\"0123\" data-every=\"1500\">(.*)</script></body>", page.text, re.DOTALL)
    assert script is not None
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    rules = dict(part.strip().split(" ", 1) for part in page.policy.split(";"))
    assert rules["script-src"] == f"'sha256-abc' 'sha256-{digest}'"
    assert rules["default-src"] == rules["frame-ancestors"] == rules["form-action"] == rules["base-uri"] == "'none'"
    assert rules["connect-src"] == "'self'"
    assert "http-equiv" not in page.text  # a second policy would refuse the script
    assert '<p id="live" role="status">working &lt;b&gt;</p>' in page.text


def test_a_kind_without_a_report_is_shown_as_text(tmp_path: Path) -> None:
    run = write_run(tmp_path, "pretrain", plan={"epochs": 3}, warnings=["<script>alert(1)</script>"])
    text = LiveReport(run, 2.0).page().text
    assert "epochs at most" in text
    assert "no report: " in text
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text


def test_a_folder_that_is_no_run_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no run here"):
        LiveReport(tmp_path, 2.0)
