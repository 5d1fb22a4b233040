"""A whole comparison on the tiny corpus: equal budgets, the same clips and rules, stopped and resumed, its tables."""

from __future__ import annotations

import shutil
from pathlib import Path
from statistics import mean
from typing import Any

import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score

from audionas.audio.folds import find_split
from audionas.comparisons import compare as compare_module
from audionas.comparisons.budget import one_shot_passes, trial_passes
from audionas.comparisons.compare import compare, resume_comparison
from audionas.comparisons.plan import RANDOM_ARCHITECTURES, RANDOM_SEARCH, CompareRequest, make_plan
from audionas.comparisons.verify_comparison import verify_comparison
from audionas.errors import RunError, SettingsError
from audionas.experiment.bundle import bundle
from audionas.experiment.prepare import PrepareOptions
from audionas.experiment.run_folder import RunFolder
from audionas.experiment.same_rules import differences
from audionas.experiment.search_inputs import read_inputs
from audionas.experiment.search_plan import divide_search_clips
from audionas.experiment.verify import verify
from audionas.records import read_json, write_json
from audionas.report import write_report
from audionas.spaces import load_search_space
from tests.cli.running import refused
from tests.experiment.conftest import make_tiny_corpus

SPACE = """kind: cnn_cell
features: {features}
nodes: 1
ops: [none, max_pool_3x3, avg_pool_3x3, skip_connect, sep_conv_3x3, dil_conv_3x3]
macro: {{n_cells: 2, channels: 2, stem_multiplier: 1, reduction_at: [1/2]}}
"""
FEATURES = "extractor: log_mel\nsample_rate_hz: 8000\nlength_s: 0.5\nn_mels: 8\nframes: 8\n"


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("workshop")
    make_tiny_corpus(folder)
    (folder / "features.yaml").write_text(FEATURES)
    (folder / "space.yaml").write_text(SPACE.format(features=folder / "features.yaml"))
    return folder


def _request(folder: Path, out: Path, **changes: Any) -> CompareRequest:
    fields: dict[str, Any] = {
        "space": str(folder / "space.yaml"), "data": folder / "corpus", "strategies": ("darts_small_data", "random"),
        "seeds": 2, "search_epochs": 4, "trial_epochs": 1, "epochs": (1,), "threads": 1, "out": out,
        "preparation": PrepareOptions(group_from="^(s[0-9])", folds="2"),
    }  # fmt: skip
    return CompareRequest(**(fields | changes))


@pytest.fixture(scope="module", autouse=True)
def _nothing_fitted_twice(nothing_fitted_twice: None) -> None:
    """Eight of the retrainings differ in nothing but the architecture."""


@pytest.fixture(scope="module")
def compared(workshop: Path) -> Path:
    """A comparison that was stopped before the retraining of the random architectures, and resumed."""
    out = workshop / "compared"
    honest = compare_module.retrain_arm

    def stopping(place: Path, name: str, talk: Any) -> None:
        if name == RANDOM_ARCHITECTURES:
            raise KeyboardInterrupt
        honest(place, name, talk)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(compare_module, "retrain_arm", stopping)
        with pytest.raises(KeyboardInterrupt):
            compare(_request(workshop, out, baselines=("logistic", "lstm", "functionals")))
    stamps = {path: path.stat().st_mtime_ns for path in out.rglob("result.json")}
    assert stamps
    run = resume_comparison(out)
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in stamps.items()), "nothing was trained again"
    return run


pytestmark = pytest.mark.slow


def test_random_search_costs_at_most_as_much_as_the_one_shot_search(compared: Path) -> None:
    def passes(name: str) -> int:
        cost = RunFolder.open(compared / name / "search_0").record["cost"]["clip_passes"]
        return int(cost["forward"] + cost["backward"])

    space, strategy, manifest = read_inputs(compared / RANDOM_SEARCH / "search_0")
    assert space.name == "space"
    each = sum(
        trial_passes(strategy, divide_search_clips(manifest, find_split(manifest, name), strategy, 0))
        for name in ("1", "2")
    )
    assert passes(RANDOM_SEARCH) <= passes("darts_small_data") < passes(RANDOM_SEARCH) + each
    logged = RunFolder.open(compared / RANDOM_SEARCH / "search_0" / "split_1").record
    trials = read_json(compared / "budget.json", "budget")["trials_a_split"][RANDOM_SEARCH]
    assert logged["trials"] == trials
    notes = read_json(compared / "tables.json", "tables")["notes"]
    assert any(note.endswith(f"trials a split, re-tests apart: {RANDOM_SEARCH} {trials}") for note in notes)


def test_trials_learn_on_the_weights_part_and_are_chosen_on_the_alphas_part(compared: Path) -> None:
    for split in ("1", "2"):
        divisions = {}
        for name in ("darts_small_data", RANDOM_SEARCH):
            _, strategy, manifest = read_inputs(compared / name / "search_0")
            divisions[name] = divide_search_clips(manifest, find_split(manifest, split), strategy, 0)
        one_shot, trials = divisions["darts_small_data"], divisions[RANDOM_SEARCH]
        assert one_shot["weights"] == trials["train"]
        assert one_shot["alphas"] == trials["validation"]


def test_all_arms_have_the_same_rules(compared: Path) -> None:
    runs = sorted(compared.glob("*/retrained_*"))
    assert len(runs) == 1 + 1 + 1 + 8
    assert differences(runs) == []


def test_scores_are_those_of_the_predictions(compared: Path) -> None:
    tables = read_json(compared / "tables.json", "tables")
    for name, n_runs in (("darts_small_data", 1), (RANDOM_SEARCH, 1), ("lstm", 1), (RANDOM_ARCHITECTURES, 8)):
        each = [
            _balanced_accuracy(compared / name / f"retrained_{number}", seed)
            for number in range(n_runs)
            for seed in (0, 1)
        ]
        assert tables["arms"][name]["each"] == pytest.approx(each)
        assert tables["arms"][name]["mean"] == pytest.approx(mean(each))
    ours, random = (tables["arms"][name]["mean"] for name in ("darts_small_data", RANDOM_ARCHITECTURES))
    row = next(row for row in tables["tables"][0]["rows"] if row[0] == "darts_small_data")
    assert row[4] == f"{100 * (ours - random) / random:+.1f} %"


def test_a_hand_made_network_is_an_arm_without_a_search(compared: Path) -> None:
    tables = read_json(compared / "tables.json", "tables")
    arm = tables["arms"]["lstm"]
    assert arm["search_cost"]["clip_passes"] == {"forward": 0, "backward": 0}
    assert arm["architectures_compared"] == 0
    # both seeds, both splits: each clip trains in one of two folds, 24 passes there and back
    assert arm["retraining_cost"]["clip_passes"]["backward"] == 2 * 24
    run = RunFolder.open(compared / "lstm" / "retrained_0").record
    assert run["features"]["n_mels"] == 40, "its own features"
    assert read_json(compared / "lstm" / "retrained_0" / "split_1" / "genotype.json", "genotype")["name"] == "lstm"
    pairs = [(pair["arm"], pair["minus"]) for pair in tables["comparisons"]]
    assert ("darts_small_data", "lstm") in pairs
    assert (RANDOM_SEARCH, "lstm") in pairs
    assert not any(arm == "lstm" for arm, _ in pairs)
    plain = [row[0] for row in tables["tables"][0]["rows"]][-2:]
    assert plain == ["logistic regression on mean + sd of the features", "functionals + SVM"]


def _balanced_accuracy(run: Path, seed: int) -> float:
    tables = [pd.read_csv(path) for path in sorted(run.glob(f"split_*/seed_{seed}/predictions.csv"))]
    found = pd.concat(tables)
    found = found[found["part"] == "test"]
    return float(balanced_accuracy_score(found["label"], found["predicted"]))


def test_p_values_are_corrected_over_all_rows_and_six_speakers_are_enough_for_a_claim(compared: Path) -> None:
    pairs = read_json(compared / "tables.json", "tables")["comparisons"]
    smallest = min(pairs, key=lambda pair: pair["p"])
    assert smallest["p_holm"] == pytest.approx(min(1.0, len(pairs) * smallest["p"]))
    assert all(pair["p"] >= 2 / 2**6 - 1e-12 for pair in pairs)
    assert all(pair["claim"] is None for pair in pairs)


def test_its_bundle_verifies_and_a_figure_changed_in_it_is_found(compared: Path, tmp_path: Path) -> None:
    bundle(compared, tmp_path / "compared.zip")
    more = {"compare": verify_comparison}
    found = verify(tmp_path / "compared.zip", more)
    assert found.mismatches == []
    assert not any("nothing verifies" in note for note in found.notes)
    twin = tmp_path / "twin"
    shutil.copytree(compared, twin)
    document = read_json(twin / "tables.json", "tables")
    document["comparisons"][0]["p"] /= 2
    write_json(twin / "tables.json", document)
    wrong = verify(twin, more).mismatches
    assert [(each.file, each.key) for each in wrong] == [("./tables.json", "comparisons[0].p")]


def test_the_report_says_what_is_shown_first(compared: Path, tmp_path: Path) -> None:
    page = write_report(compared, tmp_path / "page.html").read_text()
    assert "Comparison of strategies" in page
    assert "Every run of every arm" in page
    assert page.count("<svg") == 1
    assert page.index("random_architectures") < page.index("Differences")
    for title in ("Scores", "Differences", "Random architectures, each retrained without any choice", "Cost"):
        assert title in page


def test_a_folder_with_a_comparison_is_not_overwritten(workshop: Path, compared: Path) -> None:
    with pytest.raises(RunError, match="holds another run"):
        compare(_request(workshop, compared))


def test_nothing_is_written_when_the_budget_buys_no_trial(workshop: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="give fewer --trial-epochs or more --search-epochs"):
        compare(_request(workshop, tmp_path / "out", search_epochs=1, trial_epochs=50))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["prepared"]


def test_a_network_that_needs_a_column_the_corpus_lacks_is_refused_before_the_first_search(
    workshop: Path, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match="second task: no column 'gender' with values"):
        compare(_request(workshop, tmp_path / "out", baselines=("cnn_blstm",)))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["prepared"]


def test_the_cost_of_a_first_order_search_is_known_before_it_runs(compared: Path) -> None:
    name = "darts_small_data"
    _, strategy, manifest = read_inputs(compared / name / "search_0")
    expected = sum(
        one_shot_passes(strategy, divide_search_clips(manifest, find_split(manifest, split), strategy, 0))
        for split in ("1", "2")
    )
    cost = RunFolder.open(compared / name / "search_0").record["cost"]["clip_passes"]
    assert cost["forward"] + cost["backward"] == expected


@pytest.mark.parametrize(
    "changes,words",
    [
        ({"seeds": 0}, "--seeds: got 0, must be 1 or more"),
        ({"architectures": 7}, "--architectures: got 7, must be 8 or more"),
        ({"trials": 5}, "--trials: the budget is that of darts_small_data"),
        ({"strategies": ("random",)}, "--strategies: none is one-shot, whose cost would be everybody's budget; give"),
        ({"strategies": ("darts_small_data", "darts_small_data")}, "'darts_small_data' stands there twice"),
        ({"strategies": ("nosuch",)}, "unknown strategy 'nosuch'"),
        ({"baselines": ("logistics",)}, "--baselines: unknown baseline 'logistics' .did you mean 'logistic'"),
        ({"baselines": ("lstn",)}, "--baselines: unknown baseline 'lstn' .did you mean 'lstm'"),
        ({"strategies": ("catalogue",)}, "algorithm 'catalogue' cannot search space"),
    ],
)
def test_a_wrong_request_is_one_line(workshop: Path, tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    request = _request(workshop, tmp_path / "out", **changes)
    with pytest.raises(SettingsError, match=words):
        make_plan(request, load_search_space(request.space))


def test_bad_words_on_the_command_line_are_one_line(tmp_path: Path) -> None:
    assert refused("compare", "darts_cnn_small", "--epochs", "x", "--out", tmp_path / "o").startswith("--epochs: got")
    assert "unknown search space" in refused("compare", "nosuch", "--out", tmp_path / "o")
    assert not (tmp_path / "o").exists()
