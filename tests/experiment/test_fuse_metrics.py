"""The fused system is called better only when it beats every stream and every untrained rule, interval included."""

from __future__ import annotations

import numpy as np
import pytest

from audionas.experiment.fuse_metrics import MLP, Row, comparison
from audionas.training.predictions import Predictions

LABELS = ("calm", "joy")
SPLITS = ("1", "2")


def row(name: str, share: float, n_groups: int = 10, fusion: int = 0) -> Row:
    """A system that is right on the same share of every speaker's 20 clips of every class."""
    predictions = {}
    for part, split in enumerate(SPLITS):
        groups = [f"s{i}" for i in range(n_groups) if i % 2 == part for _ in range(40)]
        truth = np.array([i % 2 for i in range(len(groups))], dtype=np.int64)
        is_right = (np.arange(len(groups)) // 2) % 20 < round(20 * share)
        scores = np.eye(2)[np.where(is_right, truth, 1 - truth)]
        clips = tuple(f"{split}/{i}" for i in range(len(groups)))
        for seed in (0, 1):
            predictions[split, seed] = Predictions(clips, tuple(groups), truth, scores, LABELS)
    return Row(name, "mlp" if name == MLP else "rule", (100, 50), fusion, predictions)


def compared(mlp: float, others: dict[str, float], n_groups: int = 10) -> dict[str, object]:
    rows = [row(MLP, mlp, n_groups, 128), *(row(name, share, n_groups) for name, share in others.items())]
    return comparison(rows, SPLITS, (0, 1), "over all folds")


def test_the_fusion_is_better_when_it_beats_every_other_row() -> None:
    found = compared(0.9, {"a": 0.7, "b": 0.6, "averaging": 0.8})
    assert found["is_better"] is True
    assert str(found["conclusion"]).startswith("The fusion MLP is better, by UA, than every stream and every untrained")
    assert "averaging (+0.100, 95 % interval +0.100 to +0.100, p 0.0059 after Holm)" in str(found["conclusion"])


def test_the_fusion_is_not_better_when_averaging_is_as_good() -> None:
    found = compared(0.8, {"a": 0.7, "b": 0.6, "averaging": 0.8})
    assert found["is_better"] is False
    assert found["conclusion"] == (
        "The fusion MLP is not shown to be better, by UA, than averaging (+0.000, 95 % interval "
        "+0.000 to +0.000, p 1 after Holm)."
    )


def test_few_speakers_allow_no_claim() -> None:
    found = compared(0.9, {"a": 0.6, "averaging": 0.7}, n_groups=4)
    assert found["is_better"] is False
    assert str(found["conclusion"]).endswith(
        "No claim about speakers is possible from 4 groups: it takes 6 (the smallest p of 4 is 0.125)."
    )


def test_unknown_speakers_allow_no_claim() -> None:
    rows = [row(MLP, 0.9), row("averaging", 0.6)]
    found = comparison(rows, SPLITS, (0, 1), "over all folds", are_groups_known=False)
    assert found["differences"][0]["p_holm"] < 0.05
    assert found["is_better"] is False
    assert found["conclusion"].endswith("they are not known, each file is its own group.")


def test_six_speakers_and_two_comparisons_cannot_show_it() -> None:
    """The smallest p of six is 2 / 2**6; twice that is above 0.05."""
    found = compared(0.9, {"a": 0.6, "averaging": 0.7}, n_groups=6)
    assert [each["p_holm"] for each in found["differences"]] == [0.0625, 0.0625]  # type: ignore[attr-defined]
    assert found["is_better"] is False
    assert str(found["conclusion"]).endswith("6 groups and 2 comparisons cannot show it, whatever the scores.")


def test_a_system_that_is_surely_worse_is_not_called_better() -> None:
    found = compared(0.5, {"averaging": 0.9})
    assert found["differences"][0]["p_holm"] == pytest.approx(2 / 2**10)  # type: ignore[index]
    assert found["is_better"] is False


def test_the_test_is_told_in_words_with_the_smallest_p_that_it_can_give() -> None:
    found = compared(0.9, {"a": 0.7, "averaging": 0.8})
    assert found["test"] == (
        "two-sided sign-flip test over groups, all 1,024 flips, smallest p 0.002; p of 2 comparisons corrected by "
        "Holm's method"
    )


def test_scores_are_those_of_the_summed_confusion_matrix_and_parameters_stand_apart() -> None:
    found = compared(0.75, {"averaging": 0.5})
    rows = {each["name"]: each for each in found["rows"]}  # type: ignore[attr-defined]
    assert rows[MLP]["ua"] == rows[MLP]["wa"] == pytest.approx(0.75)
    assert rows[MLP]["ua_sd"] == 0
    assert rows[MLP]["per_seed"][1]["confusion"] == [[150, 50], [50, 150]]
    assert rows[MLP]["parameters"] == {"streams": [100, 50], "fusion": 128, "total": 278}
    assert rows["averaging"]["parameters"] == {"streams": [100, 50], "fusion": 0, "total": 150}
    assert (found["n_clips"], found["n_groups"], found["seeds"]) == (400, 10, [0, 1])
