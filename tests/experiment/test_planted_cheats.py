"""Cheats planted one by one, as a defect or a careless hand would: each is caught, or told where a reader looks."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from audionas.audio.folds import find_split
from audionas.audio.manifest import Manifest
from audionas.errors import RunError
from audionas.experiment import retrain_work
from audionas.experiment import search as search_module
from audionas.experiment.corpus import Corpus
from audionas.experiment.fold_rows import fold_rows
from audionas.experiment.prepare import PrepareOptions
from audionas.experiment.retrain import RetrainRequest, retrain
from audionas.experiment.search import SearchRequest, search
from audionas.experiment.search_plan import divide_search_clips
from audionas.records import read_json
from audionas.statistics.system import System
from audionas.training.batches import Normaliser
from audionas.training.predictions import Predictions
from tests.cli.running import refused

BY_SPEAKER = PrepareOptions(group_from="^(s[0-9])", folds="3")
Run = Callable[..., Path]


@pytest.fixture
def searching(tiny_corpus: Path, tiny_space: Path, tmp_path: Path) -> Run:
    def run(name: str = "run", **changes: Any) -> Path:
        fields: dict[str, Any] = {"epochs": 1, "threads": 1, "out": tmp_path / name, "preparation": BY_SPEAKER}
        return search(SearchRequest(tiny_corpus, str(tiny_space), **(fields | changes)))

    return run


def test_a_test_speaker_in_the_search_is_refused(searching: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def cheating(manifest: Manifest, split: Any, *rest: Any) -> dict[str, tuple[int, ...]]:
        parts = divide_search_clips(manifest, split, *rest)
        return parts | {"weights": (*parts["weights"], split.test[0])}

    monkeypatch.setattr(search_module, "divide_search_clips", cheating)
    with pytest.raises(RunError, match=r"leak: clip .* of group 's\d', which is tested, is in the weights part"):
        searching()


def test_an_epoch_chosen_on_the_test_fold_is_refused(searched: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = searched
    honest = fold_rows(*_rows_of(run), "best", 0)
    monkeypatch.setattr(retrain_work, "fold_rows", lambda *_: replace(honest, validation=honest.test))
    with pytest.raises(RunError, match="which is tested, is in the validation part; nothing was scored"):
        retrain(RetrainRequest((run,), epochs=1, seeds=1, threads=1, select="best"))
    assert not (run / "retrained" / "metrics.json").exists()


def _rows_of(run: Path) -> tuple[Any, ...]:
    manifest = Manifest.read(run)
    split = find_split(manifest, "1")
    return manifest, split.search, split.test, split.dev


def test_a_mean_of_features_over_all_clips_is_refused(searched: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = searched
    honest = Corpus.tensors
    monkeypatch.setattr(Corpus, "tensors", lambda corpus, _: honest(corpus, range(len(corpus.manifest))))
    with pytest.raises(RunError, match="which is tested, is in the normalisation part"):
        retrain(RetrainRequest((run,), epochs=1, seeds=1, threads=1))


def test_a_normaliser_knows_which_rows_it_was_fitted_on() -> None:
    features = [np.ones((1, 2, 3), np.float32) * k for k in range(4)]
    assert Normaliser.fit(features, [1, 3], "per_feature").rows == (1, 3)
    assert Normaliser.fit(features, [1, 3], "global").mean.item() == 2.0


def test_a_genotype_copied_from_a_run_that_saw_the_folds_gives_them_no_headline(
    searched: Path, tmp_path: Path, tiny_corpus: Path
) -> None:
    run = searched  # leaves out fold 1, reads 2 and 3
    copied = tmp_path / "found_somewhere.json"
    shutil.copy(run / "genotype.json", copied)
    request = RetrainRequest(
        (copied,), tiny_corpus, epochs=1, seeds=1, threads=1, preparation=BY_SPEAKER, out=tmp_path / "r"
    )
    metrics = read_json(retrain(request) / "metrics.json", "metrics file")
    assert [split["seen_by_search"] for split in metrics["splits"]] == [False, True, True]
    assert metrics["headline"]["splits"] == ["1"]


def test_runs_of_different_rules_are_not_ranked(searched: Path, tmp_path: Path) -> None:
    run = searched
    runs = [retrain(RetrainRequest((run,), epochs=n, seeds=1, threads=1, out=tmp_path / str(n))) for n in (1, 2)]
    line = refused("report", *runs, "--csv", "-")
    assert "epochs" in line
    assert "1" in line
    assert "2" in line


def test_five_seeds_of_five_folds_are_not_25_samples() -> None:
    def cell(fold: int) -> Predictions:
        clips = tuple(f"{fold}-{k}" for k in range(4))
        scores = np.tile([0.9, 0.1], (4, 1))
        return Predictions(clips, ("a", "a", "b", "b"), np.array([0, 1, 0, 1]), scores, ("x", "y"))

    with pytest.raises(RunError, match="a fold is no sample of its own"):
        System("cells", tuple(cell(fold) for fold in range(5) for _ in range(5)))


@pytest.fixture
def corpus_of_noise(tmp_path: Path) -> Callable[..., Path]:
    """Noise of 8 speakers with labels that nothing in the sound tells."""

    def make(labels: Callable[[int, int], str]) -> Path:
        rng = np.random.default_rng(5)
        for speaker in range(8):
            for take in range(8):
                path = tmp_path / "noise" / labels(speaker, take) / f"s{speaker}_{take}.wav"
                path.parent.mkdir(parents=True, exist_ok=True)
                soundfile.write(path, 0.1 * rng.normal(size=4000), 8000)
        return tmp_path / "noise"

    return make


def _retrained(corpus: Path, space: Path, tmp_path: Path) -> dict[str, Any]:
    options = PrepareOptions(group_from="^(s[0-9])", folds="4")
    run = search(
        SearchRequest(corpus, str(space), epochs=1, threads=1, nested=True, out=tmp_path / "n", preparation=options)
    )
    found: dict[str, Any] = read_json(
        retrain(RetrainRequest((run,), epochs=3, seeds=2, threads=1)) / "metrics.json", "metrics file"
    )
    return found


@pytest.mark.slow
def test_labels_shuffled_within_speakers_are_not_above_chance(
    corpus_of_noise: Callable[..., Path], tiny_space: Path, tmp_path: Path
) -> None:
    shuffled = np.random.default_rng(1).permuted(np.tile(["high", "low"] * 4, (8, 1)), axis=1)
    metrics = _retrained(corpus_of_noise(lambda s, t: str(shuffled[s, t])), tiny_space, tmp_path)
    assert metrics["headline"]["verdict"] == "not above chance"
    assert metrics["headline"]["chance"]["p"] > 0.05


@pytest.mark.slow
def test_labels_that_belong_to_speakers_are_not_above_chance_either(
    corpus_of_noise: Callable[..., Path], tiny_space: Path, tmp_path: Path
) -> None:
    metrics = _retrained(corpus_of_noise(lambda s, _: ("high", "low")[s % 2]), tiny_space, tmp_path)
    assert metrics["headline"]["verdict"] == "not above chance"


@pytest.mark.slow
def test_a_corpus_with_one_large_class_does_not_look_good_by_wa(
    corpus_of_noise: Callable[..., Path], tiny_space: Path, tmp_path: Path
) -> None:
    # 7 of 8 clips of every speaker are of one class: guessing it gives WA 0.875
    metrics = _retrained(corpus_of_noise(lambda s, t: "rare" if t == s else "usual"), tiny_space, tmp_path)
    assert metrics["headline"]["verdict"] == "not above chance"
    assert metrics["headline"]["ua"] < 0.65
    majority = next(b for b in metrics["baselines"]["headline"] if b["name"] == "majority class")
    assert (majority["ua"], majority["wa"]) == (0.5, 0.875)
