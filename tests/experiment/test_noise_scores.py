"""Test noise: scored with the finished networks, resumable, beside the clean headline."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from sklearn.metrics import balanced_accuracy_score

from audionas.audio.folds import find_split
from audionas.audio.manifest import Manifest
from audionas.errors import AudioError, ManifestError, RunError, SettingsError
from audionas.experiment.bundle import bundle
from audionas.experiment.bundle_zip import unpack
from audionas.experiment.noise_scores import noise_lines, parse_snr
from audionas.experiment.prepare import PrepareOptions
from audionas.experiment.retrain import RetrainRequest, resume_retraining, retrain
from audionas.experiment.search import SearchRequest, search
from audionas.experiment.verify import verify
from audionas.training.predictions import Predictions

Retrain = Callable[..., Path]


@pytest.fixture
def noise_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "noise"
    folder.mkdir()
    soundfile.write(folder / "hiss.wav", np.random.default_rng(5).normal(scale=0.1, size=16000), 8000)
    return folder


@pytest.fixture
def retrained(tiny_corpus: Path, tiny_space: Path, tmp_path: Path, noise_folder: Path) -> Retrain:
    options = PrepareOptions(group_from="^(s[0-9])", folds="3")
    run = search(
        SearchRequest(tiny_corpus, str(tiny_space), epochs=1, threads=1, out=tmp_path / "run", preparation=options)
    )

    def again(**changes: Any) -> Path:
        fields = {"epochs": 2, "seeds": 2, "threads": 1, "test_noise": noise_folder, "snr_db": (60.0, -20.0)}
        return retrain(RetrainRequest((run,), **(fields | changes)))

    return again


def metrics_of(run: Path) -> dict[str, Any]:
    return dict(json.loads((run / "metrics.json").read_text()))


@pytest.mark.slow
def test_each_snr_has_a_row_beside_the_clean_headline(retrained: Retrain, tmp_path: Path) -> None:
    run = retrained(out=tmp_path / "noisy")
    metrics = metrics_of(run)
    found = metrics["robustness"]
    assert [row["snr_db"] for row in found["rows"]] == [60.0, -20.0]
    assert found["splits"] == metrics["headline"]["splits"] == ["1"]
    for row in found["rows"]:
        each = []
        for seed in (0, 1):
            table = Predictions.read(run / "split_1" / f"seed_{seed}" / f"predictions_snr_{row['snr_db']:g}.csv")
            each.append(balanced_accuracy_score(table.truth, table.scores.argmax(axis=1)))
        assert row["ua"] == pytest.approx(np.mean(each))
        assert row["ua_sd"] == pytest.approx(np.std(each, ddof=1))
        assert row["n_clips"] == 8
    assert len(noise_lines(metrics)) == 2
    plain = metrics_of(retrained(out=tmp_path / "plain", test_noise=None, snr_db=()))
    assert plain["headline"] == metrics["headline"], "noise changes nothing that is trained or scored without it"
    assert "robustness" not in plain
    steps = {
        name: json.loads((tmp_path / name / "run.json").read_text())["cost"]["steps"] for name in ("noisy", "plain")
    }
    noisy = steps["noisy"].pop("test noise")
    assert (noisy["forward"], noisy.get("backward", 0)) == (2 * 2 * 24, 0), "each of 24 clips, at 2 SNRs, with 2 seeds"
    assert [set(each) for each in steps.values()] == [{"retraining"}, {"retraining"}]
    assert len({(each["retraining"]["forward"], each["retraining"]["backward"]) for each in steps.values()}) == 1


@pytest.mark.slow
def test_scores_of_groups_and_with_noise_are_bundled_and_verified(retrained: Retrain, tmp_path: Path) -> None:
    run = retrained(out=tmp_path / "noisy", snr_db=(-2.5, 10.0))
    bundle(run, tmp_path / "a.zip")
    found = verify(tmp_path / "a.zip")
    assert ([str(each) for each in found.mismatches], found.notes) == ([], [])
    unpack(tmp_path / "a.zip", tmp_path / "bundle")
    metrics = tmp_path / "bundle" / "run" / "metrics.json"
    document = json.loads(metrics.read_text())
    document["robustness"]["rows"][0]["ua"] += 0.01
    document["per_group"][0]["wa"] += 0.01
    document["worst_group"]["ua"] += 0.01
    metrics.write_text(json.dumps(document))
    keys = {each.key for each in verify(tmp_path / "bundle").mismatches}
    assert keys == {"sha256", "robustness.rows[0].ua", "per_group[0].wa", "worst_group.ua"}
    table = tmp_path / "bundle" / "run" / "split_1" / "seed_0" / "predictions_snr_-2.5.csv"
    lines = table.read_text().splitlines()
    table.write_text("\n".join(lines[:-1]) + "\n")
    files = {each.file for each in verify(tmp_path / "bundle").mismatches if each.key == "test clips"}
    assert files == {"run/split_1/seed_0/predictions_snr_-2.5.csv"}


@pytest.mark.slow
def test_weak_noise_changes_scores_little_and_strong_noise_much(retrained: Retrain, tmp_path: Path) -> None:
    folder = retrained(out=tmp_path / "noisy", snr_db=(100.0, -20.0), seeds=1) / "split_1" / "seed_0"
    clean = Predictions.read(folder / "predictions.csv")
    weak, strong = (Predictions.read(folder / f"predictions_snr_{snr}.csv") for snr in (100, -20))
    assert weak.clips == strong.clips == clean.clips
    least, most = (np.abs(noisy.scores - clean.scores).max() for noisy in (weak, strong))
    assert least < 1e-4
    assert most > 20 * least


@pytest.mark.slow
def test_only_test_clips_are_mixed_with_noise(
    retrained: Retrain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from audionas.audio.noise import NoiseAtSnr

    mixed = []
    original = NoiseAtSnr.__call__
    monkeypatch.setattr(
        NoiseAtSnr,
        "__call__",
        lambda self, wave, rate, clip: (mixed.append(clip.path), original(self, wave, rate, clip))[1],
    )
    run = retrained(out=tmp_path / "noisy", snr_db=(10.0,), seeds=1)
    manifest = Manifest.read(run)
    assert len(mixed) == len(set(mixed)) == len(manifest), "each clip tests in one split and is mixed once"
    test = {manifest.clips[row].path for row in find_split(manifest, "1").test}
    assert set(mixed[:8]) == test


@pytest.mark.slow
def test_a_stopped_scoring_goes_on_and_changed_noise_is_refused(
    retrained: Retrain, tmp_path: Path, noise_folder: Path
) -> None:
    run = retrained(out=tmp_path / "noisy")
    before = (run / "metrics.json").read_text()
    kept = run / "split_2" / "seed_0" / "predictions_snr_60.csv"
    stamp = kept.stat().st_mtime_ns
    (run / "split_1" / "seed_1" / "predictions_snr_-20.csv").unlink()
    record = json.loads((run / "run.json").read_text()) | {"status": "interrupted"}
    (run / "run.json").write_text(json.dumps(record))
    (run / "metrics.json").unlink()
    resume_retraining(run)
    assert (run / "metrics.json").read_text() == before
    assert kept.stat().st_mtime_ns == stamp, "what is whole is not computed again"
    soundfile.write(noise_folder / "more.wav", np.random.default_rng(6).normal(scale=0.1, size=900), 8000)
    (run / "run.json").write_text(json.dumps(record))
    with pytest.raises(RunError, match="this noise has changed since the run began"):
        resume_retraining(run)


@pytest.mark.slow
def test_wrong_requests_are_refused_before_anything_is_trained(
    retrained: Retrain, tmp_path: Path, tiny_corpus: Path
) -> None:
    out = tmp_path / "never"
    with pytest.raises(SettingsError, match="--test-noise FOLDER and --snr 20,10,0 need each other"):
        retrained(out=out, snr_db=())
    with pytest.raises(SettingsError, match="need each other"):
        retrained(out=out, test_noise=None)
    with pytest.raises(ManifestError, match="is a clip of the corpus"):
        retrained(out=out, test_noise=tiny_corpus)
    with pytest.raises(AudioError, match="no such folder of noise"):
        retrained(out=out, test_noise=tmp_path / "nothing")
    assert not out.exists()


def test_snrs_are_read_as_numbers_in_db() -> None:
    assert parse_snr("20,10, 0,-0,-5.5"[:8]) == (20.0, 10.0, 0.0)
    assert parse_snr("-5.5") == (-5.5,)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a", "must be numbers in dB"),
        ("", "must be numbers in dB"),
        ("nan", "each must be from -100"),
        ("101", "each must be from -100"),
        ("5,5", "a number stands twice"),
        ("0,-0", "a number stands twice"),
    ],
)
def test_snrs_that_mean_nothing_are_refused(text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        parse_snr(text)
