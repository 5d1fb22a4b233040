"""A snapshot as text: what is left out, what is cut, and what must not reach a terminal."""

from __future__ import annotations

from pathlib import Path

from audionas.watching.genotype_lines import genotype_lines
from audionas.watching.lines import printable, shown_parts, snapshot_lines
from audionas.watching.snapshot import Part
from audionas.watching.sparkline import sparkline
from audionas.watching.take import take_snapshot
from tests.watching.small_runs import write_epochs, write_run


def test_many_parts_are_shown_around_the_one_under_way() -> None:
    parts = [Part(f"split {k}", "done" if k < 15 else "running" if k == 15 else "waiting") for k in range(24)]
    shown = shown_parts(parts)
    assert [part.name for part in shown] == [*(f"split {k}" for k in range(9, 21)), ""]
    assert shown[-1].status == "and 12 more"
    assert shown_parts(parts[:12]) == parts[:12]


def test_a_text_from_a_file_cannot_steer_the_terminal(tmp_path: Path) -> None:
    run = write_run(tmp_path, "search", "failed", error="bad \x1b[2J\x07 thing", warnings=["a\nb\x1b]0;title\x07"])
    text = "\n".join(snapshot_lines(take_snapshot(run)))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "bad ?[2J? thing" in text
    assert printable("Ü ▁") == "Ü ▁"


def test_a_sparkline_of_many_values_is_of_their_means() -> None:
    assert sparkline([0.0, 0.0, 1.0, 1.0], width=2) == "▁█"
    assert len(sparkline([float(k % 7) for k in range(1000)], width=40)) == 40
    assert sparkline([None, None]) == ""


def test_a_terminal_without_unicode_gets_ascii(tmp_path: Path) -> None:
    run = write_run(tmp_path, "search", epochs=5)
    write_epochs(run, 5)
    text = "\n".join(snapshot_lines(take_snapshot(run), is_ascii=True))
    assert text.isascii()
    assert "@*+" in text or "_.-" in text


def test_genotypes_of_every_kind_are_told_in_words() -> None:
    recipe = {"n1": {"op": "linear", "input": ["x", "h_prev_0"]}, "h_new_0": {"op": "activation_tanh", "input": ["n1"]}}
    told = "n1 = linear(x, h_prev_0); h_new_0 = activation_tanh(n1)"
    assert genotype_lines(recipe) == (told,)
    document = {"kind": "recurrent_cell", "recipe": recipe, "macro": {"n_layers": 2}}
    assert genotype_lines(document) == (told, "macro: n_layers 2")
    assert genotype_lines({"kind": "baseline", "name": "lstm", "settings": {"hidden": 8}}) == ("lstm with hidden 8",)
    assert genotype_lines({"kind": "baseline", "name": "lstm"}) == ("lstm",)
    long = {f"n{k}": {"op": "linear", "input": ["x"]} for k in range(20)}
    assert genotype_lines(long)[0].endswith("and 6 nodes more")
    for other in ({}, {"normal": 3}, {"normal": ["x"]}, {"n1": {"op": 1, "input": []}}):
        assert genotype_lines(other) == ()
