"""Pages of recurrent runs: the drawn recipe, the facts of its network, trials by what decided, half-finished runs."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import torch

from audionas.models import Mixing, build_supernet
from audionas.models.mixing import PartialMixing, SigmoidMixing
from audionas.models.recurrent_supernet import RecurrentSupernet
from audionas.spaces import DartsRecurrentSpace, RecurrentGenotype, RecurrentMacro
from audionas.spaces.darts_recurrent import DartsRecurrentNodes
from audionas.spaces.decision import decision_of
from audionas.spaces.genotype_file import genotype_document
from audionas.spaces.recurrent_catalogue import RecurrentCatalogueSpace
from audionas.spaces.reference_recipes import REFERENCE_RECIPES

PageOf = Callable[[Path], str]
MACRO = RecurrentMacro(n_layers=2, hidden=32, pooling="attention")
CATALOGUE = {
    "schema_version": 1,
    "recipes": [
        {"id": 17, "recipe": REFERENCE_RECIPES["gru"], "text_loss": 5.25},
        {"id": 4, "recipe": REFERENCE_RECIPES["lstm"], "text_loss": 4.75},
        {"id": 9, "recipe": REFERENCE_RECIPES["rnn"], "text_loss": None},
    ],
}
SCORES = {
    "r17": {"ua": 0.5, "wa": 0.4, "loss": 1.5, "balanced_loss": 1.25, "parameters": 9000, "epoch": 1},
    "r4": {"ua": 0.4, "wa": 0.3, "loss": 1.125, "balanced_loss": 1.375, "parameters": 12000, "epoch": 2},
}


def write_catalogue_run(
    folder: Path, *, finished: int = 3, status: str = "done", has_genotype: bool = True, kind: str = "search"
) -> Path:
    """A catalogue search of r17, r4 and r9; r4 has the lowest validation loss, r17 the better UA, r9 fails."""
    folder.mkdir(parents=True, exist_ok=True)
    space = RecurrentCatalogueSpace(name="mine", catalogue=CATALOGUE, macro=MACRO)
    run = {
        "kind": kind,
        "status": status,
        "space": "mine",
        "strategy": "catalogue",
        "algorithm": "catalogue",
        "trials": 3,
        "epochs": 3,
        "input_shape": [1, 40, 105],
        "data": {"dataset": "emodb", "n_clips": 118, "n_groups": 10, "labels": ["a", "b", "c", "d"]},
    }
    _write_json(folder / "run.json", run)
    _write_json(folder / "space.yaml", space.to_settings())  # JSON is YAML
    (folder / "strategy.yaml").write_text(
        "algorithm: catalogue\nobjective: loss\nscore_epoch: best\nstop_diverging: 3.0\n", encoding="utf-8"
    )
    lines: list[dict[str, Any]] = []
    for number, recipe in enumerate(("r17", "r4", "r9")):
        genotype = space.genotype({"recipe": recipe})
        start = {"event": "proposed", "number": number, "hash": genotype.hash, "sample": {"recipe": recipe}}
        lines.append({**start, "epochs": 3, "seed": number})
        score = SCORES.get(recipe)
        error = None if score else "DivergedError: epoch 1: the training loss 9.1 is above 4.16, it diverges"
        end = {"event": "finished", "number": number, "status": "done" if score else "failed", "score": score}
        if number < finished:
            lines.append({**end, "seconds": 2.0, "error": error})
    (folder / "trials.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    if has_genotype:
        _write_json(folder / "genotype.json", genotype_document(space.genotype({"recipe": "r4"})))
    return folder


def _write_json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")


def _text(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


@pytest.fixture
def catalogue_run(tmp_path: Path) -> Path:
    return write_catalogue_run(tmp_path / "run")


def test_the_recipe_is_drawn_and_told_in_words(catalogue_run: Path, page_of: PageOf) -> None:
    html = page_of(catalogue_run)
    picture = html.split("<h3>Recurrent cell</h3>")[1].split("</figure>")[0]
    assert 'aria-label="Recurrent cell"' in picture
    for text in ("h_prev_1", "i_act", "kept", "prod", "sigm"):
        assert f">{text}</text>" in picture
    assert "kept = elementwise_prod(f_act, h_prev_1)" in picture


def test_the_facts_of_the_network_count_the_attention_apart(catalogue_run: Path, words_of: PageOf) -> None:
    text = _text(words_of(catalogue_run))
    # An LSTM of 40 inputs: four gates of (40 + 32 + 1) * 32 weights a direction, then of (64 + 32 + 1) * 32; both
    # directions. The attention reads 64 values a frame. Fully connected: 64 to 32 to 4.
    recurrent = 2 * 4 * 32 * (40 + 32 + 1) + 2 * 4 * 32 * (64 + 32 + 1)
    classifier = (64 + 1) * 32 + (32 + 1) * 4
    match = re.search(r"parameters ([\d,]+), of these ([\d,]+) in the attention pooling; ([\d,]+) without it", text)
    assert match is not None
    total, attention, rest = (int(group.replace(",", "")) for group in match.groups())
    assert rest == recurrent + classifier
    assert total == rest + attention
    for words in (
        "13 nodes, 2 hidden states",
        "recurrent layers 2, 32 units wide",
        "both, forward and backward",
        "a layer gives on h_new_0",
        "attention over frames",
        "recipe of the catalogue r4, loss on text 4.750 (rank 1 of 2 recipes that have one)",
    ):
        assert words in text, words


def test_parameters_are_read_where_the_training_noted_them(catalogue_run: Path, words_of: PageOf) -> None:
    parts = {"recurrent": 1000, "attention": 222, "classifier": 100, "layer_sum": 12, "total": 1334}
    retrained = catalogue_run / "retrained"
    _write_json(retrained / "run.json", {"kind": "retrain", "status": "running"})
    _write_json(retrained / "split_1" / "seed_0" / "result.json", {"parameters": 1334, "parameter_parts": parts})
    text = _text(words_of(catalogue_run))
    assert "1,334, of these 222 in the attention pooling; 1,112 without it" in text
    assert "(recurrent layers 1,000, fully connected layers 100, sum of encoder layers 12)" in text


def test_trials_are_ranked_by_the_objective_of_the_strategy(catalogue_run: Path, words_of: PageOf) -> None:
    html = words_of(catalogue_run)
    text = _text(html)
    assert "Trials by validation loss (2 done, 1 failed)" in text
    assert "The validation loss decides: lower is better" in text
    assert "Validation loss against parameters" in text
    table = html.split("<h3>Trials by validation loss")[1].split("</table>")[0]
    assert [row.split("<")[0] for row in table.split('data-name="recipe">')[1:]] == ["r4", "r17", "r9"]
    assert 'data-name="epoch scored">3 of 3<' in table
    assert 'data-name="loss on text (rank of those that have one)">5.250 (rank 2 of 2)<' in table
    assert "lowest validation loss of a trial" not in text, "no score of a trial stands at the top"
    assert "used to choose: the best of them is optimistic and no result" in text
    assert "decided by validation loss; lower is better" in text
    assert "a trial is scored at the best epoch" in text


def test_failed_trials_are_counted_with_their_reasons(catalogue_run: Path, words_of: PageOf) -> None:
    html = words_of(catalogue_run)
    failures = _text(html.split("<h3>Failed trials, by reason</h3>")[1].split("</table>")[0])
    assert "DivergedError 1 3 DivergedError: epoch 1: the training loss 9.1 is above 4.16" in failures


def test_a_search_under_way_shows_the_best_recipe_so_far(tmp_path: Path, words_of: PageOf) -> None:
    run = write_catalogue_run(tmp_path / "run", finished=1, status="running", has_genotype=False)
    html = words_of(run)
    assert "The best cell so far (trial 1), not final" in html
    assert "h_new_0 = blend(g: z_act, a: h_prev_0, b: h_tilde_act)" in html
    assert "is not finished (after 1 of 3 trials)" in html


@pytest.mark.parametrize("missing", ["space.yaml", "strategy.yaml", "trials.jsonl", "genotype.json"])
def test_a_run_with_a_file_missing_still_has_a_page(catalogue_run: Path, words_of: PageOf, missing: str) -> None:
    (catalogue_run / missing).unlink()
    assert "<h1>" in words_of(catalogue_run)


def test_a_search_whose_first_trial_runs_has_a_page(tmp_path: Path, words_of: PageOf) -> None:
    html = words_of(write_catalogue_run(tmp_path / "run", finished=0, status="running", has_genotype=False))
    assert "after 0 of 3 trials" in html


def test_nested_searches_have_a_picture_and_a_row_each(tmp_path: Path, page_of: PageOf) -> None:
    run = write_catalogue_run(tmp_path / "run", finished=0, has_genotype=False, kind="nested_search")
    (run / "trials.jsonl").unlink()
    for fold, finished in (("1", 3), ("2", 2), ("3", 0)):
        write_catalogue_run(
            run / f"split_{fold}",
            finished=finished,
            status="done" if finished else "running",
            has_genotype=bool(finished),
        )
    html = page_of(run)
    for fold in "12":
        assert f"<h3>Recurrent cell, searched without fold {fold}</h3>" in html
    table = _text(html.split("<h3>The searches</h3>")[1].split("</table>")[0])
    assert "best first validation loss" in table
    assert "3 of 3 (2 done, 1 failed) 1.125 2 (r4) 0.400 12,000" in table
    assert "(3 running) none none yet" in table


def test_a_recipe_too_large_to_draw_is_told_in_words(catalogue_run: Path, words_of: PageOf) -> None:
    recipe: dict[str, Any] = {"n0": {"op": "linear", "input": ["x", "h_prev_0"]}}
    for i in range(1, 80):
        recipe[f"n{i}"] = {"op": "activation_tanh", "input": [f"n{i - 1}"]}
    recipe["h_new_0"] = {"op": "activation_tanh", "input": ["n79"]}
    genotype = RecurrentGenotype.from_recipe(recipe).within(MACRO)
    _write_json(catalogue_run / "genotype.json", genotype_document(genotype))
    text = _text(words_of(catalogue_run))
    assert "Recurrent cell: 81 nodes, too many to draw." in text
    assert "n79 = activation_tanh(n78)" in text


def test_a_damaged_recipe_is_told_in_its_place(catalogue_run: Path, words_of: PageOf) -> None:
    document = {"kind": "recurrent_cell", "recipe": {"h_new_0": {"op": "linaer", "input": ["x"]}}, "macro": {}}
    _write_json(catalogue_run / "genotype.json", document)
    assert "unknown operation 'linaer' (did you mean 'linear'?)" in _text(words_of(catalogue_run))


def test_names_with_html_in_a_recipe_are_shown_as_text(catalogue_run: Path, page_of: PageOf) -> None:
    recipe = {
        "<b>": {"op": "linear", "input": ["x", "h_prev_0"]},
        "h_new_0": {"op": "activation_tanh", "input": ["<b>"]},
    }
    genotype = RecurrentGenotype.from_recipe(recipe).within(MACRO)
    _write_json(catalogue_run / "genotype.json", genotype_document(genotype))
    html = page_of(catalogue_run)
    assert "<b> =" not in html
    assert "&lt;b&gt; = linear(x, h_prev_0)" in html


def write_supernet_run(folder: Path, *, status: str = "done", mixing: Mixing | None = None) -> Path:
    """Two epochs of a one-shot search of recurrent cells, as the supernet describes them."""
    space = DartsRecurrentSpace(name="mine", nodes=DartsRecurrentNodes(max=4), macro=RecurrentMacro(hidden=8))
    torch.manual_seed(0)
    supernet = build_supernet(space, (1, 5, 6), 4, mixing)
    assert isinstance(supernet, RecurrentSupernet)
    supernet.alphas("n3_op").data[1] = 2.0  # a blend, which reads all its inputs
    if supernet.mixing.normalises_edges:
        supernet.get_parameter("betas_n3").data[0] = 3.0  # the state
    lines = []
    for epoch in range(2):
        scores = {
            "weights_loss": 1.4,
            "alphas_loss": 1.5,
            "supernet_ua": 0.25,
            "network_ua": 0.5,
            "scored_on": "monitor",
        }
        lines.append({"epoch": epoch, **scores, **supernet.describe((1, 5, 6), 4), "seconds": 1.0})
    folder.mkdir(parents=True)
    (folder / "epochs.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    _write_json(folder / "space.yaml", space.to_settings())
    run = {
        "kind": "search", "status": status, "space": "mine", "strategy": "darts", "algorithm": "darts", "epochs": 2,
        "input_shape": [1, 5, 6], "data": {"dataset": "emodb", "n_clips": 118, "labels": ["a", "b", "c", "d"]},
    }  # fmt: skip
    _write_json(folder / "run.json", run | ({"decided": decision_of(lines[-1])} if status == "done" else {}))
    if status == "done":
        _write_json(folder / "genotype.json", genotype_document(supernet.genotype()))
    return folder


def test_a_one_shot_search_shows_weights_of_operations_and_inputs_and_margins(tmp_path: Path, page_of: PageOf) -> None:
    html = page_of(write_supernet_run(tmp_path / "run"))
    for title in ("Operations: weights after epoch 2", "Inputs: weights after epoch 2", "Entropy of the alphas"):
        assert f"<h3>{title}</h3>" in html
    operations = html.split("<h3>Operations: weights after epoch 2</h3>")[1].split("</figure>")[0]
    # softmax of 2 against six alphas near 0: e^2 / (e^2 + 6)
    assert f">{math.e**2 / (math.e**2 + 6):.2f}</text>" in operations
    assert ">elementwise_prod</text>" in operations
    inputs = html.split("<h3>Inputs: weights after epoch 2</h3>")[1].split("</figure>")[0]
    for row in ("n1, input b", "n2, input a", "n3, input c"):
        assert f">{row}</text>" in inputs
    assert ">n1, input a</text>" not in inputs, "n0 is all that n1 can read: nothing was decided"
    text = _text(html)
    assert "Mean over decisions" in text
    assert "Margin of the kept options to the runner-up" in text
    assert re.search(r"Margins of the kept operations .* Operations \d\.\d+ .* Inputs \d\.\d+", text)
    assert "skip connection among" not in text


@pytest.mark.parametrize(
    ("mixing", "title", "weight", "words"),
    [
        (SigmoidMixing(), "Operations", 1 / (1 + math.exp(-2.0)), "Weight of an option = sigmoid of each alpha"),
        # the state's beta of 3 against three nodes near 0
        (PartialMixing(), "Inputs", math.e**3 / (math.e**3 + 3), "to which of an input the node's betas are added"),
    ],
)
def test_the_weights_shown_are_those_that_the_derivation_read(
    tmp_path: Path, page_of: PageOf, mixing: Mixing, title: str, weight: float, words: str
) -> None:
    html = page_of(write_supernet_run(tmp_path / "run", mixing=mixing))
    table = html.split(f"<h3>{title}: weights after epoch 2</h3>")[1].split("</figure>")[0]
    assert f">{weight:.2f}</text>" in table
    assert words in _text(html)


def test_a_one_shot_search_that_is_not_finished_shows_its_recipe_as_it_is(tmp_path: Path, page_of: PageOf) -> None:
    text = _text(page_of(write_supernet_run(tmp_path / "run", status="running")))
    assert "The cells as of epoch 2, not final" in text
    assert "n3 = blend(g: " in text
    assert "1, 8 units wide" in text, "the macro values are those of the space"
