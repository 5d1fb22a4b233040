"""What the page's script is given: trials with costs and genotypes, epochs with weights and cells, drawings."""

from __future__ import annotations

import json
from math import exp
from pathlib import Path
from typing import Any

import pytest

from audionas.report.blocks import Fold, Notes
from audionas.report.cells import lay_out_cell
from audionas.report.drawing_list import Drawings, cell_drawing, recipe_drawing
from audionas.report.epoch_explorer import epoch_explorer
from audionas.report.explorer import Explorer, has_explorer
from audionas.report.genotype_changes import change_blocks, changes_of, changes_sentence
from audionas.report.kept_weights import kept_weights
from audionas.report.run_files import read_run
from audionas.report.trial_explorer import trial_explorer
from audionas.report.trials import trial_lines
from audionas.spaces import RecurrentGenotype
from tests.report.many_trials import write_many_trials
from tests.report.moving_runs import CHANGED_AT, write_moving_search
from tests.report.run_folders import write_search, write_trials
from tests.report.test_recurrent_page import write_supernet_run

EDGES = [("sep_conv_3x3", 0), ("skip_connect", 1), ("none", 0), ("max_pool_3x3", 2)]


def _trials(run: Path) -> dict[str, Any]:
    search = read_run(run).searches[0]
    (block,) = trial_explorer(search, trial_lines(search.trials), {}, [])
    assert isinstance(block, Explorer)
    return json.loads(block.json)


def _epochs(run: Path) -> dict[str, Any]:
    (block,) = epoch_explorer(read_run(run).searches[0], [])
    assert isinstance(block, Explorer)
    return json.loads(block.json)


@pytest.mark.parametrize("space", ["darts_cnn_small", "nas_bench_nlp_rnn", "darts_rnn", "cnn_macro", "filter_shapes"])
def test_shared_and_own_parts_make_the_genotype_file_of_every_trial(space: str, tmp_path: Path) -> None:
    data = _trials(write_many_trials(tmp_path / "run", 6, space=space, n_failed=1))
    events = [json.loads(line) for line in (tmp_path / "run" / "trials.jsonl").read_text().splitlines()]
    assert [trial["number"] for trial in data["trials"]] == [1, 2, 3, 4, 5, 6]
    for trial, event in zip(data["trials"], events[::2], strict=True):
        document = {**data["shared"], **trial["genotype"]}
        assert document["hash"] == event["hash"]
        assert set(document) <= set(data["order"]), "the script writes no other keys"
        is_drawn = space not in ("filter_shapes",)
        assert bool(trial["drawn"]) == is_drawn
    assert data["trials"][0]["scores"] == {}
    assert ["error", "loss is not finite at step 12"] in data["trials"][0]["facts"]


def test_axes_are_those_that_any_trial_has_what_decides_first(tmp_path: Path) -> None:
    data = _trials(write_many_trials(tmp_path / "run", 5, n_failed=1))
    assert [(y["key"], y["lower"]) for y in data["ys"]] == [("ua", False), ("wa", False), ("loss", True)]
    assert [x["key"] for x in data["xs"]] == ["parameters", "macs_per_second", "latency_ms", "memory_mb"]
    best = max((trial for trial in data["trials"] if trial["scores"]), key=lambda trial: trial["scores"]["ua"])
    assert data["chosen"] == best["number"]
    record = json.loads((tmp_path / "run" / "run.json").read_text()) | {"winner": {"trial": 1}}
    (tmp_path / "run" / "run.json").write_text(json.dumps(record))
    assert _trials(tmp_path / "run")["chosen"] == 2, "the winner of the re-test is shown first"
    run = write_trials(tmp_path / "plain")
    (run / "strategy.yaml").write_text("algorithm: random\nobjective: loss\n")
    data = _trials(run)
    assert [y["key"] for y in data["ys"]] == ["loss", "ua", "wa"]
    assert [x["key"] for x in data["xs"]] == ["parameters"]
    assert data["trials"][0]["genotype"] is None, "a run without its space shows scores alone"


def test_trials_trained_less_are_pale(tmp_path: Path) -> None:
    run = write_many_trials(tmp_path / "run", 4, n_failed=0)
    events = [json.loads(line) for line in (run / "trials.jsonl").read_text().splitlines()]
    events[0]["epochs"] = 2
    events[2]["fraction"] = 0.5
    (run / "trials.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    data = _trials(run)
    assert [trial["pale"] for trial in data["trials"]] == [True, True, False, False]
    assert "Pale: trained less" in data["note"]


def test_cells_of_one_form_share_a_drawing() -> None:
    drawings = Drawings()
    first = drawings.add_cell(EDGES, 2, (2, 3), 12)
    assert drawings.add_cell([("other", source) for _, source in EDGES], 2, (2, 3), 12) == first
    assert drawings.add_cell([*EDGES[:3], ("none", 1)], 2, (2, 3), 12) != first
    assert len(drawings.all) == 2


def test_a_drawing_has_everything_of_the_layout_that_pictures_have() -> None:
    width, height, shapes = cell_drawing(EDGES, 2, (2, 3), widest=20)
    layout = lay_out_cell(EDGES, edges_per_node=2, concat=(2, 3), widest=20)
    assert (width, height) == (round(layout.width), round(layout.height))
    kinds = [shape[0] for shape in shapes]
    assert kinds.count("arrow") == len(EDGES)
    assert kinds.count("box") == len(EDGES) + 3, "the operations, two inputs, the output"
    assert kinds.count("node") == 2
    boxes = [shape for shape in shapes if shape[0] == "box" and isinstance(shape[-1], int)]
    assert [(box[1], box[-1]) for box in boxes] == [(0, 0), (1, 1), (2, 2), (3, 3)]
    assert boxes[0][2:6] == pytest.approx([layout.ops[0].x, layout.ops[0].y, layout.ops[0].width, 18.0], abs=0.06)
    assert layout.ops[0].width >= 20 * 6


def test_a_recipe_s_drawing_names_operations_nodes_and_the_order_of_a_blend() -> None:
    recipe = {
        "n0": {"op": "linear", "input": ["x", "h_prev_0"]},
        "n1": {"op": "activation_tanh", "input": ["n0"]},
        "h_new_0": {"op": "blend", "input": ["n0", "h_prev_0", "n1"]},
    }
    _, _, shapes = recipe_drawing(RecurrentGenotype.from_recipe(recipe))
    texts = [text for shape in shapes for text in shape if isinstance(text, str)]
    for word in ("linear", "tanh", "blend", "n0", "h_new_0", "x", "h_prev_0", "g", "a", "b"):
        assert word in texts, word
    assert [shape[0] for shape in shapes].count("arrow") == 2 + 1 + 3 + 1, "an input each, and the output"


def test_epochs_have_weights_cells_and_where_they_changed(tmp_path: Path) -> None:
    run = write_moving_search(tmp_path / "run")
    data = _epochs(run)
    lines = [json.loads(line) for line in (run / "epochs.jsonl").read_text().splitlines()]
    assert data["epochs"] == list(range(1, 21))
    assert data["changes"] == list(CHANGED_AT)
    assert data["note"] == "The genotype changed at 2 epochs of 20: 7, 16."
    assert [len(table["weights"]) for table in data["tables"]] == [20, 20]
    raw = [exp(alpha) for alpha in lines[9]["alphas"]["reduce"][3]]
    assert data["tables"][1]["weights"][9][3] == pytest.approx([power / sum(raw) for power in raw], abs=6e-4)
    genotype = data["genotypes"][data["of"][9]]
    title, _, ops, table, places = genotype["drawn"][0]
    assert (title, table) == ("Normal cell", 0)
    assert ops == [op for op, _ in lines[9]["genotype"]["normal"]]
    row, column = places[0]
    assert lines[9]["edges"][row] == [2, 0]
    assert lines[9]["ops"][column] == ops[0]


def test_a_recurrent_search_has_recipes_and_both_kinds_of_weights(tmp_path: Path) -> None:
    data = _epochs(write_supernet_run(tmp_path / "run"))
    assert [table["title"] for table in data["tables"]] == ["Operations: weights", "Inputs: weights"]
    (genotype,) = data["genotypes"]
    assert genotype["drawn"][0][0] == "Recurrent cell"
    assert any(word.startswith("n3 = blend(") for word in genotype["words"])
    row = data["tables"][0]["rows"].index("n3")
    assert [row, data["tables"][0]["columns"].index("blend")] in genotype["kept"][0]
    assert data["note"] == "The genotype is the same after each of 2 epochs."


def test_a_search_of_one_epoch_or_without_alphas_has_no_slider(tmp_path: Path) -> None:
    one = read_run(write_search(tmp_path / "one", n_epochs=1)).searches[0]
    still = [Notes(("as it is",))]
    assert epoch_explorer(one, still) == still
    run = write_search(tmp_path / "paths", n_epochs=3)
    lines = [json.loads(line) | {"alphas": {}} for line in (run / "epochs.jsonl").read_text().splitlines()]
    (run / "epochs.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert epoch_explorer(read_run(run).searches[0], still) == still, "a path drawn at random is no genotype"
    record = json.loads((run / "run.json").read_text()) | {"algorithm": "enas"}
    (run / "run.json").write_text(json.dumps(record))
    data = _epochs(run)
    assert data["tables"] == []
    assert data["genotypes"][0]["drawn"][0][3] == -1, "cells without weights"


def test_changes_are_told_edge_by_edge(tmp_path: Path) -> None:
    search = read_run(write_moving_search(tmp_path / "run")).searches[0]
    (table,) = change_blocks(search)
    first = table.rows[0]
    assert first[0] == "7"
    assert first[1].startswith("normal, node 2 = max_pool_3x3(c_{k-2}) + ")
    assert first[2].startswith("normal, node 2 = skip_connect(c_{k-2}) + ")
    many = [{"epoch": i, "genotype": {"normal": [["none", i % 2]]}} for i in range(30)]
    assert changes_of(many) == list(range(1, 30))
    assert changes_sentence(many) == "The genotype changed at 29 of 30 epochs, last at epoch 30."


def test_the_weights_of_drawn_cells_are_those_of_the_genotype_s_epoch(tmp_path: Path) -> None:
    search = read_run(write_moving_search(tmp_path / "run")).searches[0]
    for epoch in (3, 10, 19):
        line = search.epochs[epoch]
        found = kept_weights(search, line["genotype"], epoch)["normal"]
        for (op, source), node, weight in zip(line["genotype"]["normal"], (2, 2, 3, 3, 4, 4, 5, 5), found, strict=True):
            powers = [exp(alpha) for alpha in line["alphas"]["normal"][line["edges"].index([node, source])]]
            assert weight == pytest.approx(powers[line["ops"].index(op)] / sum(powers))
    last = kept_weights(search, search.epochs[19]["genotype"])
    assert last == kept_weights(search, search.epochs[19]["genotype"], 19), "not known: the last epoch that has it"
    assert kept_weights(search, {"normal": [["none", 0]], "reduce": []}) == {}


def test_texts_cannot_end_the_element_of_their_data() -> None:
    explorer = Explorer({"kind": "trials", "label": "</script><!--\u2028&"})
    assert "<" not in explorer.json
    assert "&" not in explorer.json
    assert json.loads(explorer.json)["label"] == "</script><!--\u2028&"
    assert has_explorer([Fold("folded", (explorer,))])
    assert not has_explorer([Notes(("text",))])
