"""Where runs lie inside a folder, as an error tells it."""

from __future__ import annotations

import json
from pathlib import Path

from audionas.run_places import no_run_here, runs_hint


def make_runs(folder: Path, **kinds: str) -> Path:
    """Runs by place (`__` for a slash) and kind."""
    for place, kind in kinds.items():
        path = folder / place.replace("__", "/")
        path.mkdir(parents=True)
        (path / "run.json").write_text(json.dumps({"kind": kind}))
    return folder


def test_the_runs_inside_a_folder_are_named_but_not_those_inside_them(tmp_path: Path) -> None:
    make_runs(tmp_path, fused="fuse", frames__search="nested_search", frames__search__split_1="search")
    make_runs(tmp_path, a__b__too_deep="search")
    assert runs_hint(tmp_path) == "; runs inside it: frames/search, fused"
    assert (
        no_run_here(tmp_path) == f"{tmp_path}: no run here (run.json is missing); runs inside it: frames/search, fused"
    )


def test_only_runs_of_the_kinds_that_are_wanted_are_named(tmp_path: Path) -> None:
    make_runs(tmp_path, one="search", two="retrain")
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "run.json").write_text("{")
    assert runs_hint(tmp_path, ["retrain", "fuse"]) == "; runs inside it: two"
    assert runs_hint(tmp_path, ["fuse"]) == ""


def test_of_many_runs_the_first_eight_are_named(tmp_path: Path) -> None:
    make_runs(tmp_path, **{f"r{i}": "search" for i in range(10)})
    assert runs_hint(tmp_path) == "; runs inside it: r0, r1, r2, r3, r4, r5, r6, r7 and 2 more"
