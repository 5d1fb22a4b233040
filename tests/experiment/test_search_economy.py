"""`audionas search --recompute` and `--precision`: the same search with less memory, a close one in bfloat16."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from audionas.errors import SettingsError
from audionas.experiment.prepare import PrepareOptions
from audionas.experiment.search import SearchRequest, resume, search
from audionas.records import read_json, read_jsonl
from audionas.search.epoch_log import EpochLog
from tests.experiment.conftest import make_tiny_corpus, make_tiny_space

ONE_SHOT = "batch_size: 5\nparts: {weights: 0.5, alphas: 0.5}\nbudget: {epochs: 2}\n"
ALGORITHMS = ("darts", "darts_second_order", "gumbel_darts", "enas")
Places = tuple[Path, Path, Path]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    folder = tmp_path_factory.mktemp("economy")
    for algorithm in ALGORITHMS:
        (folder / f"{algorithm}.yaml").write_text(f"algorithm: {algorithm}\nsettings: {{}}\n{ONE_SHOT}")
    return folder, make_tiny_corpus(folder), make_tiny_space(folder)


def request(places: Places, out: str, strategy: str = "darts", **options: Any) -> SearchRequest:
    folder, corpus, space = places
    name = str(folder / f"{strategy}.yaml") if strategy in ALGORITHMS else strategy
    preparation = PrepareOptions(group_from="^(s[0-9])", folds="3")
    return SearchRequest(
        corpus, str(space), name, threads=1, out=folder / out, preparation=preparation, **options
    )  # fmt: skip


def epochs(run: Path) -> list[dict[str, Any]]:
    return [
        {key: value for key, value in line.items() if key != "seconds"} for line in read_jsonl(run / "epochs.jsonl")
    ]


@pytest.mark.parametrize("strategy", ALGORITHMS)
def test_what_is_computed_again_changes_nothing(places: Places, strategy: str) -> None:
    plain = search(request(places, f"{strategy}-plain", strategy))
    spared = search(request(places, f"{strategy}-spared", strategy, recomputes=True))
    assert epochs(spared) == epochs(plain)
    assert read_json(spared / "run.json", "run")["recompute"] is True
    assert "recompute" not in read_json(plain / "run.json", "run")
    costs = [read_json(run / "run.json", "run")["cost"]["clip_passes"] for run in (plain, spared)]
    assert costs[0] == costs[1]  # the budget is what was searched, not how


def test_a_search_in_bfloat16_is_close_and_a_resumed_one_the_same(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = epochs(search(request(places, "exact")))
    run = search(request(places, "rounded", precision="bf16"))
    found = epochs(run)
    assert read_json(run / "run.json", "run")["precision"] == "bf16"
    assert found != exact
    for one, other in zip(found, exact, strict=True):
        assert one["weights_loss"] == pytest.approx(other["weights_loss"], abs=0.03)
        assert one["alphas_loss"] == pytest.approx(other["alphas_loss"], abs=0.03)

    def stop(_: EpochLog, trainer: Any, *__: Any) -> None:
        if trainer.current_epoch == 1:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(EpochLog, "on_train_epoch_start", stop)
        with pytest.raises(KeyboardInterrupt):
            search(request(places, "stopped", precision="bf16"))
    assert epochs(resume(places[0] / "stopped")) == found


@pytest.mark.parametrize(
    ("strategy", "options", "words"),
    [
        ("darts", {"precision": "16"}, "--precision 16: is for GPUs; on the CPU use 32, or bf16"),
        ("darts", {"precision": "fp8"}, "--precision: got 'fp8'; accepted: 32, 16, bf16"),
        ("random", {"recomputes": True}, "--recompute: is for one-shot strategies; random trains one network"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    places: Places, strategy: str, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(SettingsError, match=words):
        search(request(places, "refused", strategy, **options))
    assert not (places[0] / "refused").exists()


def test_a_supernet_does_not_take_float16(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audionas.experiment.search_checks.checked_precision", lambda *_: "16")
    with pytest.raises(SettingsError, match="--precision 16: a supernet takes 32 or bf16"):
        search(request(places, "refused", precision="16"))


def test_a_wrong_variable_is_refused_before_anything_is_written(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDIONAS_GRAPHS", "no")
    with pytest.raises(SettingsError, match="AUDIONAS_GRAPHS: got 'no'; accepted: on, off"):
        search(request(places, "refused"))
    assert not (places[0] / "refused").exists()
