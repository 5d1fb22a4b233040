"""A whole reproduction in miniature: on the paper's protocol, in the layout of IEMOCAP, stopped and resumed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from audionas.errors import ManifestError, RunError, SettingsError
from audionas.records import read_json, read_jsonl
from audionas.reproductions import emotionnas
from audionas.reproductions.emotionnas import reproduce, resume_reproduction
from audionas.reproductions.emotionnas_plan import ReproduceRequest, make_plan
from audionas.spaces.genotype_file import load_genotype
from audionas.training.predictions import read_predictions
from tests.datasets.iemocap_fixture import lay_out, noise_turns
from tests.reproductions.conftest import write_noise


def test_the_plan_for_iemocap_has_the_papers_settings() -> None:
    # Sun et al. 2022, section 3 (FACTS 1.1)
    plan = make_plan(ReproduceRequest())
    assert (plan.protocol, plan.select, plan.space, plan.strategy) == (
        "speaker_pairs", "best", "darts_cnn", "darts_emotionnas",
    )  # fmt: skip
    assert (plan.n_layers, plan.hidden, plan.frame_epochs, plan.spectrogram_epochs) == (2, 256, (50,), 50)


def test_emodb_has_the_same_protocol_at_the_size_of_its_corpus() -> None:
    plan = make_plan(ReproduceRequest(corpus="emodb"))
    assert (plan.protocol, plan.select, plan.trials) == ("speaker_pairs", "best", 20)
    assert (plan.space, plan.n_layers, plan.hidden) == ("darts_cnn_small", 1, 128)


@pytest.mark.parametrize(
    "request_,words",
    [
        (ReproduceRequest(corpus="iemocp"), "--corpus: unknown corpus 'iemocp'"),
        (ReproduceRequest(trials=0), "--trials: got 0, must be 1 or more"),
        (ReproduceRequest(seeds=0), "--seeds: got 0, must be 1 or more"),
        (ReproduceRequest(spectrogram_epochs=0), "--spectrogram-epochs: got 0, must be 1 or more"),
        (ReproduceRequest(workers=-1), "--workers: got -1, must be 1 or more"),
    ],
)
def test_a_wrong_request_is_one_line(request_: ReproduceRequest, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        make_plan(request_)


def test_without_a_corpus_only_the_miniature_runs(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="name the corpus: --data FOLDER"):
        reproduce(ReproduceRequest(out=tmp_path / "run"))
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("_smallest_spaces", "nothing_fitted_twice")
def test_the_paper_runs_on_its_protocol_and_goes_on_where_it_was_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = tmp_path / "IEMOCAP_full_release"
    lay_out(release, noise_turns(per_class=1))
    coarse = tmp_path / "coarse.yaml"
    coarse.write_text("extractor: log_mel\nn_mels: 8\nframes: 8\n")
    request = ReproduceRequest(
        data=release, smoke=True, protocol="speaker_pairs:F", frames=("log_mel_frames", str(coarse)), hidden=4,
        trials=1, out=tmp_path / "run",
    )  # fmt: skip
    calls = []

    def stop(*_: object, **__: object) -> None:
        calls.append("fuse")
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(emotionnas, "fuse", stop)
        with pytest.raises(KeyboardInterrupt):
            reproduce(request)
    assert calls == ["fuse"]
    stamps = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("result.json")}
    run = resume_reproduction(tmp_path / "run")
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in stamps.items()), "nothing was trained again"

    tables = read_json(run / "tables.json", "tables")
    assert [table["title"].split(":")[0] for table in tables["tables"][:4]] == [f"Table {n}" for n in range(1, 5)]
    assert any("a miniature" in note for note in tables["notes"])
    assert set(tables["scores"]) == {f"{s}, {p}" for s in ("spectrogram", "frames") for p in ("masked", "unmasked")}
    for session in range(1, 6):
        for stream in ("spectrogram", "frames"):
            parts = read_predictions(run / stream / "masked" / f"split_{session}F" / "seed_0" / "predictions.csv")
            assert set(parts["test"].groups) == {f"{session}F"}
            assert set(parts["validation"].groups) == {f"{session}M"}
            trained = set(parts["train"].groups)
            assert len(trained) == 8
            assert trained == set(parts["inner_oof"].groups)
            assert not trained & {f"{session}F", f"{session}M"}
    _assert_each_split_took_the_frames_of_the_lower_loss(run)
    assert "| EmotionNAS (paper) | 72.8 | - | - | - |" in (run / "tables.md").read_text()
    with pytest.raises(RunError, match="holds another run"):
        reproduce(request)


def _assert_each_split_took_the_frames_of_the_lower_loss(run: Path) -> None:
    for record in read_json(run / "frames" / "choice.json", "choice")["splits"]:
        found = {}
        for search in ("search_1", "search_2"):
            lines = read_jsonl(run / "frames" / search / f"split_{record['split']}" / "trials.jsonl")
            found[search] = min(line["score"]["loss"] for line in lines if line["event"] == "finished")
        assert record["chosen"] == min(found, key=lambda name: found[name])
        taken = load_genotype(run / "frames" / record["chosen"] / f"split_{record['split']}" / "genotype.json")
        retrained = load_genotype(run / "frames" / "masked" / f"split_{record['split']}" / "genotype.json")
        assert retrained.hash == taken.hash


def test_a_corpus_without_speakers_is_refused(tmp_path: Path, tiny_corpus_without_speakers: Path) -> None:
    request = ReproduceRequest(data=tiny_corpus_without_speakers, smoke=True, out=tmp_path / "run")
    with pytest.raises(ManifestError, match="the speakers are not known; the paper's protocol needs them"):
        reproduce(request)


@pytest.mark.parametrize(
    "changes,words",
    [
        ({"frames": ("log_mel_frames", "wav2vec:no.pt")}, "no.pt: no such wav2vec checkpoint"),
        ({"frames": ("nosuch",)}, "unknown features 'nosuch'"),
        ({"space": "nas_bench_nlp_rnn"}, "algorithm 'darts' cannot search space 'nas_bench_nlp_rnn'"),
        ({"strategy": "nosuch"}, "unknown strategy 'nosuch'"),
    ],
)
def test_what_cannot_be_used_is_refused_before_the_first_step(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    request = ReproduceRequest(smoke=True, out=tmp_path / "run", **changes)
    with pytest.raises(SettingsError, match=words):
        reproduce(request)
    assert not (tmp_path / "run").exists()


def test_emodb_is_taken_with_its_four_iemocap_classes_only(tmp_path: Path) -> None:
    corpus = tmp_path / "wav"
    for name in ("03a01Wa", "08a01La", "10a01Wa", "09a01La"):  # anger and boredom, two folds
        write_noise(corpus / f"{name}.wav")
    request = ReproduceRequest(data=corpus, corpus="emodb", out=tmp_path / "run")
    with pytest.raises(ManifestError, match="labels anger, boredom; --corpus emodb takes anger, happiness, neutral"):
        reproduce(request)
    assert not (tmp_path / "run").exists()
