"""`audionas report`, `bundle` and `verify` as a user types them: what is printed, what is written, what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Workshop
from tests.cli.running import refused, run

pytestmark = pytest.mark.slow  # the workshop searches and retrains


def test_a_table_is_printed_alone_or_written_to_a_file(workshop: Workshop, tmp_path: Path) -> None:
    printed = run("report", "runs/first", "--csv", "-", cwd=workshop.folder)
    assert printed.code == 0, printed.err
    assert printed.out.startswith("system,kind,ua_percent,")
    written = run(
        "report", "runs/first", "--latex", tmp_path / "a.tex", "--csv", tmp_path / "a.csv", cwd=workshop.folder
    )
    assert written.out.splitlines() == [f"csv: {tmp_path / 'a.csv'}", f"latex: {tmp_path / 'a.tex'}"]
    assert (tmp_path / "a.csv").read_text() == printed.out
    assert "\\toprule" in (tmp_path / "a.tex").read_text()


def test_recordings_are_embedded_unless_they_are_not_wanted(workshop: Workshop, tmp_path: Path) -> None:
    for words, has_sound in (((), True), (("--no-clips",), False)):
        page = tmp_path / "page.html"
        found = run("report", "runs/first", "--out", page, *words, cwd=workshop.folder)
        assert (found.code, found.out) == (0, f"report: {page}\n")
        assert ("data:audio/flac" in page.read_text(encoding="utf-8")) is has_sound


def test_methods_are_printed(workshop: Workshop) -> None:
    found = run("report", "runs/first", "--methods", cwd=workshop.folder)
    assert found.code == 0
    assert found.out.startswith("We used 119 clips of sample by 10 speakers")


def test_runs_of_different_epochs_are_not_ranked(workshop: Workshop) -> None:
    words = ("report", "runs/spectrogram", "runs/frames", "--csv", "-")
    line = refused(*words, cwd=workshop.folder)
    assert line == (
        "these runs cannot be ranked, they differ in epochs: 1 in runs/spectrogram; 2 in runs/frames; retrain them "
        "alike, or give --unranked"
    )
    found = run(*words, "--unranked", cwd=workshop.folder)
    assert found.code == 0
    assert ",epochs 1\n" in found.out
    assert ",epochs 2\n" in found.out


def test_runs_of_different_rules_have_one_page(workshop: Workshop, tmp_path: Path) -> None:
    words = ("report", "runs/spectrogram", "runs/frames", tmp_path / "gone", "--out", tmp_path / "page.html")
    found = run(*words, cwd=workshop.folder)
    assert found.code == 0
    assert found.out == f"report: {tmp_path / 'page.html'}\n"
    assert found.err == f"warning: {tmp_path / 'gone'}: no such run folder\n"
    page = (tmp_path / "page.html").read_text()
    assert "They differ in epochs: 1 in spectrogram; 2 in frames." in page


def test_options_of_a_report_that_do_not_fit_each_other_are_refused(workshop: Workshop) -> None:
    folder = workshop.folder
    assert "--unranked is for tables: give --csv or --latex" in refused(
        "report", "runs/first", "--unranked", cwd=folder
    )
    line = refused("report", "runs/first", "--csv", "-", "--out", "a.html", cwd=folder)
    assert line == "--out is for the HTML page; --csv FILE and --latex FILE name their own"


def test_verify_prints_what_does_not_fit_and_ends_with_1(workshop: Workshop, tmp_path: Path) -> None:
    good = run("verify", "first.zip", cwd=workshop.folder)
    assert good.code == 0
    assert "first.zip: OK, " in good.out
    shutil.copytree(workshop.folder / "runs" / "frames", tmp_path / "frames")
    metrics = json.loads((tmp_path / "frames" / "metrics.json").read_text())
    metrics["all_splits"]["wa"] += 0.25
    (tmp_path / "frames" / "metrics.json").write_text(json.dumps(metrics))
    bad = run("verify", tmp_path / "frames")
    assert bad.code == 1
    assert bad.out.startswith("./metrics.json: all_splits.wa: stored ")
    assert "1 of its entries do not fit" in bad.out
    record = json.loads(run("verify", tmp_path / "frames", "--json").out)
    assert record["ok"] is False
    assert [each["key"] for each in record["mismatches"]] == ["all_splits.wa"]


def test_what_cannot_be_bundled_or_verified_is_one_line(workshop: Workshop) -> None:
    assert refused("bundle", "runs/gone", cwd=workshop.folder) == "runs/gone: no such run folder"
    assert "no such bundle or run folder" in refused("verify", "gone.zip", cwd=workshop.folder)
