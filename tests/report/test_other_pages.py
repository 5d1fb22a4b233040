"""Pages of fused runs and of reproductions, whole and half finished."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest

PageOf = Callable[[Path], str]


def _write(folder: Path, **files: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in files.items():
        (folder / f"{name}.json").write_text(json.dumps(value), encoding="utf-8")
    return folder


def _text(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def test_a_reproduction_shows_its_tables(tmp_path: Path, page_of: PageOf) -> None:
    table = {
        "title": "Table 1",
        "columns": ["system", "UA", "parameters"],
        "rows": [["frame stream", 0.86421, 361860], ["the paper's <b>", None, "1.32M"], ["short"]],
        "note": "Mean over seeds.",
    }
    run = _write(
        tmp_path / "run",
        run={"kind": "reproduce", "status": "done", "plan": {"corpus": "emodb", "trials": 20}},
        tables={"tables": [table]},
    )
    html = page_of(run)
    text = _text(html)
    assert "The reproduction is done: 1 table." in text
    assert "frame stream 0.864 361,860" in text
    assert "the paper&#39;s &lt;b&gt;" in html
    assert "- 1.32M short" in text
    assert "Mean over seeds." in text
    assert "trials 20" in text


@pytest.mark.parametrize("kind", ["fuse", "reproduce"])
def test_a_run_that_has_just_begun_has_a_page(tmp_path: Path, page_of: PageOf, kind: str) -> None:
    html = page_of(_write(tmp_path / "run", run={"kind": kind, "status": "running"}))
    assert "is not finished" in html
