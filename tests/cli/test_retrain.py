"""`audionas retrain`: what it refuses, in one line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from audionas import sample
from audionas.cli.retrain_lines import page_of, result_lines
from tests.cli.conftest import Workshop
from tests.cli.running import files_of, refused


@pytest.mark.parametrize(
    "words,error",
    [
        ((), "nothing to retrain: name a run folder, a genotype file or --baseline NAME"),
        (("no_run",), "no_run: no such genotype file"),
        (("x.json", "--select", "worst"), "--select: got 'worst'; accepted: last, best"),
        (("x.json", "--seeds", "0"), "--seeds: got 0, must be 1 or more"),
        (("x.json", "--class-weighting", "yes"), "--class-weighting: got 'yes'; accepted: balanced, none, sampler"),
        (("x.json", "--inner-folds", "1"), "--inner-folds: got 1, must be 0 (none) or 2 or more"),
        (("x.json", "--precision", "8"), "--precision: got '8'; accepted: 32, 16, bf16"),
        (("x.json", "--workers", "0"), "--workers: got 0, must be 1 or more"),
        (("x.json", "--workers", "2", "--tracker", "csv"), "--workers 2 and --tracker: trackers log in one process"),
        (("x.json", "--paper"), "--paper: goes with --baseline NAME"),
        (("--baseline", "plain_cnn", "a", "b"), "--baseline: takes one DATA, got a b"),
        (("--baseline", "plain_cnn", "--set", "channels"), "--set: got 'channels', must be key=value"),
        (("--resume", "no_run"), "no_run: no such run folder"),
        (("x.json", "--resume", "no_run"), "--resume takes nothing else"),
    ],
)
def test_a_wrong_request_is_one_line_and_writes_nothing(tmp_path: Path, words: tuple[str, ...], error: str) -> None:
    assert error in refused("retrain", *words, cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_no_run_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert refused("retrain", "folder", cwd=tmp_path) == "folder: no run here (run.json is missing)"


@pytest.mark.slow
def test_a_genotype_without_its_run_needs_data(workshop: Workshop, tmp_path: Path) -> None:
    shutil.copy(workshop.search / "genotype.json", tmp_path)
    line = refused("retrain", "genotype.json", cwd=tmp_path)
    assert line == "genotype.json: a genotype without its run; name the data: audionas retrain GENOTYPE DATA"


@pytest.mark.slow
def test_a_genotype_searched_on_another_shape_than_its_features_give_is_refused(
    workshop: Workshop, tmp_path: Path
) -> None:
    document = json.loads((workshop.search / "genotype.json").read_text(encoding="utf-8"))
    document["provenance"]["input_shape"] = [1, 40, 64]
    (tmp_path / "other.json").write_text(json.dumps(document))
    line = refused("retrain", "other.json", sample.folder(), "--quiet", "--out", "out", cwd=tmp_path)
    assert "(1, 32, 64)" in line
    assert "(1, 40, 64)" in line


@pytest.mark.slow
def test_a_hand_edited_genotype_is_refused(workshop: Workshop, tmp_path: Path) -> None:
    document = json.loads((workshop.search / "genotype.json").read_text(encoding="utf-8"))
    document["cells"]["normal"][0][0] = "none"
    (tmp_path / "other.json").write_text(json.dumps(document))
    assert "unknown operation 'none'" in refused("retrain", "other.json", sample.folder(), cwd=tmp_path)
    assert list(files_of(tmp_path)) == ["other.json"]


@pytest.mark.slow
def test_macro_values_and_optimisers_that_the_genotype_does_not_know_are_refused(
    workshop: Workshop, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    line = refused("retrain", "runs/first", "--hidden", "8", "--out", out, cwd=workshop.folder)
    assert line.startswith("--hidden is for recurrent genotypes; this one is CNN: --cells, --channels")
    line = refused("retrain", "runs/first", "--optimiser", "rmsprop", "--out", out, cwd=workshop.folder)
    assert "optimiser: got 'rmsprop', must be 'sgd' or 'adam'" in line
    assert not out.exists()


@pytest.mark.slow
def test_an_output_that_holds_another_run_is_refused_and_left_alone(workshop: Workshop) -> None:
    before = files_of(workshop.search)
    assert "holds another run" in refused("retrain", "runs/first", "--out", "runs/first", cwd=workshop.folder)
    assert files_of(workshop.search) == before


def _summary(p: float, verdict: str, claim: str | None = None) -> dict[str, object]:
    return {
        "what": "pooled UA", "ua": 0.25, "ua_sd": 0.01, "ua_interval": [0.2, 0.31], "wa": 0.84, "wa_sd": None,
        "n_clips": 240, "seeds": [0, 1], "interval": "95 % interval", "verdict": verdict, "claim": claim,
        "chance": {"p": p, "permutations": 9999, "how": "labels permuted within each of 10 groups"},
    }  # fmt: skip


def test_a_score_that_is_not_above_chance_says_so_before_the_numbers(tmp_path: Path) -> None:
    metrics = {
        "parameters": 10, "headline": _summary(0.41, "not above chance", "no claim about speakers is possible"),
        "all_splits": _summary(0.0001, "above chance"), "speaker_independence_checked": True,
        "baselines": {"headline": []},
    }  # fmt: skip
    lines = result_lines(tmp_path, metrics)
    assert (
        "headline: not above chance (p 0.41): UA 0.250 +- 0.010 [0.200, 0.310], WA 0.840, 240 clips, 2 seeds" in lines
    )
    assert (
        "  95 % interval; not above chance: p 0.41, labels permuted within each of 10 groups, 9,999 permutations"
        in lines
    )
    assert "  no claim about speakers is possible" in lines
    assert any(line.startswith("all_splits: UA 0.250") for line in lines)


@pytest.mark.parametrize(("kind", "shown"), [("search", ""), ("nested_search", ""), ("pretrain", "retrained")])
def test_the_page_named_is_that_of_the_search_a_retraining_lies_in_else_its_own(
    tmp_path: Path, kind: str, shown: str
) -> None:
    (tmp_path / "run.json").write_text(f'{{"kind": "{kind}"}}')
    assert page_of(tmp_path / "retrained") == tmp_path / shown
    assert page_of(tmp_path / "elsewhere" / "mine") == tmp_path / "elsewhere" / "mine"
