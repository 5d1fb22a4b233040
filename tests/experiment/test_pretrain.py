"""`audionas pretrain`: who is left out, what it leaves, going on after a kill, and retraining from it."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from audionas.audio.folds import outer_splits
from audionas.audio.manifest import Manifest
from audionas.errors import AudionasError, GenotypeError, ManifestError, RunError, SettingsError
from audionas.experiment.checking import check_file
from audionas.experiment.prepare import PrepareOptions
from audionas.experiment.pretrain import PretrainRequest, pretrain, resume_pretraining
from audionas.experiment.retrain import RetrainRequest, retrain
from audionas.experiment.search import SearchRequest, search
from audionas.features.fop_weights import load_fop_weights, read_fop_facts
from audionas.models.baselines import named_baseline
from audionas.training.pretraining import PretrainingPlan
from tests.conftest import WriteTone
from tests.experiment.conftest import make_tiny_corpus

BY_SPEAKER = PrepareOptions(group_from="^(s[0-9])", folds="3")
SIZES = {"width": 4, "n_heads": 2, "inner": 3, "n_layers": 1}
PLAN = PretrainingPlan(epochs=1, batch_size=8)


class Told:
    """A `Talk` that remembers."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.warned: list[str] = []

    def say(self, line: str) -> None:
        self.said.append(line)

    def warn(self, line: str) -> None:
        self.warned.append(line)

    def progress(self, what: str, done: int, total: int) -> None:
        """Nothing."""


def _json(path: Path) -> Any:
    return json.loads(path.read_text())


def request(out: Path, *data: Path, tested: Path | None, **changes: Any) -> PretrainRequest:
    asked = PretrainRequest(
        data, PLAN, exclude_test_of=tested, sizes=SIZES, threads=1, out=out,
        preparation=BY_SPEAKER if tested else PrepareOptions(),
    )  # fmt: skip
    return replace(asked, **changes)


@pytest.fixture(scope="session")
def _made(tmp_path_factory: pytest.TempPathFactory, _searched_once: Path) -> Path:
    """A pre-training of one epoch on the tiny corpus, without the test speakers of its three folds."""
    folder = tmp_path_factory.mktemp("pretrained")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("AUDIONAS_CACHE", str(folder / "cache"))
        corpus = make_tiny_corpus(folder)
        pretrain(request(folder / "run", corpus, tested=corpus))
    return folder


@pytest.fixture
def made(_made: Path, tmp_path: Path) -> Path:
    """A copy of that run; the corpus lies beside the original."""
    shutil.copytree(_made / "run", tmp_path / "pre")
    return tmp_path / "pre"


@pytest.fixture
def corpus(_made: Path) -> Path:
    return _made / "corpus"


def _files(corpus: Path, speakers: set[str]) -> set[str]:
    paths = [path for path in corpus.rglob("*.wav") if path.name[:2] in speakers]
    return {hashlib.sha256(path.read_bytes()).hexdigest()[:12] for path in paths}


def test_each_split_has_learnt_from_all_files_but_those_of_its_test_speakers(made: Path, corpus: Path) -> None:
    manifest = Manifest.read(made)
    speakers = {f"s{k}" for k in range(6)}
    for split in outer_splits(manifest):
        folder = made / f"split_{split.name}"
        tested = {manifest.clips[row].group for row in split.test}
        assert len(tested) == 2
        provenance = _json(folder / "genotype.json")["provenance"]
        read = {digest for group in provenance["groups_read"] for digest in group["audio"]}
        assert read == _files(corpus, speakers - tested)
        facts = read_fop_facts(folder / "weights.safetensors")
        assert {digest for group in facts.groups_read for digest in group["audio"]} == read
        assert provenance["split_left_out"] == split.name
        assert facts.trained_on == "corpus: 16 clips, 0.00 h, 8 clips of tested groups of corpus left out"


def test_its_genotypes_name_their_weights_by_content(made: Path) -> None:
    for k in "123":
        folder = made / f"split_{k}"
        genotype = _json(folder / "genotype.json")
        assert (
            genotype["settings"]["pretrained"]
            == hashlib.sha256((folder / "weights.safetensors").read_bytes()).hexdigest()
        )
        assert check_file(folder / "genotype.json").errors == ()
        assert _json(folder / "run.json")["status"] == "done"
        assert not (folder / "checkpoint").exists()
        assert not (folder / "best.safetensors").exists()
    weights = [load_fop_weights(made / f"split_{k}" / "weights.safetensors") for k in "12"]
    assert not weights[0].mean.equal(weights[1].mean)


def test_features_are_those_that_the_corpus_would_have_without_it(made: Path, corpus: Path, tmp_path: Path) -> None:
    plain = retrain(RetrainRequest(
        (), corpus, epochs=1, seeds=1, threads=1, out=tmp_path / "plain", preparation=BY_SPEAKER,
        baseline=named_baseline("fop", {key: str(value) for key, value in SIZES.items()}),
    ))  # fmt: skip
    for k in "123":
        own, other = (_json(run / f"split_{k}" / "genotype.json")["provenance"] for run in (made, plain))
        assert own["features"] == other["features"]
        assert own["input_shape"] == other["input_shape"]


def test_a_speaker_is_found_under_other_names_by_content_and_elsewhere_by_name(
    corpus: Path, tmp_path: Path, write_tone: WriteTone
) -> None:
    copied, named = tmp_path / "copied", tmp_path / "named"
    copied.mkdir()
    for k, path in enumerate(sorted(corpus.rglob("s[01]*.wav"))):
        shutil.copy(path, copied / f"x{k}.wav")  # of two speakers, who are not known here
    for name in ("s0", "s9"):
        write_tone(named / f"{name}.wav", 0.5)
    (named / "manifest.csv").write_text("path,speaker\ns0.wav,s0\ns9.wav,s9\n")
    told = Told()
    out = pretrain(request(tmp_path / "pre", copied, named, tested=corpus), told)
    manifest = Manifest.read(out)
    for split in outer_splits(manifest):
        tested = {manifest.clips[row].group for row in split.test}
        n_read = (0 if "s0" in tested else 4 + 1) + (0 if "s1" in tested else 4) + 1  # s9 is nobody here
        provenance = _json(out / f"split_{split.name}" / "genotype.json")["provenance"]
        assert sum(len(group["audio"]) for group in provenance["groups_read"]) == n_read
    assert told.warned == ["speakers are not known in copied: a test speaker is found there by identical files only"]


def test_splits_that_leave_out_nothing_share_one_training(corpus: Path, tmp_path: Path, write_tone: WriteTone) -> None:
    for k in range(4):
        write_tone(tmp_path / "other" / f"{k}.wav", 0.5)
    out = pretrain(request(tmp_path / "pre", tmp_path / "other", tested=corpus))
    weights = {(out / f"split_{k}" / "weights.safetensors").read_bytes() for k in "123"}
    assert len(weights) == 1
    records = [_json(out / f"split_{k}" / "run.json") for k in "123"]
    assert [record["copied_from"] for record in records] == [None, "split_1", "split_1"]
    assert [_json(out / f"split_{k}" / "genotype.json")["provenance"]["split_left_out"] for k in "123"] == list("123")


def test_resuming_trains_what_is_left_and_ends_in_the_same_files(made: Path) -> None:
    before = {path: path.read_bytes() for path in made.rglob("*.safetensors")}
    for name in ("weights.safetensors", "genotype.json", "history.jsonl"):
        (made / "split_2" / name).unlink()
    for folder in (made, made / "split_2"):
        record = _json(folder / "run.json")
        (folder / "run.json").write_text(json.dumps(record | {"status": "running"}))
    stamp = (made / "split_1" / "weights.safetensors").stat().st_mtime_ns
    told = Told()
    assert resume_pretraining(made, told) == made
    assert {path: path.read_bytes() for path in made.rglob("*.safetensors")} == before
    assert (made / "split_1" / "weights.safetensors").stat().st_mtime_ns == stamp
    assert [line for line in told.said if line.startswith("split")] == ["split 2:"]
    resume_pretraining(made, told)
    assert told.said[-1].endswith("this pre-training is done already")


def test_a_retraining_takes_for_each_split_the_weights_that_left_it_out(
    made: Path, corpus: Path, tmp_path: Path
) -> None:
    out = retrain(RetrainRequest(
        (made,), corpus, epochs=1, seeds=1, threads=1, out=tmp_path / "out", preparation=BY_SPEAKER
    ))  # fmt: skip
    metrics = _json(out / "metrics.json")
    assert metrics["headline"]["splits"] == ["1", "2", "3"]
    assert not any(split["seen_by_search"] for split in metrics["splits"])
    for k in "123":
        kept = (out / f"split_{k}" / "pretrained.safetensors").read_bytes()
        assert kept == (made / f"split_{k}" / "weights.safetensors").read_bytes()
    assert _json(out / "run.json")["search_cost"]["steps"]["pre-training"]["forward"] > 0
    shutil.rmtree(made)  # the copy stands alone
    again = retrain(RetrainRequest(
        (out / "split_1" / "genotype.json",), corpus, epochs=1, seeds=1, threads=1, out=tmp_path / "again",
        preparation=BY_SPEAKER,
    ))  # fmt: skip
    seen = {split["name"]: split["seen_by_search"] for split in _json(again / "metrics.json")["splits"]}
    assert seen == {"1": False, "2": True, "3": True}


def test_without_a_tested_corpus_every_fold_is_marked(corpus: Path, tmp_path: Path) -> None:
    told = Told()
    asked = request(tmp_path / "pre", corpus, tested=None, include_test_speakers=True)
    out = pretrain(asked, told)
    assert told.warned[0].startswith("TEST SPEAKERS ARE INCLUDED: nothing is left out of this pre-training")
    assert _json(out / "run.json")["warnings"] == told.warned
    found = retrain(RetrainRequest(
        (out,), corpus, epochs=1, seeds=1, threads=1, out=tmp_path / "out", preparation=BY_SPEAKER
    ))  # fmt: skip
    metrics = _json(found / "metrics.json")
    assert metrics["headline"] is None
    assert all(split["seen_by_search"] for split in metrics["splits"])


def _changed(weights: Path) -> None:
    weights.write_bytes(weights.read_bytes()[:-1] + b"!")


@pytest.mark.parametrize(
    ("damage", "error", "text"),
    [
        (_changed, GenotypeError, "not the weights that genotype.json beside it names; run the pre-training anew"),
        (Path.unlink, GenotypeError, "names pre-trained weights, and no weights.safetensors is beside it"),
    ],
)
def test_other_weights_than_those_named_are_refused(
    made: Path, corpus: Path, tmp_path: Path, damage: Any, error: type[AudionasError], text: str
) -> None:
    damage(made / "split_2" / "weights.safetensors")
    with pytest.raises(error, match=text):
        retrain(RetrainRequest((made,), corpus, epochs=1, out=tmp_path / "out", preparation=BY_SPEAKER))


def test_other_features_than_those_learnt_on_are_refused(made: Path, corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_text("extractor: log_mel\nsample_rate_hz: 16000\nn_mels: 80\nhop_ms: 20\nfloor: 1e-8\n")
    with pytest.raises(SettingsError, match=r"pre-trained on features with hop_ms 10\.0, these have 20\.0"):
        retrain(RetrainRequest(
            (made,), corpus, str(tmp_path / "f.yaml"), epochs=1, out=tmp_path / "out", preparation=BY_SPEAKER
        ))  # fmt: skip


def test_weights_are_not_given_by_name(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--set pretrained: weights are not given by name"):
        retrain(RetrainRequest(
            (), corpus, epochs=1, out=tmp_path / "out", preparation=BY_SPEAKER,
            baseline=named_baseline("fop", {"pretrained": "a" * 64}),
        ))  # fmt: skip


def test_an_unfinished_pretraining_is_not_retrained(made: Path, corpus: Path) -> None:
    record = _json(made / "run.json")
    (made / "run.json").write_text(json.dumps(record | {"status": "interrupted"}))
    with pytest.raises(
        RunError, match=r"this pre-training is not finished \(interrupted\); audionas pretrain --resume"
    ):
        retrain(RetrainRequest((made,), corpus, preparation=BY_SPEAKER))


def test_a_nested_search_on_its_frames_takes_each_split_s_own_weights(
    made: Path, corpus: Path, tiny_space: Path, tmp_path: Path
) -> None:
    told = Told()
    run = search(SearchRequest(
        corpus, str(tiny_space), features=f"fop:{made}", epochs=1, threads=1, nested=True, out=tmp_path / "run",
        preparation=BY_SPEAKER,
    ), told)  # fmt: skip
    assert not [line for line in told.warned if "encoder" in line]
    for k in "123":
        features = _json(run / f"split_{k}" / "genotype.json")["provenance"]["features"]
        assert features["checkpoint"] == str(made / f"split_{k}" / "weights.safetensors")
        assert features["trained_on"].startswith("corpus: 16 clips")
    out = retrain(RetrainRequest((run,), corpus, epochs=1, seeds=1, threads=1, preparation=BY_SPEAKER))
    assert not any(split["seen_by_search"] for split in _json(out / "metrics.json")["splits"])


def test_a_search_on_frames_that_met_the_test_speakers_is_warned_of_and_marked(
    made: Path, corpus: Path, tiny_space: Path, tmp_path: Path
) -> None:
    told = Told()
    run = search(SearchRequest(
        corpus, str(tiny_space), features=f"fop:{made / 'split_2'}", epochs=1, threads=1, exclude_fold="1",
        out=tmp_path / "run", preparation=BY_SPEAKER,
    ), told)  # fmt: skip
    warning = "the encoder of these features was pre-trained on clips of 2 test groups of split 1"
    assert [line for line in told.warned if line.startswith(warning)]
    assert any(line.startswith(warning) for line in _json(run / "run.json")["warnings"])
    out = retrain(RetrainRequest((run,), corpus, epochs=1, seeds=1, threads=1, preparation=BY_SPEAKER))
    # fold 1 was left out by the search but not by the pre-training, fold 2 the other way round
    assert all(split["seen_by_search"] for split in _json(out / "metrics.json")["splits"])


def test_a_retraining_on_frames_that_met_the_test_speakers_is_marked(made: Path, corpus: Path, tmp_path: Path) -> None:
    def seen(place: Path, name: str) -> dict[str, bool]:
        out = retrain(RetrainRequest(
            (), corpus, f"fop:{place}@h1", epochs=1, seeds=1, threads=1, out=tmp_path / name, preparation=BY_SPEAKER,
            baseline=named_baseline("plain_cnn", {"channels": "[2]"}),
        ))  # fmt: skip
        return {split["name"]: split["seen_by_search"] for split in _json(out / "metrics.json")["splits"]}

    assert seen(made / "split_2", "one") == {"1": True, "2": False, "3": True}
    assert seen(made, "each") == {"1": False, "2": False, "3": False}


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"data": ()}, "nothing to learn from: name folders of audio"),
        ({"include_test_speakers": True}, "--include-test-speakers and --exclude-test-of contradict each other"),
        ({"exclude_test_of": None}, "--folds, --group, --label and their like say how --exclude-test-of is divided"),
        ({"plan": replace(PLAN, loss="l2")}, "--loss: got 'l2'; accepted: mse, l1"),
        ({"plan": replace(PLAN, epochs=0)}, "--epochs: got 0, must be 1 or more"),
        ({"plan": replace(PLAN, patience=0)}, "--patience: got 0, must be 1 or more"),
        ({"plan": replace(PLAN, learning_rate=0.0)}, "--learning-rate: got 0, must be above 0"),
        ({"sizes": {"widht": 8}}, "--set: unknown key 'widht' .did you mean 'width'"),
        ({"sizes": {"width": 9}}, "--set: width 9 must be a multiple of n_heads 4"),
    ],
)
def test_requests_that_cannot_be_done_are_one_line(
    corpus: Path, tmp_path: Path, changes: dict[str, Any], text: str
) -> None:
    asked = replace(request(tmp_path / "pre", corpus, tested=corpus), **changes)
    with pytest.raises(AudionasError, match=text):
        pretrain(asked)
    assert not (tmp_path / "pre").exists()


def test_data_named_twice_or_of_tested_speakers_alone_are_refused(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="data are named twice; name each folder once"):
        pretrain(request(tmp_path / "pre", corpus, corpus, tested=corpus))
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(next(corpus.rglob("s0*.wav")), alone / "a.wav")
    with pytest.raises(ManifestError, match="every clip of the data is of a group that is tested"):
        pretrain(request(tmp_path / "pre", alone, tested=corpus))
