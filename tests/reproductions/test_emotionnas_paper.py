"""The paper's sizes, rebuilt: counts are FACTS's (formula, and NASLib's own test for it), not ours."""

from __future__ import annotations

import pytest

from audionas.reproductions.emotionnas_paper import (
    TABLE_1,
    TABLE_2,
    claims,
    frame_parameters,
    fusion_parameters,
    supernet_parameters,
)


@pytest.mark.parametrize(
    "n_cells,channels,count",
    [(3, 4, 72_248), (3, 6, 132_274), (4, 8, 346_092), (6, 16, 1_320_084), (8, 16, 1_928_212)],
)
def test_supernets_have_the_sizes_of_table_3(n_cells: int, channels: int, count: int) -> None:
    assert supernet_parameters(n_cells, channels) == count


@pytest.mark.parametrize(
    "preset,small,large",
    [
        ("bidirectional", 361_860, 2_232_580),
        ("unidirectional", 361_732, 2_232_324),
        ("unidirectional_both_states", 361_732, 2_232_068),
    ],
)
def test_the_three_readings_of_table_4_have_its_sizes(preset: str, small: int, large: int) -> None:
    assert (frame_parameters(preset, 1, 128), frame_parameters(preset, 2, 256)) == (small, large)


def test_the_fusion_has_128_parameters() -> None:
    # (8, 8), (8, 4), (4, 4) with biases: 64 + 8 + 32 + 4 + 16 + 4
    assert fusion_parameters(2) == 128


def test_every_size_is_confirmed_but_the_one_that_belongs_to_six_cells() -> None:
    found = claims()
    wrong = [claim for claim in found if not claim.is_confirmed]
    assert [claim.what for claim in wrong] == ["table 3, supernet L=8, C=16"]
    assert "L=6, C=16, which has 1,320,084" in wrong[0].remark
    assert {"0.07M", "0.13M", "0.35M", "1.32M", "0.36M", "2.23M", "2.36M"} <= {claim.paper for claim in found}


def test_the_papers_scores_are_those_of_its_tables() -> None:
    # Sun et al. 2022, tables 1 and 2
    assert (TABLE_1["EmotionNAS"], TABLE_1["CNN-LSTM"]) == (72.8, 62.0)
    assert [score for _, score in TABLE_2.values()] == [63.5, 70.3, 72.8]
