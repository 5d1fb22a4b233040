"""What a search reads, records and leaves; and what it refuses."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audionas.audio.folds import find_split, outer_splits
from audionas.audio.manifest import Manifest
from audionas.errors import AudionasError, RunError, SettingsError
from audionas.experiment.prepare import PrepareOptions
from audionas.experiment.search import SearchRequest, divide_search_clips, resume, search
from audionas.search import load_strategy
from audionas.spaces.genotype_file import read_genotype_file

BY_SPEAKER = PrepareOptions(group_from="^(s[0-9])", folds="3")
Request = Callable[..., SearchRequest]


@pytest.fixture
def request_for(tiny_corpus: Path, tiny_space: Path, tmp_path: Path) -> Request:
    def make(**changes: Any) -> SearchRequest:
        fields: dict[str, Any] = {
            "data": tiny_corpus, "space": str(tiny_space), "epochs": 2, "threads": 1, "out": tmp_path / "run",
            "preparation": BY_SPEAKER,
        }  # fmt: skip
        return SearchRequest(**(fields | changes))

    return make


def _json(path: Path) -> Any:
    return json.loads(path.read_text())


def test_a_search_leaves_everything_that_repeats_it(request_for: Request) -> None:
    run = search(request_for())
    record = _json(run / "run.json")
    assert record["status"] == "done"
    assert record["split"] == "1"
    assert record["input_shape"] == [1, 8, 8]
    assert {"torch", "nni", "audionas", "python"} <= set(record["versions"])
    for name in ("space.yaml", "strategy.yaml", "manifest.csv", "epochs.jsonl", "genotype.json", "checkpoint/last.pt"):
        assert (run / name).is_file(), name
    provenance = read_genotype_file(run / "genotype.json").provenance
    assert provenance["labels"] == ["high", "low"]
    assert provenance["features"]["extractor"] == "log_mel"
    assert provenance["input_shape"] == [1, 8, 8]


def test_epochs_tell_losses_scores_alphas_and_margins(request_for: Request) -> None:
    run = search(request_for())
    lines = [json.loads(line) for line in (run / "epochs.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [0, 1]
    last = lines[-1]
    assert last["scored_on"] == "used by the search", "4 search groups are too few for a monitor part"
    assert np.array(last["alphas"]["normal"]).shape == (2, 4)
    assert 0 < last["entropy"]["normal"] <= np.log(4) + 1e-9
    assert len(last["margins"]["normal"]) == 2
    weights = np.exp(last["alphas"]["normal"]) / np.exp(last["alphas"]["normal"]).sum(-1, keepdims=True)
    real = np.sort(weights[:, 1:], axis=1)
    assert sorted(last["margins"]["normal"]) == pytest.approx(sorted(real[:, -1] - real[:, -2]), abs=1e-6)
    assert {"supernet_ua", "network_ua", "skips", "genotype", "parameters", "seconds"} <= set(last)


def test_the_same_seed_gives_the_same_alphas_and_another_seed_others(request_for: Request, tmp_path: Path) -> None:
    def alphas(name: str, seed: int) -> Any:
        run = search(request_for(out=tmp_path / name, seed=seed))
        return json.loads((run / "epochs.jsonl").read_text().splitlines()[-1])["alphas"]

    first = alphas("a", 0)
    assert alphas("b", 0) == first
    assert alphas("c", 1) != first


def test_a_search_never_reads_a_test_speaker(request_for: Request) -> None:
    run = search(request_for(exclude_fold="2"))
    manifest = Manifest.read(run)
    test = find_split(manifest, "2").test
    read = {
        digest
        for group in read_genotype_file(run / "genotype.json").provenance["groups_read"]
        for digest in group["audio"]
    }
    assert not read & {manifest.clips[row].sha256[:12] for row in test}
    assert len(read) == len(manifest) - len(test)


@pytest.mark.parametrize("name", ["darts", "darts_small_data", "random"])
def test_parts_hold_whole_groups_of_the_search_clips_only(request_for: Request, name: str) -> None:
    manifest = Manifest.read(search(request_for()))
    for split in outer_splits(manifest):
        parts = divide_search_clips(manifest, split, load_strategy(name), seed=0)
        rows = [row for part in parts.values() for row in part]
        assert sorted(rows) == sorted(split.search)
        groups = [{manifest.clips[row].group for row in part} for part in parts.values()]
        assert sum(map(len, groups)) == len(set().union(*groups))


def test_eight_search_groups_leave_a_fifth_to_monitor() -> None:
    from audionas.experiment.prepare import prepare

    manifest = prepare().manifest
    split = outer_splits(manifest)[0]
    parts = divide_search_clips(manifest, split, load_strategy("darts"), seed=0)
    assert {name: len({manifest.clips[row].group for row in rows}) for name, rows in parts.items()} == {
        "weights": 3, "alphas": 3, "monitor": 2,
    }  # fmt: skip
    for rows in parts.values():
        assert {manifest.clips[row].label for row in rows} == set(manifest.labels)


def test_the_dev_part_of_a_corpus_monitors_and_never_trains(
    tiny_corpus: Path, tmp_path: Path, request_for: Request
) -> None:
    split_of = {"s0": "train", "s1": "train", "s2": "train", "s3": "train", "s4": "dev", "s5": "test"}
    for path in sorted(tiny_corpus.rglob("*.wav")):
        target = tmp_path / "splits" / split_of[path.name[:2]] / path.parent.name / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    run = search(request_for(data=tmp_path / "splits", preparation=PrepareOptions(group_from="^(s[0-9])"), pick="best"))
    record = _json(run / "run.json")
    assert record["split"] == "test"
    assert record["parts"]["monitor"] == {"n_clips": 4, "n_groups": 1}
    assert json.loads((run / "epochs.jsonl").read_text().splitlines()[0])["scored_on"] == "monitor"


def test_statistics_come_from_the_parts_that_train(request_for: Request, monkeypatch: pytest.MonkeyPatch) -> None:
    from audionas.training import batches

    seen: list[list[int]] = []
    fit = batches.Normaliser.fit

    def spy(features: Any, rows: Any, *more: Any) -> Any:
        seen.append(list(rows))
        return fit(features, rows, *more)

    monkeypatch.setattr(batches.Normaliser, "fit", staticmethod(spy))
    run = search(request_for(exclude_fold="3"))
    assert seen == [sorted(find_split(Manifest.read(run), "3").search)]


def test_steps_times_rate_is_told_and_low_reach_is_warned_of(request_for: Request) -> None:
    run = search(request_for(strategy="darts"))
    record = _json(run / "run.json")
    assert record["alpha_reach"] == pytest.approx(3.0e-4 * 2 * record["steps_per_epoch"])
    assert any("below 1" in warning for warning in record["warnings"])


def test_small_data_strategy_reaches_three(request_for: Request) -> None:
    record = _json(search(request_for(epochs=40)) / "run.json")
    assert record["alpha_reach"] == pytest.approx(3.0, abs=1e-3)
    assert not any("below 1" in warning for warning in record["warnings"])


def test_the_raised_rate_is_capped_when_there_are_hardly_any_steps(request_for: Request) -> None:
    record = _json(search(request_for(epochs=2)) / "run.json")
    assert record["alpha_reach"] == pytest.approx(0.1 * 2 * record["steps_per_epoch"])
    assert any("below 1" in warning for warning in record["warnings"])


def test_without_speakers_the_record_says_that_nothing_is_known(request_for: Request) -> None:
    record = _json(search(request_for(preparation=PrepareOptions())) / "run.json")
    assert record["data"]["speaker_independence_checked"] is False
    assert any("speaker independence not checked" in warning for warning in record["warnings"])


def test_nested_searches_leave_out_one_split_each(request_for: Request) -> None:
    run = search(request_for(nested=True, epochs=1))
    for name in ("1", "2", "3"):
        found = read_genotype_file(run / f"split_{name}" / "genotype.json").provenance
        assert found["split_left_out"] == name
    assert _json(run / "run.json")["kind"] == "nested_search"


def test_random_search_logs_and_ranks_its_trials(request_for: Request) -> None:
    run = search(request_for(strategy="random", trials=4, epochs=1, retest=0))
    lines = [json.loads(line) for line in (run / "trials.jsonl").read_text().splitlines()]
    done = [line for line in lines if line["event"] == "finished"]
    assert [line["number"] for line in done] == [0, 1, 2, 3]
    best = min(done, key=lambda line: (line["score"]["balanced_loss"], line["score"]["parameters"], line["number"]))
    assert read_genotype_file(run / "genotype.json").provenance["epoch_or_trial"] == best["number"]


class Listening:
    """Keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)

    warn = say

    def progress(self, what: str, done: int, total: int) -> None:
        """Nothing."""


@pytest.mark.parametrize("inner_folds", [0, 2])
def test_the_best_trials_are_re_tested_and_no_score_of_a_trial_is_given_as_a_result(
    request_for: Request, inner_folds: int
) -> None:
    talk = Listening()
    run = search(request_for(strategy="random", trials=6, epochs=1, inner_folds=inner_folds), talk)
    lines = [json.loads(line) for line in (run / "retests.jsonl").read_text().splitlines()]
    done = [line for line in lines if line["event"] == "finished"]
    assert len(done) == 3
    best = min(done, key=lambda line: (line["score"]["balanced_loss"], line["score"]["parameters"], line["number"]))
    record = _json(run / "run.json")
    assert read_genotype_file(run / "genotype.json").provenance["epoch_or_trial"] == best["number"]
    assert (record["winner"]["trial"], record["winner"]["retest"]) == (best["number"], best["score"]["balanced_loss"])
    assert (record["retests"], record["inner_folds"], record["winner"]["n_retested"]) == (3, inner_folds, 3)
    assert "redrawn" in record["retest_division"]["how"]
    each = ", each trained 2 times (inner folds)" if inner_folds else ""
    n_trainings = 18 if inner_folds else 9
    assert f"6 trials of 1 epoch{each}; then the best 3 are re-tested: {n_trainings} trainings" in talk.lines
    assert "no result: `audionas retrain`" in talk.lines[-1]
    assert all("validation" in line for line in talk.lines if line.startswith(("trial", "re-test 1")))


def test_no_training_of_trials_or_re_tests_reads_a_test_speaker(
    request_for: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    from audionas.training import batches

    read: list[int] = []
    fit, crop, at = batches.Normaliser.fit, batches.ClipTensors.crop, batches.ClipTensors.at

    def spy_fit(features: Any, rows: Any, *more: Any) -> Any:
        read.extend(rows)
        return fit(features, rows, *more)

    def spy_crop(self: Any, rows: Any, rng: Any) -> Any:
        read.extend(rows)
        return crop(self, rows, rng)

    def spy_at(self: Any, rows: Any, starts: Any) -> Any:
        read.extend(rows)
        return at(self, rows, starts)

    monkeypatch.setattr(batches.Normaliser, "fit", staticmethod(spy_fit))
    monkeypatch.setattr(batches.ClipTensors, "crop", spy_crop)
    monkeypatch.setattr(batches.ClipTensors, "at", spy_at)
    run = search(request_for(strategy="random", trials=4, epochs=1, inner_folds=2, exclude_fold="2"))
    split = find_split(Manifest.read(run), "2")
    assert set(map(int, read)) == set(split.search)


def test_a_trial_whose_loss_is_not_finite_fails_and_never_wins(
    request_for: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    from audionas.search import evaluator
    from audionas.training.fit import NonFiniteLossError

    real, calls = evaluator.fit, []

    def fit(*arguments: Any, **words: Any) -> Any:
        calls.append(1)
        if len(calls) == 1:
            raise NonFiniteLossError("epoch 0: the training loss is nan")
        return real(*arguments, **words)

    monkeypatch.setattr(evaluator, "fit", fit)
    run = search(request_for(strategy="random", trials=2, epochs=1))
    done = [json.loads(line) for line in (run / "trials.jsonl").read_text().splitlines() if "finished" in line]
    assert [line["status"] for line in done] == ["failed", "done"]
    assert "nan" in done[0]["error"]
    assert read_genotype_file(run / "genotype.json").provenance["epoch_or_trial"] == 1


def test_a_supernet_whose_loss_is_not_finite_stops_with_one_line(request_for: Request, tmp_path: Path) -> None:
    from audionas.training.fit import NonFiniteLossError

    wild = tmp_path / "wild.yaml"
    wild.write_text(
        "algorithm: darts\nparts: {weights: 0.5, alphas: 0.5}\n"
        "recipe: {learning_rate: 1.0e+38}\nsettings: {gradient_clip: 1.0e+38}\n"
    )
    with pytest.raises(NonFiniteLossError, match=r"(loss is (nan|inf)|alphas clips is not finite); lower the"):
        search(request_for(strategy=str(wild), epochs=3))
    assert _json(tmp_path / "run" / "run.json")["status"] == "failed"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"space": "darts_cn"}, "did you mean 'darts_cnn'"),
        ({"strategy": "dart"}, "did you mean 'darts'"),
        ({"features": "log_mell"}, "log_mel"),
        ({"exclude_fold": "7"}, "unknown fold '7'; known: 1, 2, 3"),
        ({"pick": "first"}, "accepted: last, best"),
        ({"pick": "best"}, "needs a one-shot search with a monitor part"),
        ({"nested": True, "exclude_fold": "1"}, "exclude each other"),
        ({"trials": 3}, "one-shot"),
        ({"inner_folds": 2}, "one-shot"),
        ({"strategy": "random", "inner_folds": 5}, r"leaves 4 group\(s\) to the search; use 2 to 4 inner folds"),
        ({"device": "cuda:9"}, "not available here"),
        ({"device": "tpu"}, "accepted: cpu, cuda"),
        ({"threads": 0}, "must be 1 or more"),
        ({"data": Path("no_such_folder")}, "no such"),
        ({"batch_size": 60_000_000}, "batch_size"),
    ],
)
def test_a_wrong_request_is_one_line_and_writes_nothing(
    request_for: Request, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(AudionasError, match=message) as caught:
        search(request_for(**changes))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_a_batch_that_does_not_fit_names_the_largest_that_does(
    request_for: Request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psutil

    class Memory:
        available = total = 700 * 2**20

    monkeypatch.setattr(psutil, "virtual_memory", lambda: Memory)
    with pytest.raises(RunError, match=r"the largest that fits is --batch-size \d+"):
        search(request_for(batch_size=60_000))
    assert not (tmp_path / "run").exists(), "nothing half-written"


def test_a_folder_that_holds_another_run_is_refused_and_left_alone(request_for: Request, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text("{}")
    with pytest.raises(RunError, match="holds another run; choose another --out"):
        search(request_for())
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["run.json"]


def test_a_done_search_is_left_as_it_is(request_for: Request) -> None:
    run = search(request_for())
    before = (run / "genotype.json").read_bytes()
    assert resume(run) == run
    assert (run / "genotype.json").read_bytes() == before


def test_resuming_what_is_no_search_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no such run folder"):
        resume(tmp_path / "nothing")
    (tmp_path / "run.json").write_text('{"schema_version": 1, "kind": "retrain"}')
    with pytest.raises(RunError, match="is a retrain run, expected search"):
        resume(tmp_path)
    (tmp_path / "run.json").write_text("{torn")
    with pytest.raises(RunError, match="not valid JSON"):
        resume(tmp_path)


def test_a_wrong_strategy_setting_names_those_accepted(request_for: Request, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("algorithm: darts\nparts: {weights: 0.5, alphas: 0.5}\nsettings: {arc_rate: 1.0}\n")
    with pytest.raises(
        SettingsError, match="accepted: arc_learning_rate, arc_beta1, arc_beta2, arc_weight_decay, gradient_clip"
    ):
        search(request_for(strategy=str(wrong)))


def test_one_margin_is_logged_for_every_kept_edge() -> None:
    """Two nodes may keep the same operation of the same input; each edge counts where it is kept."""
    import torch

    from audionas.search import build_supernet
    from audionas.spaces import load_search_space

    space = load_search_space("darts_cnn_small")
    network = build_supernet(space, input_shape=(1, 8, 8), n_classes=2)
    for alphas in network.arch_parameters():
        with torch.no_grad():
            alphas.zero_()
            alphas[:, 4] = torch.tensor([3.0, 2.0, 1.0, 3.0, 2.0])  # sep_conv_3x3 on every edge

    margins = network.describe((1, 8, 8), 2)["margins"]["normal"]
    kept_logits = [3.0, 2.0, 3.0, 2.0]  # node 2 keeps inputs 0 and 1; node 3 keeps inputs 1 and 2
    assert margins == pytest.approx([(np.exp(a) - 1) / (np.exp(a) + 7) for a in kept_logits])


def test_nni_steps_alphas_with_adam_and_weights_with_decayed_sgd_as_the_yaml_says(request_for: Request) -> None:
    import torch

    run = search(request_for(strategy="darts", epochs=4))
    state = torch.load(run / "checkpoint" / "last.pt", weights_only=True)
    weights, alphas = (optimiser["param_groups"][0] for optimiser in state["optimisers"])
    assert (weights["momentum"], weights["weight_decay"]) == (0.9, 3.0e-4)
    assert weights["lr"] == pytest.approx(0.001), "the cosine has reached its end after the last epoch"
    assert (alphas["lr"], tuple(alphas["betas"]), alphas["weight_decay"]) == (3.0e-4, (0.5, 0.999), 1.0e-3)
    assert len(alphas["params"]) == 2, "normal and reduction alphas, nothing else"


def test_every_batch_is_of_the_weights_part_or_of_the_alphas_part(
    request_for: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    from audionas.training import batches

    drawn: list[set[int]] = []
    crop = batches.ClipTensors.crop

    def spy(self: Any, rows: Any, rng: Any) -> Any:
        drawn.append(set(rows))
        return crop(self, rows, rng)

    monkeypatch.setattr(batches.ClipTensors, "crop", spy)
    run = search(request_for(epochs=1))
    manifest = Manifest.read(run)
    parts = divide_search_clips(manifest, outer_splits(manifest)[0], load_strategy("darts_small_data"), 0)
    assert set().union(*drawn) == set(parts["weights"]) | set(parts["alphas"])
    assert all(rows <= set(parts["weights"]) or rows <= set(parts["alphas"]) for rows in drawn)


def test_silent_clips_are_counted_in_a_warning(request_for: Request, tiny_corpus: Path) -> None:
    import soundfile

    soundfile.write(tiny_corpus / "low" / "s0_low_0.wav", np.zeros(4000), 8000)
    record = _json(search(request_for()) / "run.json")
    assert any(warning.startswith("1 of 24 clips are all zero") for warning in record["warnings"])


def test_small_inputs_use_one_thread_and_large_ones_torchs_choice() -> None:
    import torch

    from audionas.experiment.machine import thread_count

    assert thread_count(None, (1, 64, 64)) == 1
    assert thread_count(None, (1, 140, 140)) == torch.get_num_threads()
    assert thread_count(3, (1, 8, 8)) == 3


def test_a_search_resumes_after_its_features_file_is_gone(request_for: Request, tmp_path: Path) -> None:
    run = search(request_for())
    record = _json(run / "run.json") | {"status": "interrupted"}
    (run / "run.json").write_text(json.dumps(record))
    (tmp_path / "features.yaml").unlink()
    assert resume(run) == run
    assert _json(run / "run.json")["status"] == "done"


def test_clips_that_were_skipped_are_told_and_stand_in_the_report(request_for: Request, tiny_corpus: Path) -> None:
    from audionas.experiment.talk import Silent
    from audionas.report import write_report

    class Listening(Silent):
        lines: list[str] = []

        def warn(self, line: str) -> None:
            self.lines.append(line)

    (tiny_corpus / "low" / "s0_low_0.wav").write_bytes(b"RIFF")
    talk = Listening()
    run = search(request_for(preparation=PrepareOptions(group_from="^(s[0-9])", folds="3", skip_bad=True)), talk)
    assert any("1 unreadable clip(s) skipped" in line for line in talk.lines)
    assert "1 unreadable clip(s) skipped" in write_report(run).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("run.json", '{"schema_version": 1, "kind": "search"}', "run.json: damaged: status or cost is missing"),
        ("manifest.json", '{"schema_version": 1, "task": "classification"}', "manifest.json: damaged: root"),
        ("epochs.jsonl", "[1]\n[2]\n", "epochs.jsonl: line 1 is not JSON"),
    ],
)
def test_a_damaged_run_is_one_line(request_for: Request, file: str, text: str, message: str) -> None:
    run = search(request_for())
    if file != "run.json":
        record = _json(run / "run.json") | {"status": "interrupted"}
        (run / "run.json").write_text(json.dumps(record))
    (run / file).write_text(text)
    with pytest.raises(AudionasError, match=message) as caught:
        resume(run)
    assert "\n" not in str(caught.value)
