"""`audionas schema` and `audionas new`."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.running import example, run


def test_the_examples_of_the_help_run(tmp_path: Path) -> None:
    for command, file in (("schema", "space.schema.json"), ("new", "my_cells.yaml")):
        outcome = run(*example(command), cwd=tmp_path)
        assert outcome.code == 0, outcome
        assert (tmp_path / file).is_file()


def test_a_schema_is_printed_as_json(tmp_path: Path) -> None:
    outcome = run("schema", "augmentation", cwd=tmp_path)
    assert json.loads(outcome.out)["title"].startswith("Augmented copies")


def test_what_is_next_is_told_and_what_is_wrong_is_one_line(tmp_path: Path) -> None:
    outcome = run("new", "strategy", "mine", "--algorithm", "tpe", cwd=tmp_path)
    assert outcome.out.splitlines()[0] == "mine.yaml"
    assert "audionas check mine.yaml" in outcome.out
    again = run("new", "strategy", "mine", cwd=tmp_path)
    assert (again.code, again.out) == (1, "")
    assert "there is a file already" in again.err
    told = run("new", "space", "cells", "--json", cwd=tmp_path)
    assert json.loads(told.out) == {"file": "cells.yaml"}
