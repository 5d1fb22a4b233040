"""A ranking: planted scores give known taus, no test clip is read, a killed one goes on, wrong runs are refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from audionas.audio.folds import find_split
from audionas.audio.manifest import Manifest
from audionas.errors import RunError, SettingsError
from audionas.experiment import ranked_genotypes as module
from audionas.experiment.prepare import PrepareOptions
from audionas.experiment.rank import RankRequest, rank, resume_ranking
from audionas.experiment.ranked_genotypes import distinct_genotypes, open_ranked_search
from audionas.experiment.search import SearchRequest, search
from audionas.experiment.talk import Silent
from audionas.experiment.verify import verify
from audionas.records import write_json
from audionas.search.evaluator import Score
from audionas.search.supernet_ranking import supernet_score
from audionas.spaces import load_search_space
from audionas.spaces.cnn_cell import CnnCellSpace
from audionas.spaces.genotype_file import read_genotype_file
from audionas.training.fit import NonFiniteLossError
from tests.experiment.conftest import make_tiny_corpus, make_tiny_space

Plant = Callable[[Sequence[float], Sequence[float], Sequence[float]], None]


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A finished one-shot search of two epochs."""
    folder = tmp_path_factory.mktemp("searched")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUDIONAS_CACHE", str(folder / "cache"))
        yield search(SearchRequest(
            data=make_tiny_corpus(folder), space=str(make_tiny_space(folder)), epochs=2, threads=1, out=folder / "run",
            preparation=PrepareOptions(group_from="^(s[0-9])", folds="3"),
        ))  # fmt: skip


@pytest.fixture
def run(searched: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(searched, tmp_path / "run"))


def _json(path: Path) -> Any:
    return json.loads(path.read_text())


def _lines(folder: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (folder / "genotypes.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


@pytest.fixture
def plant(monkeypatch: pytest.MonkeyPatch) -> Plant:
    """Puts made-up scores, in the order of the genotypes, in place of the supernet's and of the trainings'."""

    def make(supernet: Sequence[float], first: Sequence[float], second: Sequence[float]) -> None:
        scores, trained = iter(supernet), iter([score for pair in zip(first, second, strict=True) for score in pair])

        def evaluate(*_: Any, **__: Any) -> Score:
            ua = next(trained)
            if np.isnan(ua):
                raise NonFiniteLossError("epoch 0: the training loss is nan")
            return Score(ua, ua, 1.0, 1.0, 100, 0.1)

        monkeypatch.setattr(module, "supernet_score", lambda *_: next(scores))
        monkeypatch.setattr(module.TrainingEvaluator, "evaluate", evaluate)

    return make


def test_a_supernet_that_ranks_as_retraining_does_has_tau_one(run: Path, plant: Plant) -> None:
    scores = np.linspace(0.2, 0.9, 30).tolist()
    plant(scores, scores, scores)
    found = _json(rank(RankRequest(run)) / "ranking.json")
    assert found["supernet"] == {"tau": 1.0, "interval": [1.0, 1.0], "n": 30}
    assert found["ceiling"]["tau"] == 1.0
    assert found["ratio"] == 1.0
    assert found["warning"] is None
    assert "better than chance" in found["conclusion"]


def test_a_supernet_whose_agreeing_and_contrary_pairs_are_equal_has_tau_zero(run: Path, plant: Plant) -> None:
    plant([1, 2, 3, 4], [2, 4, 1, 3], [2, 4, 1, 3])  # of the six pairs, three agree and three do not
    found = _json(rank(RankRequest(run, genotypes=4)) / "ranking.json")
    assert found["supernet"]["tau"] == pytest.approx(0.0)
    assert found["ratio"] == pytest.approx(0.0)
    assert found["ceiling"]["tau"] == 1.0
    assert "fewer than the 30 of a claim" in found["warning"]
    assert "not shown to rank genotypes better than chance" in found["conclusion"]


def test_the_supernets_tau_is_a_share_of_the_noise_ceiling(run: Path, plant: Plant) -> None:
    supernet, first, second = [1, 2, 3, 4], [1, 2, 4, 3], [1, 3, 2, 4]
    plant(supernet, first, second)  # by hand: 4/6 against either seed, 2/6 between the seeds
    found = _json(rank(RankRequest(run, genotypes=4)) / "ranking.json")
    assert found["supernet"]["tau"] == pytest.approx(4 / 6)
    assert found["ceiling"]["tau"] == pytest.approx(2 / 6)
    assert found["ratio"] == pytest.approx(2.0)


def test_a_ranking_verifies_and_a_figure_changed_in_it_is_found(run: Path, plant: Plant) -> None:
    plant([1, 2, 3, 4], [2, 4, 1, 3], [2, 4, 3, 1])
    folder = rank(RankRequest(run, genotypes=4))
    honest = verify(folder)
    assert (honest.mismatches, honest.notes) == ([], [])
    result = _json(folder / "ranking.json")
    write_json(folder / "ranking.json", result | {"ratio": 0.9})
    assert [each.key for each in verify(folder).mismatches] == ["ratio"]


def test_genotypes_whose_training_diverges_are_counted_and_left_out(run: Path, plant: Plant) -> None:
    plant([1, 2, 9, 3], [1, 2, float("nan"), 3], [1, 2, 3, 3])
    folder = rank(RankRequest(run, genotypes=4))
    found = _json(folder / "ranking.json")
    assert (found["n_genotypes"], found["n_failed"]) == (3, 1)
    assert "the training loss is nan" in _lines(folder)[2]["retrained"][0]["failed"]


def test_the_supernet_is_that_of_the_searchs_last_epoch(run: Path) -> None:
    searched = open_ranked_search(run, "cpu", Silent())
    last = [json.loads(line) for line in (run / "epochs.jsonl").read_text().splitlines()][-1]
    assert searched.supernet.alphas_normal.tolist() == last["alphas"]["normal"]
    genotype = read_genotype_file(run / "genotype.json").genotype
    found = supernet_score(searched.supernet, genotype, searched.as_searched, searched.part, 0)  # type: ignore[arg-type]
    assert found == pytest.approx(last["network_ua"]), "all clips of the part are one batch, so their order is nothing"


def test_sub_networks_are_scored_without_changing_the_supernet(run: Path) -> None:
    searched = open_ranked_search(run, "cpu", Silent())
    before = {name: value.clone() for name, value in searched.supernet.state_dict().items()}
    for genotype in distinct_genotypes(searched.space, 3, 0):
        supernet_score(searched.supernet, genotype, searched.as_searched, searched.part, 0)
    assert all(torch.equal(before[name], value) for name, value in searched.supernet.state_dict().items())


def test_no_clip_of_the_split_left_out_is_read(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from audionas.search import evaluator, supernet_ranking
    from audionas.training import batches

    scored: list[set[int]] = []
    statistics: list[set[int]] = []
    trained: list[set[int]] = []
    fit, init, predict = batches.Normaliser.fit, batches.EpochBatches.__init__, evaluator.predict_clips

    def spy_fit(features: Any, rows: Any, *more: Any) -> Any:
        statistics.append(set(rows))
        return fit(features, rows, *more)

    def spy_batches(self: Any, tensors: Any, rows: Any, *more: Any, **words: Any) -> None:
        trained.append(set(rows))
        init(self, tensors, rows, *more, **words)

    def spy_predict(forward: Any, tensors: Any, manifest: Any, rows: Any, *more: Any, **words: Any) -> Any:
        scored.append(set(rows))
        return predict(forward, tensors, manifest, rows, *more, **words)

    monkeypatch.setattr(batches.Normaliser, "fit", staticmethod(spy_fit))
    monkeypatch.setattr(batches.EpochBatches, "__init__", spy_batches)
    monkeypatch.setattr(evaluator, "predict_clips", spy_predict)
    monkeypatch.setattr(supernet_ranking, "predict_clips", spy_predict)
    rank(RankRequest(run, genotypes=2, epochs=1))
    test = set(find_split(Manifest.read(run), "1").test)
    assert len(scored) == 6
    assert len(trained) == 4
    assert all(rows == scored[0] for rows in scored), "both ways are scored on the same clips"
    assert not test & set().union(*scored, *trained, *statistics)
    assert not scored[0] & set().union(*trained)
    assert any(rows == trained[0] for rows in statistics), "alone, statistics come from the clips that train"


def test_genotypes_are_distinct_and_drawn_by_the_seed(tiny_space: Path) -> None:
    space = load_search_space(tiny_space)
    assert isinstance(space, CnnCellSpace)
    first = [genotype.hash for genotype in distinct_genotypes(space, 20, 0)]
    assert len(set(first)) == 20
    assert first[:5] == [genotype.hash for genotype in distinct_genotypes(space, 5, 0)]
    assert first != [genotype.hash for genotype in distinct_genotypes(space, 20, 1)]


def test_more_genotypes_than_the_space_holds_are_refused(run: Path) -> None:
    with pytest.raises(SettingsError, match=r"--genotypes: got 82, space 'tiny' holds about \d+ distinct ones"):
        rank(RankRequest(run, genotypes=82))  # two cells of two edges with three operations each: 81
    assert not (run / "ranking").exists()


def test_a_ranking_that_was_stopped_scores_no_genotype_twice(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = rank(RankRequest(run, genotypes=3, epochs=1, out=tmp_path / "whole"))
    real, hashes = module.RankedSearch.score, []

    def spy(self: Any, genotype: Any, **words: Any) -> Any:
        hashes.append(genotype.hash)
        if len(hashes) == 2:
            raise KeyboardInterrupt
        return real(self, genotype, **words)

    monkeypatch.setattr(module.RankedSearch, "score", spy)
    with pytest.raises(KeyboardInterrupt):
        rank(RankRequest(run, genotypes=3, epochs=1))
    log = run / "ranking" / "genotypes.jsonl"
    log.write_text(log.read_text() + '{"number": 1, "ha')  # torn by a kill
    torn = resume_ranking(run / "ranking")
    assert hashes[1] == hashes[2]
    assert len(hashes) == 4
    assert _lines(torn) == _lines(whole)
    assert _json(torn / "ranking.json") == _json(whole / "ranking.json")
    assert resume_ranking(torn) == torn, "a finished one is left as it is"
    assert len(hashes) == 4


def test_a_log_of_another_ranking_is_refused(run: Path, plant: Plant) -> None:
    plant([1, 2], [1, 2], [1, 2])
    folder = rank(RankRequest(run, genotypes=2))
    record = _json(folder / "run.json")
    (folder / "run.json").write_text(json.dumps(record | {"status": "interrupted", "seed": 1}))
    with pytest.raises(RunError, match="genotype 0 is another one than this ranking draws"):
        resume_ranking(folder)


@pytest.mark.parametrize(
    "words,error",
    [
        ({"genotypes": 1}, "--genotypes: got 1, must be 2 or more, 30 for a claim"),
        ({"epochs": 0}, "--epochs: got 0, must be 1 or more"),
        ({"threads": 0}, "--threads: got 0, must be 1 or more"),
        ({"device": "gpu"}, "--device: got 'gpu'"),
    ],
)
def test_a_wrong_request_is_refused(run: Path, words: dict[str, Any], error: str) -> None:
    with pytest.raises(SettingsError, match=error):
        rank(RankRequest(run, **words))
    assert not (run / "ranking").exists()


def test_a_ranking_is_not_written_over(run: Path, plant: Plant) -> None:
    plant([1, 2], [1, 2], [1, 2])
    rank(RankRequest(run, genotypes=2))
    with pytest.raises(RunError, match="ranking: holds another run"):
        rank(RankRequest(run, genotypes=2))


def test_a_search_that_is_not_finished_is_refused(run: Path) -> None:
    (run / "run.json").write_text(json.dumps(_json(run / "run.json") | {"status": "interrupted"}))
    with pytest.raises(RunError, match=r"not finished \(interrupted\); audionas search --resume"):
        rank(RankRequest(run))


def test_a_search_without_its_checkpoint_is_refused(run: Path) -> None:
    (run / "checkpoint" / "last.pt").unlink()
    with pytest.raises(RunError, match=r"last\.pt: missing, so the supernet's weights are not known"):
        rank(RankRequest(run))


def test_a_checkpoint_of_another_space_is_refused(run: Path) -> None:
    text = (run / "space.yaml").read_text()
    (run / "space.yaml").write_text(text.replace("channels: 2", "channels: 3"))
    with pytest.raises(RunError, match="holds other weights than a supernet of this run's space"):
        rank(RankRequest(run))


def test_a_search_by_trials_has_no_supernet(tiny_corpus: Path, tiny_space: Path, tmp_path: Path) -> None:
    run = search(SearchRequest(
        data=tiny_corpus, space=str(tiny_space), strategy="random", trials=1, epochs=1, threads=1,
        out=tmp_path / "random", preparation=PrepareOptions(group_from="^(s[0-9])", folds="3"),
    ))  # fmt: skip
    with pytest.raises(RunError, match="has no supernet: strategy 'random' trains each candidate alone"):
        rank(RankRequest(run))


def test_the_supernet_of_the_restart_handed_on_is_ranked(run: Path, plant: Plant) -> None:
    restart = run / "restart_2"
    restart.mkdir()
    for name in ("checkpoint", "epochs.jsonl"):
        shutil.move(run / name, restart / name)
    for name in ("manifest.csv", "manifest.json", "space.yaml", "strategy.yaml"):
        shutil.copy(run / name, restart / name)
    record = _json(run / "run.json")
    (restart / "run.json").write_text(json.dumps(record | {"seed": 1, "parts_seed": 0}))
    (run / "run.json").write_text(json.dumps(record | {"restarts": 2, "chosen_restart": 2}))
    plant([1, 2], [1, 2], [1, 2])
    assert rank(RankRequest(run, genotypes=2)) == run / "ranking"
