"""What the page says of a macro space's genotype, and of a causal network's delay."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from audionas.report.op_colours import COLOURS, colour_of, family_of

PageOf = Callable[[Path], str]


def changed(path: Path, **fields: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def test_the_page_shows_what_was_chosen_around_given_cells(
    runs: SimpleNamespace, tmp_path: Path, page_of: PageOf
) -> None:
    run = runs.search(tmp_path / "run")
    assert "The cells are given" not in page_of(run)
    changed(run / "genotype.json", macro={"n_cells": 4}, front_end={"n_mels": 40, "spec_augment": 0.2})
    assert "chosen is what stands around them: pooling mean; n_cells 4; n_mels 40; spec_augment 0.2" in page_of(run)


def test_the_page_gives_the_delay_of_a_causal_network(runs: SimpleNamespace, tmp_path: Path, page_of: PageOf) -> None:
    run = runs.search(tmp_path / "run")
    assert "algorithmic delay" not in page_of(run)
    delay = {"window_ms": 55.0, "hop_ms": 40.0, "lookahead_ms": 0.0, "total_ms": 95.0}
    changed(run / "run.json", delay=delay)
    page = page_of(run)
    assert "algorithmic delay" in page
    assert "95.0 ms (window 55.0, hop 40.0, lookahead 0.0)" in page


def test_operations_along_one_axis_have_the_colour_of_their_family() -> None:
    families = {
        "conv_1x9": "convolution", "conv_10x2": "convolution", "dil_conv_5x1": "dilated convolution",
        "max_pool_1x3": "pooling", "squeeze_excitation": "gate", "glu_3x3": "gate",
    }  # fmt: skip
    assert {op: family_of(op) for op in families} == families
    assert colour_of("glu_3x3") == COLOURS["gate"]
    assert len({COLOURS[family] for family in {*families.values(), "skip", "separable convolution"}}) == 6
