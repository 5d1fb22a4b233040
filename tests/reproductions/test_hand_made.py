"""`audionas reproduce` of hand-made systems: each variant by the paper's rules, resumable, theirs beside ours."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from audionas.errors import ManifestError, RunError, SettingsError
from audionas.experiment.chosen_on_test import MARK
from audionas.models.baselines import BASELINES, baseline_settings
from audionas.records import read_json
from audionas.report import write_report
from audionas.reproductions import emotionnas, hand_made
from audionas.reproductions.hand_made import reproduce, resume_reproduction
from audionas.reproductions.hand_made_papers import PAPERS, HandMadePaper, Variant
from audionas.reproductions.hand_made_plan import HandMadeRequest, make_plan
from audionas.spaces import BaselineGenotype
from tests.reproductions.conftest import write_noise

SMALL = {"channels": (2,)}
TOY = HandMadePaper(
    "Toy", "Nobody 2000", "iemocap", "leave_one_group_out", "folds",
    {"wide": Variant("plain_cnn", {"channels": (3,)}, wa=71.35, ua=67.5), "narrow": Variant("plain_cnn", SMALL)},
)  # fmt: skip


@pytest.fixture(autouse=True)
def _toy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PAPERS, "toy", TOY)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Six speakers, two labels, two clips each of noise."""
    lines = ["path,label,speaker"]
    for speaker in range(6):
        for label in ("low", "high"):
            for take in range(2):
                name = f"{label}/s{speaker}_{take}.wav"
                write_noise(tmp_path / "corpus" / name)
                lines.append(f"{name},{label},s{speaker}")
    (tmp_path / "corpus" / "manifest.csv").write_text("\n".join(lines) + "\n")
    return tmp_path / "corpus"


def test_the_plan_has_the_papers_protocol_and_epochs() -> None:
    plan = make_plan(HandMadeRequest("toy"))
    assert (plan.protocol, plan.epochs["wide"], plan.seeds) == ("leave_one_group_out", BASELINES["plain_cnn"].epochs, 3)
    assert make_plan(HandMadeRequest("toy", corpus="emodb")).protocol == "folds"
    assert make_plan(HandMadeRequest("toy", epochs=7)).epochs == {"wide": 7, "narrow": 7}


def test_the_papers_stand_there_with_their_own_figures_and_protocols() -> None:
    # Li 2018, table 1; Li 2019, table 2 (FACTS 1.2 and 1.3), in percent WA and UA
    attention, blstm = PAPERS["attention-pooling"], PAPERS["cnn-blstm"]
    assert {name: (each.wa, each.ua) for name, each in attention.variants.items()} == {
        "attention": (71.75, 68.06), "gap": (71.35, 67.54), "bilinear": (69.17, 64.16),
    }  # fmt: skip
    assert (attention.dataset, attention.protocol) == ("iemocap", "leave_one_group_out")
    on_test = {name: (each.wa, each.ua) for name, each in blstm.variants.items() if each.select == "best_on_test"}
    assert on_test == {
        "full_on_test": (81.6, 82.8), "without_attention_on_test": (55.3, 51.1),
        "without_multitask_on_test": (70.5, 72.6),
    }  # fmt: skip
    assert all(each.wa is None for each in blstm.variants.values() if each.select != "best_on_test")
    assert (blstm.dataset, blstm.protocol) == ("iemocap_all", "folds")
    # Sun et al. 2022 (EmotionNAS), table 1 (FACTS 1.1)
    cited = {name: each.ua for paper in PAPERS.values() for name, each in paper.variants.items() if each.wa is None}
    assert {"cnn_lstm": 62.0, "rnn_elm": 63.9, "cnn_gru": 64.2, "ctc_rnn": 66.2, "pcnse_sadrn_ctc": 66.3}.items() <= (
        cited.items()
    )
    # Lian 2019, table 1 (FACTS 1.4), in percent WA: none, and all of IEMOCAP
    fop = PAPERS["fop"].variants
    assert {each.pretraining: each.wa for each in fop.values()} == {
        "": 65.45, "without_test_speakers": None, "with_test_speakers": 68.14,
    }  # fmt: skip
    for paper in PAPERS.values():
        for each in paper.variants.values():
            baseline_settings(BaselineGenotype.of(each.baseline, each.settings))


@pytest.mark.parametrize(
    "request_,words",
    [
        (HandMadeRequest("to"), "unknown paper 'to'"),
        (HandMadeRequest("toy", corpus="iemocp"), "--corpus: unknown corpus 'iemocp'"),
        (HandMadeRequest("toy", seeds=0), "--seeds: got 0, must be 1 or more"),
        (HandMadeRequest("toy", epochs=0), "--epochs: got 0, must be 1 or more"),
        (HandMadeRequest("toy"), "name the corpus: --data FOLDER"),
    ],
)
def test_a_wrong_request_is_one_line(request_: HandMadeRequest, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        reproduce(request_)


def test_every_variant_is_trained_and_goes_on_after_a_stop(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = HandMadeRequest("toy", corpus, "emodb", smoke=True, out=tmp_path / "run", threads=1)
    with monkeypatch.context() as patched:
        patched.setattr(hand_made, "write_tables", _stop)
        with pytest.raises(KeyboardInterrupt):
            reproduce(request)
    stamps = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("result.json")}
    run = resume_reproduction("toy", tmp_path / "run")
    assert len(stamps) == 2 * 5
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in stamps.items())
    record = read_json(run / "tables.json", "tables")
    first = dict(zip(record["tables"][0]["columns"], record["tables"][0]["rows"][0], strict=True))
    assert (first["system"], first["paper's WA, % (IEMOCAP)"], first["paper's UA, % (IEMOCAP)"]) == (
        "wide", "71.35", "67.5",
    )  # fmt: skip
    assert first["parameters"] == (3 * 9 + 6) + (3 * 2 + 2)
    assert record["tables"][1]["rows"][0][0] == "wide - narrow"
    assert "a miniature: its scores say nothing" in record["notes"]
    page = write_report(run).read_text()
    assert "A miniature, whose scores say nothing: wide reaches UA" in page


@pytest.mark.slow
def test_a_variant_whose_epoch_was_chosen_on_test_is_marked_and_not_tested_against_clean_ones(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    variants = {"clean": Variant("plain_cnn", SMALL), "on_test": Variant("plain_cnn", SMALL, select="best_on_test")}
    monkeypatch.setitem(PAPERS, "toy", replace(TOY, variants=variants))
    run = reproduce(HandMadeRequest("toy", corpus, "emodb", smoke=True, out=tmp_path / "run", threads=1))
    record = read_json(run / "tables.json", "tables")
    assert [row[0] for row in record["tables"][0]["rows"][:2]] == ["clean", f"on_test ({MARK})"]
    assert len(record["tables"]) == 1, "no table of differences"
    assert read_json(run / "on_test" / "metrics.json", "metrics file")["optimistic"] == MARK
    assert "optimistic" not in read_json(run / "clean" / "metrics.json", "metrics file")


@pytest.mark.slow
def test_pretraining_leaves_test_speakers_out_unless_the_row_says_so(corpus: Path, tmp_path: Path) -> None:
    run = reproduce(HandMadeRequest("fop", corpus, "emodb", smoke=True, out=tmp_path / "run", threads=1))
    clean = read_json(run / "pretrained" / "metrics.json", "metrics file")
    heard = read_json(run / "pretrained_with_test_speakers" / "metrics.json", "metrics file")
    assert not any(split["seen_by_search"] for split in clean["splits"])
    assert all(split["seen_by_search"] for split in heard["splits"])
    assert heard["headline"] is None
    record = read_json(run / "tables.json", "tables")
    names = [row[0] for row in record["tables"][0]["rows"]]
    assert names[:2] == ["no_pretraining", "pretrained"]
    assert names[2].startswith("pretrained_with_test_speakers (OPTIMISTIC")
    assert [row[0] for row in record["tables"][1]["rows"]] == ["no_pretraining - pretrained"]
    assert record["tables"][2]["title"].startswith("Hypercolumns: WA")
    assert {row[0] for row in record["tables"][2]["rows"]} == {"F", "h1", "h2", "h_add", "h_concat"}


def test_a_folder_of_another_paper_is_refused(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hand_made, "retrain", _stop)
    with pytest.raises(KeyboardInterrupt):
        reproduce(HandMadeRequest("toy", corpus, smoke=True, out=tmp_path / "run"))
    words = re.escape(f"reproduces toy; audionas reproduce toy --resume {tmp_path / 'run'}")
    with pytest.raises(RunError, match=words):
        emotionnas.resume_reproduction(tmp_path / "run")
    with pytest.raises(RunError, match=words):
        resume_reproduction("other", tmp_path / "run")


def test_a_corpus_without_speakers_is_refused_and_nothing_is_left(
    tmp_path: Path, tiny_corpus_without_speakers: Path
) -> None:
    with pytest.raises(ManifestError, match="the speakers are not known; the paper's protocol needs them"):
        reproduce(HandMadeRequest("toy", tiny_corpus_without_speakers, smoke=True, out=tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def _stop(*_: object, **__: object) -> None:
    raise KeyboardInterrupt
