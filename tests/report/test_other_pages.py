"""Pages of fused runs and of reproductions, whole and half finished."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

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
        run={
            "kind": "reproduce",
            "status": "done",
            "argv": ["reproduce", "emotionnas", "--smoke"],
            "plan": {"corpus": "emodb", "trials": 20},
        },
        tables={"tables": [table]},
    )
    html = page_of(run)
    text = _text(html)
    assert "Reproduction of emotionnas on" in text
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


def _row(name: str, kind: str, ua: float, streams: list[int], fusion: int = 0) -> dict[str, Any]:
    seeds = [{"seed": seed, "ua": ua, "wa": ua - 0.01} for seed in (0, 1)]
    return {
        "name": name,
        "kind": kind,
        "ua": ua,
        "ua_sd": 0.012,
        "ua_interval": [ua - 0.03, ua + 0.03],
        "wa": ua - 0.01,
        "wa_sd": None,
        "wa_interval": None,
        "parameters": {"streams": streams, "fusion": fusion, "total": sum(streams) + fusion},
        "per_seed": seeds,
    }


def _fused(folder: Path, *, is_clean: bool = True) -> Path:
    """A fusion of two streams, of which the first notes its attention weights and the second is a CNN."""
    counts = {"a/frames": {"attention": 66048, "total": 361860}, "a/cnn": {"total": 4321}}
    for name, parts in counts.items():
        _write(folder.parent / name / "split_1" / "seed_0", result={"parameter_parts": parts})
    streams = [str(folder.parent / name) for name in counts]
    rows = [
        _row(streams[0], "stream", 0.8642, [361860]),
        _row(streams[1], "stream", 0.7, [4321]),
        _row("fusion MLP", "mlp", 0.87, [361860, 4321], 128),
        _row("averaging", "rule", 0.88, [361860, 4321]),
    ]
    difference = {"name": "fusion MLP", "minus": streams[1], "ua": 0.17, "ua_interval": [0.11, 0.23], "is_better": True}
    worse = {"name": "fusion MLP", "minus": "averaging", "ua": -0.01, "ua_interval": [-0.03, 0.01], "is_better": False}
    found = {
        "what": "pooled UA over the test folds; mean and sd over seeds",
        "interval": "95 % interval by a bootstrap over groups",
        "splits": ["1", "2"],
        "seeds": [0, 1],
        "n_clips": 339,
        "n_groups": 10,
        "rows": rows,
        "differences": [{**each, "wa": 0.0, "wa_interval": None} for each in (difference | {"p_holm": 0.0117}, worse)],
        "test": "two-sided sign-flip test over groups",
        "conclusion": "The fusion MLP is not shown to be better, by UA, than averaging.",
    }
    splits = [{"name": "1", "seen_by_search": not is_clean}, {"name": "2", "seen_by_search": True}]
    metrics = {"headline": found if is_clean else None, "all_splits": found, "splits": splits}
    run = {"kind": "fuse", "status": "done", "mode": "inner_oof", "streams": streams, "data": {"dataset": "emodb"}}
    return _write(folder, run=run, metrics=metrics)


def test_a_fusion_begins_with_its_conclusion(tmp_path: Path, page_of: PageOf) -> None:
    html = page_of(_fused(tmp_path / "fused"))
    assert '<p class="verdict">The fusion MLP is not shown to be better, by UA, than averaging.</p>' in html
    text = _text(html)
    assert "Fusion of 2 streams on emodb" in text
    assert "Kept out, because the search of a stream has seen it: fold 2." in text


def test_a_fusion_shows_scores_with_intervals_and_differences(tmp_path: Path, page_of: PageOf) -> None:
    text = _text(page_of(_fused(tmp_path / "fused")))
    assert "frames stream 0.864 ± 0.012 0.834 to 0.894 0.854 none 361,860" in text
    assert "fusion MLP trained fusion 0.870 ± 0.012 0.840 to 0.900 0.860 none 366,309" in text  # 361860 + 4321 + 128
    assert "cnn +0.170 +0.110 to +0.230 +0.000 none 0.012 yes" in text
    assert "averaging -0.010 -0.030 to +0.010 +0.000 none not computed not shown" in text
    assert "p: two-sided sign-flip test over groups. Better: the difference of UA is above 0, its p at most" in text
    assert "inner out-of-fold predictions" in text


def test_a_fusion_counts_streams_fusion_and_attention_apart(tmp_path: Path, page_of: PageOf) -> None:
    run = _fused(tmp_path / "fused")
    assert "stream frames 361,860 66,048 stream cnn 4,321 0 fusion MLP 128 0 total 366,309 66,048" in _text(
        page_of(run)
    )
    (tmp_path / "a" / "cnn" / "split_1" / "seed_0" / "result.json").unlink()
    assert "stream cnn 4,321 not recorded fusion MLP 128 0 total 366,309 not recorded" in _text(page_of(run))


def test_a_fusion_without_a_clean_fold_says_that_it_is_optimistic(tmp_path: Path, page_of: PageOf) -> None:
    text = _text(page_of(_fused(tmp_path / "fused", is_clean=False)))
    assert "No score here is clean: the searches have seen every test fold" in text
    assert "0.870 ± 0.012" in text


def _reproduced(folder: Path, *, is_smoke: bool) -> Path:
    stream = _row("runs/x/frames/masked", "stream", 0.6, [100])
    other = _row("runs/x/spectrogram/masked", "stream", 0.61, [200])
    fusion = {
        "rows": [stream, other, _row("fusion MLP", "mlp", 0.625, [100, 200], 128)],
        "is_better": False,
        "conclusion": "The fusion MLP is not shown to be better, by UA, than runs/x/frames/masked (+0.025).",
    }
    notes = ["the paper's figures are on IEMOCAP", "a miniature: its scores say nothing"]
    plan = {"is_smoke": is_smoke}
    tables = {"tables": [{"title": "T", "columns": [], "rows": []}], "fusion": fusion, "notes": notes}
    return _write(folder, run={"kind": "reproduce", "status": "done", "plan": plan}, tables=tables)


def test_a_reproduction_begins_with_its_finding_and_its_notes(tmp_path: Path, page_of: PageOf) -> None:
    html = page_of(_reproduced(tmp_path / "run", is_smoke=False))
    first = (
        "Both streams fused reach UA 0.625 ± 0.012 (95 % interval 0.595 to 0.655); fusion is not shown to be better "
        "than each stream and every untrained rule."
    )
    assert f'<p class="verdict">{first}</p>' in html
    text = _text(html)
    assert f"{first} The fusion MLP is not shown to be better, by UA, than frames/masked (+0.025)." in text
    assert "The paper's figures are on IEMOCAP. A miniature: its scores say nothing. The reproduction is done" in text


def test_the_first_sentence_of_a_miniature_says_that_it_is_one(tmp_path: Path, page_of: PageOf) -> None:
    html = page_of(_reproduced(tmp_path / "run", is_smoke=True))
    assert '<p class="verdict">A miniature, whose scores say nothing: both streams fused reach UA 0.625' in html
