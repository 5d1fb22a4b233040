"""Predictions come back from their CSV; the windows of a clip are averaged; scores are those of the windows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audionas.errors import AudionasError, RunError
from audionas.training.batches import ClipTensors, Normaliser
from audionas.training.predictions import Predictions, average_windows, joined, read_predictions, write_predictions
from audionas.training.scoring import predict_clips, score_rows
from audionas.training.tasks import Classification
from tests.training.toys import toy_manifest

AWKWARD = ("Ärger, groß", 'the "calm" one', "喜び", "NA", " 007", "p:joy", "two\nlines", "a;b\t'c'")
names = st.text(alphabet="aÄ喜 ,;:'\"\n\tp0=.-", min_size=1, max_size=6)


def predictions(labels: tuple[str, ...], n: int = 5, seed: int = 0) -> Predictions:
    scores = np.random.default_rng(seed).dirichlet(np.ones(len(labels)), n)
    clips = tuple(f"{labels[i % len(labels)]}/{i}" for i in range(n))
    truth = np.arange(n, dtype=np.int64) % len(labels)
    return Predictions(clips, tuple(f"s,{i}" for i in range(n)), truth, scores, labels)


def same(one: Predictions, two: Predictions) -> bool:
    texts = [(p.clips, p.groups, p.labels, p.part, p.truth.tolist()) for p in (one, two)]
    return texts[0] == texts[1] and np.allclose(one.scores, two.scores, rtol=1e-8, atol=0)


def test_labels_with_commas_quotes_line_breaks_and_other_scripts_come_back(tmp_path: Path) -> None:
    written = predictions(AWKWARD, n=20)
    written.write(tmp_path / "p.csv")
    assert same(Predictions.read(tmp_path / "p.csv"), written)


@given(st.lists(names, min_size=2, max_size=5, unique=True), st.integers(1, 12))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_any_labels_come_back(tmp_path: Path, labels: list[str], n: int) -> None:
    written = replace(predictions(tuple(labels), n), part="validation")
    written.write(tmp_path / "p.csv")
    assert same(Predictions.read(tmp_path / "p.csv", "validation"), written)


def test_one_table_holds_several_parts_and_a_clip_may_stand_in_each(tmp_path: Path) -> None:
    parts = [replace(predictions(("a", "b"), n, seed=n), part=part) for n, part in ((5, "test"), (3, "inner_oof"))]
    write_predictions(tmp_path / "p.csv", parts)
    found = read_predictions(tmp_path / "p.csv")
    assert list(found) == ["test", "inner_oof"]
    assert all(same(found[part.part], part) for part in parts)
    assert same(Predictions.read(tmp_path / "p.csv", "inner_oof"), parts[1])
    with pytest.raises(RunError, match="no predictions of part 'train'; it has: test, inner_oof"):
        Predictions.read(tmp_path / "p.csv", "train")


def test_sets_of_clips_are_joined_in_their_order() -> None:
    one = Predictions(("c1",), ("s1",), np.array([1]), np.array([[0.75, 0.25]]), ("no", "yes"))
    two = Predictions(("c0",), ("s0",), np.array([0]), np.array([[0.5, 0.5]]), ("no", "yes"))
    found = joined([one, two], "inner_oof")
    assert (found.clips, found.groups, found.truth.tolist(), found.part) == (
        ("c1", "c0"), ("s1", "s0"), [1, 0], "inner_oof",
    )  # fmt: skip
    assert found.scores.tolist() == [[0.75, 0.25], [0.5, 0.5]]


def test_the_table_is_the_documented_one(tmp_path: Path) -> None:
    one = Predictions(("c1",), ("s1",), np.array([1]), np.array([[0.75, 0.25]]), ("no", "yes"))
    one.write(tmp_path / "p.csv")
    expected = "clip,group,label,predicted,part,p:no,p:yes\nc1,s1,yes,no,test,0.75,0.25\n"
    assert (tmp_path / "p.csv").read_text(encoding="utf-8") == expected


@pytest.mark.parametrize(
    "text,words",
    [
        ("clip,group\nc,s\n", "not a predictions table .missing: label, predicted, part"),
        ("clip,group,label,predicted,part\nc,s,a,a,test\n", "not a predictions table .missing: scores"),
        ("clip,group,label,predicted,part,p:a\n", "not a predictions table"),
        ("clip,group,label,predicted,part,p:a\nc,s,a,a,test,high\n", "not a predictions table"),
        ("clip,group,label,predicted,part,p:a\nc,s,b,a,test,1\n", "not a predictions table"),
        ("clip,group,label,predicted,part,p:a\nc,s,a,a,test,nan\n", "a score is not finite"),
        ("clip,group,label,predicted,part,p:a\nc,s,a,a,tset,1\n", "unknown part 'tset' .did you mean 'test'"),
        (
            "clip,group,label,predicted,part,p:a\nc,s,a,a,test,1\nc,s,a,a,test,1\n",
            "clip 'c' stands twice in part test",
        ),
        ("", "not a readable CSV table"),
    ],
)
def test_another_table_is_refused_in_one_line(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "p.csv").write_text(text)
    with pytest.raises(AudionasError, match=words) as error:
        Predictions.read(tmp_path / "p.csv")
    assert "\n" not in str(error.value)
    assert isinstance(error.value, RunError) or not text


def test_the_windows_of_a_clip_are_averaged_before_anything_is_decided() -> None:
    manifest = toy_manifest(6)
    clips = [replace(clip, clip=f"clip {i // 2}", label="even") for i, clip in enumerate(manifest.clips)]
    manifest = replace(manifest, clips=tuple(clips))
    scores = np.array([[0.6, 0.4], [0.1, 0.9], [0.5, 0.5]])
    found = average_windows(manifest, [2, 3, 5], scores)
    assert found.clips == ("clip 1", "clip 2")
    np.testing.assert_allclose(found.scores, [[0.35, 0.65], [0.5, 0.5]])
    assert found.groups == ("s1", "s2")
    assert found.truth.tolist() == [0, 0]


def test_a_row_is_scored_by_the_mean_probability_of_its_windows() -> None:
    block = np.array([0, 0, 2, 2, 4, 4], np.float32).reshape(1, 1, 6)
    features = [block, block[:, :, :2] + 1]
    tensors = ClipTensors(features, np.zeros(2, int), Normaliser.fit(features, [0], "none"), 2, "multi")
    assert tensors.windows(0) == [0, 1, 2, 3, 4]

    def forward(x: torch.Tensor) -> torch.Tensor:
        height = x.mean(dim=(1, 2, 3))
        return torch.stack([height, torch.zeros_like(height)], dim=1)

    for batch_size in (1, 2, 64):
        found = score_rows(forward, tensors, [1, 0], Classification(), batch_size=batch_size)
        first = np.mean([1 / (1 + np.exp(-height)) for height in (0, 1, 2, 3, 4)])
        np.testing.assert_allclose(found[:, 0], [1 / (1 + np.exp(-1)), first], rtol=1e-6)


def test_predictions_name_their_clips() -> None:
    features = [np.zeros((1, 1, 2), np.float32)] * 4
    tensors = ClipTensors(features, np.arange(4) % 2, Normaliser.fit(features, [0], "none"), 2, "centre")
    found = predict_clips(
        lambda x: torch.zeros(len(x), 2), tensors, toy_manifest(4), [3, 0], Classification(), part="dev"
    )
    assert (found.clips, found.groups, found.part) == (("clip 3", "clip 0"), ("s1", "s0"), "dev")
    assert found.truth.tolist() == [1, 0]
    assert found.scores.tolist() == [[0.5, 0.5], [0.5, 0.5]]
