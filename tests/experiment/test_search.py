"""What a search reads, records and leaves."""

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
from audionas.experiment import search as steps
from audionas.experiment.prepare import PrepareOptions
from audionas.experiment.search import SearchRequest, divide_search_clips, search
from audionas.search import load_strategy
from audionas.spaces.genotype_file import read_genotype_file

Request = Callable[..., SearchRequest]


def _json(path: Path) -> Any:
    return json.loads(path.read_text())


def _planned(request: SearchRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The record of a search that is stopped before its first step."""

    def stop(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(steps, "run_search", stop)
    with pytest.raises(KeyboardInterrupt):
        search(request)
    assert request.out is not None
    return _json(request.out / "run.json")


def test_a_search_leaves_everything_that_repeats_it(two_epochs_once: Path) -> None:
    run = two_epochs_once
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


def test_epochs_tell_losses_scores_alphas_and_margins(two_epochs_once: Path) -> None:
    run = two_epochs_once
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


def test_the_same_seed_gives_the_same_alphas_and_another_seed_others(
    request_for: Request, two_epochs_once: Path, tmp_path: Path
) -> None:
    def alphas(run: Path) -> Any:
        return json.loads((run / "epochs.jsonl").read_text().splitlines()[-1])["alphas"]

    first = alphas(two_epochs_once)
    assert alphas(search(request_for(out=tmp_path / "b", seed=0))) == first
    assert alphas(search(request_for(out=tmp_path / "c", seed=1))) != first


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
def test_parts_hold_whole_groups_of_the_search_clips_only(two_epochs_once: Path, name: str) -> None:
    manifest = Manifest.read(two_epochs_once)
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


def test_steps_times_rate_is_told_and_low_reach_is_warned_of(
    request_for: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = _planned(request_for(strategy="darts"), monkeypatch)
    assert record["alpha_reach"] == pytest.approx(3.0e-4 * 2 * record["steps_per_epoch"])
    assert any("below 1" in warning for warning in record["warnings"])


def test_small_data_strategy_reaches_three(request_for: Request, monkeypatch: pytest.MonkeyPatch) -> None:
    record = _planned(request_for(epochs=40), monkeypatch)
    assert record["alpha_reach"] == pytest.approx(3.0, abs=1e-3)
    assert not any("below 1" in warning for warning in record["warnings"])


def test_what_has_no_meaning_for_the_space_is_told_and_stands_in_the_record(
    request_for: Request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = tmp_path / "cells.yaml"
    space.write_text("kind: darts_recurrent\nfeatures: features.yaml\nnodes: {max: 3}\nmacro: {hidden: 4}\n")
    remark = "pc_darts: its partial channels are for convolutions; recurrent cells have K = 1"
    record = _planned(request_for(strategy="pc_darts", space=str(space), out=tmp_path / "cells"), monkeypatch)
    assert [note.startswith(remark) for note in record["notes"]].count(True) == 1
    record = _planned(request_for(strategy="pc_darts", out=tmp_path / "convolutions"), monkeypatch)
    assert not any(remark in note for note in record["notes"])


def test_the_raised_rate_is_capped_when_there_are_hardly_any_steps(two_epochs_once: Path) -> None:
    record = _json(two_epochs_once / "run.json")
    assert record["alpha_reach"] == pytest.approx(0.1 * 2 * record["steps_per_epoch"])
    assert any("below 1" in warning for warning in record["warnings"])


def test_without_speakers_the_record_says_that_nothing_is_known(
    request_for: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = _planned(request_for(preparation=PrepareOptions()), monkeypatch)
    assert record["data"]["speaker_independence_checked"] is False
    assert any("speaker independence not checked" in warning for warning in record["warnings"])


def test_nested_searches_leave_out_one_split_each(request_for: Request) -> None:
    run = search(request_for(nested=True, epochs=1))
    for name in ("1", "2", "3"):
        found = read_genotype_file(run / f"split_{name}" / "genotype.json").provenance
        assert found["split_left_out"] == name
    assert _json(run / "run.json")["kind"] == "nested_search"


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


def test_silent_clips_are_counted_in_a_warning(
    request_for: Request, tiny_corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import soundfile

    soundfile.write(tiny_corpus / "low" / "s0_low_0.wav", np.zeros(4000), 8000)
    record = _planned(request_for(), monkeypatch)
    assert any(warning.startswith("1 of 24 clips are all zero") for warning in record["warnings"])


def test_small_inputs_use_one_thread_and_large_ones_torchs_choice() -> None:
    import torch

    from audionas.experiment.machine import thread_count

    assert thread_count(None, (1, 64, 64)) == 1
    assert thread_count(None, (1, 140, 140)) == torch.get_num_threads()
    assert thread_count(3, (1, 8, 8)) == 3


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
