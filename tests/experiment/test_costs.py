"""Clip-passes of real runs, against counts written out by hand."""

from __future__ import annotations

from pathlib import Path

from audionas.experiment.costs import total_cost
from audionas.experiment.prepare import PrepareOptions
from audionas.experiment.retrain import RetrainRequest, retrain
from audionas.experiment.run_folder import RunFolder
from audionas.experiment.search import SearchRequest, search

BY_SPEAKER = PrepareOptions(group_from="^(s[0-9])", folds="3")


def test_a_one_shot_search_is_counted(tiny_corpus: Path, tiny_space: Path, tmp_path: Path) -> None:
    # 24 clips, 6 speakers, 3 folds: 8 tested, 16 searched; below 8 groups nothing monitors: 8 weights, 8 alphas
    run = search(
        SearchRequest(
            tiny_corpus, str(tiny_space), epochs=2, threads=1, out=tmp_path / "run", preparation=BY_SPEAKER
        )
    )  # fmt: skip
    cost = RunFolder.open(run).record["cost"]
    # an epoch: 8 + 8 clips there and back, then supernet and sub-network scored on the 8 of the alphas part
    assert cost["clip_passes"] == {"forward": 2 * (16 + 16), "backward": 2 * 16}
    assert list(cost["steps"]) == ["search"]
    assert cost["compared"] == 1, "one supernet"


def test_a_retraining_is_counted_beside_its_search(searched: Path) -> None:
    cost = RunFolder.open(searched).record["cost"]
    retrained = retrain(RetrainRequest((searched,), seeds=2, threads=1, epochs_tried=(1, 3), inner_folds=2))
    record = RunFolder.open(retrained).record
    steps = record["cost"]["steps"]
    # 3 splits x (1 + 3 epochs) x 3 inner folds of 16 clips: each clip trains in two of them and is predicted in one
    assert (steps["tuning"]["forward"], steps["tuning"]["backward"]) == (3 * (4 * 32 + 2 * 16), 3 * 4 * 32)
    assert steps["tuning"]["compared"] == 3 * 2, "two numbers of epochs in each of three splits"
    epochs = [path.read_text().count("\n") for path in sorted(retrained.glob("split_*/seed_*/history.jsonl"))]
    # the chosen epochs on 16 clips, then 8 test and 16 training clips are predicted
    assert steps["retraining"]["backward"] == 16 * sum(epochs)
    assert steps["retraining"]["forward"] == 16 * sum(epochs) + 6 * (8 + 16)
    # two inner folds: 16 training clips an epoch, and each clip predicted once
    assert steps["inner folds"]["backward"] == 16 * sum(epochs)
    total = total_cost(record)
    assert total["search_is_known"]
    assert total["steps"]["search"] == cost["steps"]["search"]
    assert total["clip_passes"]["backward"] == sum(step["backward"] for step in total["steps"].values())


def test_a_genotype_without_its_run_has_a_search_of_unknown_cost(
    tiny_corpus: Path, searched: Path, tmp_path: Path
) -> None:
    alone = tmp_path / "alone.json"
    alone.write_bytes((searched / "genotype.json").read_bytes())
    request = RetrainRequest(
        (alone,), tiny_corpus, epochs=1, seeds=1, threads=1, out=tmp_path / "r", preparation=BY_SPEAKER
    )
    assert not total_cost(RunFolder.open(retrain(request)).record)["search_is_known"]
