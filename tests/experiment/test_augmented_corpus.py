"""Augmentation never touches a test clip, nor a statistic; copies are computed once; a stopped run goes on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from safetensors.torch import load_file

from audionas.audio.folds import find_split, outer_splits
from audionas.audio.manifest import Manifest
from audionas.augmentations import AugmentedCopy
from audionas.errors import ManifestError, RunError, SettingsError
from audionas.experiment.prepare import PrepareOptions
from audionas.experiment.retrain import RetrainRequest, resume_retraining, retrain
from audionas.experiment.search import SearchRequest, search
from audionas.training.batches import ClipTensors

pytestmark = pytest.mark.slow

BY_SPEAKER = PrepareOptions(group_from="^(s[0-9])", folds="3")
AUGMENT = "copies: 2\nspeed: {rate: [0.8, 1.2]}\nnoise: {p: 1.0}\n"
Run = Callable[..., Path]


@pytest.fixture
def augment(tmp_path: Path) -> str:
    (tmp_path / "augment.yaml").write_text(AUGMENT)
    return str(tmp_path / "augment.yaml")


@pytest.fixture
def searched_alone(tiny_corpus: Path, tiny_space: Path, tmp_path: Path) -> Path:
    """A search with a folder of features that no other test has written to."""
    return search(
        SearchRequest(tiny_corpus, str(tiny_space), epochs=1, threads=1, out=tmp_path / "run", preparation=BY_SPEAKER)
    )


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str]]:
    """(copy, clip) of every copy that is really made."""
    seen: list[tuple[int, str]] = []
    call = AugmentedCopy.__call__

    def spy(self: AugmentedCopy, waveform: np.ndarray, rate_hz: int, clip: Any) -> np.ndarray:
        seen.append((self.number, clip.path))
        return call(self, waveform, rate_hz, clip)

    monkeypatch.setattr(AugmentedCopy, "__call__", spy)
    return seen


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[tuple[ClipTensors, list[int], list[int]]]:
    """(tensors, rows, what was drawn for them) of every training batch."""
    seen: list[tuple[ClipTensors, list[int], list[int]]] = []
    call = ClipTensors.drawn

    def spy(self: ClipTensors, rows: list[int], seed: int, *keys: object) -> list[int]:
        found = call(self, rows, seed, *keys)
        seen.append((self, list(rows), found))
        return found

    monkeypatch.setattr(ClipTensors, "drawn", spy)
    return seen


def test_augmentation_never_touches_a_test_clip(
    searched: Path, augment: str, tmp_path: Path, drawn: list[Any], tiny_corpus: Path
) -> None:
    """A planted cheat would show: test clips that become noise change neither weights nor copies."""
    fields: dict[str, Any] = {"epochs": 2, "seeds": 1, "threads": 1, "augment": augment}
    first = retrain(RetrainRequest((searched,), out=tmp_path / "a", **fields))
    manifest = Manifest.read(first)
    splits = {frozenset(split.search): split for split in outer_splits(manifest)}
    replaced = 0
    for tensors, rows, found in drawn:
        assert tensors._copies is not None
        assert frozenset(tensors._copies.copied) in splits, "exactly the search clips of a split have copies"
        assert set(rows) <= set(tensors._copies.copied)
        replaced += sum(row != other for row, other in zip(rows, found, strict=True))
    assert replaced > 0
    changed = tmp_path / "changed"
    shutil.copytree(tiny_corpus, changed)
    rng = np.random.default_rng(1)
    for row in find_split(manifest, "1").test:
        soundfile.write(changed / manifest.clips[row].path, rng.normal(scale=0.2, size=4000), 8000)
    second = retrain(
        RetrainRequest(
            (searched / "genotype.json",), data=changed, preparation=BY_SPEAKER, out=tmp_path / "b", **fields
        )
    )
    one, other = (load_file(run / "split_1" / "seed_0" / "weights.safetensors") for run in (first, second))
    assert all(np.array_equal(one[name].numpy(), other[name].numpy()) for name in one)


def test_statistics_are_those_of_the_clips_themselves_and_weights_differ(
    searched: Path, augment: str, tmp_path: Path
) -> None:
    fields: dict[str, Any] = {"epochs": 2, "seeds": 1, "threads": 1}
    plain = retrain(RetrainRequest((searched,), out=tmp_path / "a", **fields))
    augmented = retrain(RetrainRequest((searched,), out=tmp_path / "b", augment=augment, **fields))
    one, other = (load_file(run / "split_1" / "seed_0" / "weights.safetensors") for run in (plain, augmented))
    same = {name for name in one if np.array_equal(one[name].numpy(), other[name].numpy())}
    assert {"normaliser.mean", "normaliser.std"} <= same
    assert same < set(one)
    records = [json.loads((run / "run.json").read_text()) for run in (plain, augmented)]
    assert records[1]["options"]["augment"]["settings"]["copies"] == 2
    one_cost, other_cost = (record["cost"]["clip_passes"] for record in records)
    assert one_cost == other_cost, "a copy stands in for its clip, and making it is no pass through the network"


def test_copies_are_made_once_and_a_stopped_retraining_goes_on_to_the_same_weights(
    searched_alone: Path, augment: str, tmp_path: Path, made: list[tuple[int, str]]
) -> None:
    fields: dict[str, Any] = {"epochs": 2, "seeds": 2, "threads": 1, "augment": augment}
    run = retrain(RetrainRequest((searched_alone,), out=tmp_path / "a", **fields))
    assert len(made) == len(set(made)) == 48, "two copies of 24 clips, each a training clip of some split"
    weights = run / "split_2" / "seed_1" / "weights.safetensors"
    before = weights.read_bytes()
    shutil.rmtree(weights.parent)
    record = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(record | {"status": "interrupted"}))
    resume_retraining(run)
    assert weights.read_bytes() == before
    assert len(made) == 48
    record["options"]["augment"]["keys"][0] = "0" * 16
    (run / "run.json").write_text(json.dumps(record | {"status": "interrupted"}))
    with pytest.raises(RunError, match="a folder or a library of the augmentation has changed"):
        resume_retraining(run)


@pytest.mark.parametrize("strategy", ["darts_small_data", "random"])
def test_a_search_makes_copies_of_the_clips_that_train_weights_alone(
    tiny_corpus: Path, tiny_space: Path, tmp_path: Path, augment: str, made: list[tuple[int, str]], strategy: str
) -> None:
    from audionas import shipped

    text = shipped.find("strategies", strategy).read_text() + f"\naugment: {augment}\n"
    (tmp_path / "mine.yaml").write_text(text)
    run = search(
        SearchRequest(tiny_corpus, str(tiny_space), str(tmp_path / "mine.yaml"), epochs=1, threads=1,
                      trials=2 if strategy == "random" else None, retest=0 if strategy == "random" else None,
                      out=tmp_path / "s", preparation=BY_SPEAKER)
    )  # fmt: skip
    part = "weights" if strategy == "darts_small_data" else "train"
    n_training = json.loads((run / "run.json").read_text())["parts"][part]["n_clips"]
    assert len(made) == 2 * n_training
    manifest = Manifest.read(run)
    test = {manifest.clips[row].path for row in find_split(manifest, "1").test}
    assert not test & {path for _, path in made}
    told = json.loads((run / "genotype.json").read_text())["provenance"]["augment"]
    assert (told["copies"], told["noise"]["p"]) == (2, 1.0)


def test_inner_trainings_and_the_re_test_draw_copies_of_their_own_training_clips_alone(
    tiny_corpus: Path, tiny_space: Path, tmp_path: Path, augment: str, drawn: list[Any], made: list[tuple[int, str]]
) -> None:
    from audionas import shipped

    text = shipped.find("strategies", "random").read_text() + f"\naugment: {augment}\n"
    (tmp_path / "mine.yaml").write_text(text)
    run = search(
        SearchRequest(tiny_corpus, str(tiny_space), str(tmp_path / "mine.yaml"), epochs=1, threads=1, trials=2,
                      inner_folds=2, retest=1, out=tmp_path / "s", preparation=BY_SPEAKER)
    )  # fmt: skip
    manifest = Manifest.read(run)
    split = find_split(manifest, "1")
    copied = {tensors._copies.copied for tensors, _, _ in drawn}
    assert len(copied) >= 2, "two inner folds, and a redrawn division where there is another"
    for tensors, rows, _ in drawn:
        assert set(rows) <= set(tensors._copies.copied) < set(split.search)
    assert {path for _, path in made} == {manifest.clips[row].path for row in split.search}


def test_a_ranking_trains_alone_as_the_search_did_with_copies_of_the_weights_part(
    tiny_corpus: Path, tiny_space: Path, tmp_path: Path, augment: str, drawn: list[Any], made: list[tuple[int, str]]
) -> None:
    from audionas import shipped
    from audionas.experiment.rank import RankRequest, rank
    from audionas.experiment.search_inputs import read_inputs
    from audionas.experiment.search_plan import divide_search_clips

    text = shipped.find("strategies", "darts_small_data").read_text() + f"\naugment: {augment}\n"
    (tmp_path / "mine.yaml").write_text(text)
    run = search(
        SearchRequest(tiny_corpus, str(tiny_space), str(tmp_path / "mine.yaml"), epochs=1, threads=1,
                      out=tmp_path / "s", preparation=BY_SPEAKER)
    )  # fmt: skip
    n_made = len(made)
    drawn.clear()
    rank(RankRequest(run, genotypes=2, epochs=1, threads=1))
    _, strategy, manifest = read_inputs(run)
    weights = divide_search_clips(manifest, find_split(manifest, "1"), strategy, 0)["weights"]
    assert {tensors._copies.copied for tensors, _, _ in drawn} == {tuple(weights)}
    assert len(made) == n_made


def test_recurrent_networks_train_on_copies_of_other_lengths(tiny_corpus: Path, tmp_path: Path, augment: str) -> None:
    space = "nas_bench_nlp_catalogue"
    run = search(
        SearchRequest(tiny_corpus, space, "catalogue", epochs=1, trials=1, threads=1, out=tmp_path / "s",
                      preparation=BY_SPEAKER)
    )  # fmt: skip
    done = retrain(RetrainRequest((run,), epochs=1, seeds=1, threads=1, augment=augment, macro={"hidden": 8}))
    assert json.loads((done / "metrics.json").read_text())["all_splits"]["n_clips"] == 24


def test_noise_of_the_corpus_itself_is_refused(searched: Path, tiny_corpus: Path, tmp_path: Path) -> None:
    path = tmp_path / "leak.yaml"
    path.write_text(f"background_noise: {{folder: {tiny_corpus}}}\n")
    out = tmp_path / "never"
    with pytest.raises(ManifestError, match="is a clip of the corpus"):
        retrain(RetrainRequest((searched,), epochs=1, seeds=1, threads=1, augment=str(path), out=out))
    with pytest.raises(SettingsError, match="unknown augmentation"):
        retrain(RetrainRequest((searched,), epochs=1, seeds=1, threads=1, augment="nope", out=out))
    assert not out.exists()
