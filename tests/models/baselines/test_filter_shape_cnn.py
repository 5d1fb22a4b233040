"""One convolution under global average pooling, by which Li et al. 2018 compare filter shapes."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from audionas.errors import SettingsError
from audionas.models.baselines.filter_shape_cnn import FilterShapeCnnSettings, build
from audionas.models.masked_maps import MaskedMaps
from audionas.records import validate

SHAPES = [(2, 2), (10, 2), (100, 2), (2, 8), (2, 80), (3, 5)]


@pytest.mark.parametrize("shape", SHAPES)
def test_parameters_are_the_filters_bn_and_a_16_to_4_layer(shape: tuple[int, int]) -> None:
    built = build(FilterShapeCnnSettings(shape=shape), (1, 400, 200), 4)
    expected = 16 * shape[0] * shape[1] + 16 + 32 + 16 * 4 + 4
    assert sum(parameter.numel() for parameter in built.parameters()) == expected


@pytest.mark.parametrize("shape", SHAPES)
def test_a_padded_clip_scores_as_it_does_alone(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    built = build(FilterShapeCnnSettings(shape=shape), (1, 12, 30), 3).eval()
    clip, batch = torch.randn(1, 1, 12, 11), torch.randn(2, 1, 12, 30)
    batch[1, :, :, :11] = clip
    scores = built(batch, torch.tensor([30, 11]))
    torch.testing.assert_close(scores[1:], built(clip))
    torch.testing.assert_close(scores[:1], built(batch[:1]))


def test_an_impulse_is_seen_from_as_many_places_as_the_filter_has() -> None:
    """A filter of ones gives its own area of ones around an impulse: of an even side, one more before than after."""
    built: Any = build(FilterShapeCnnSettings(shape=(4, 2), channels=1), (1, 9, 9), 2)
    torch.nn.init.ones_(built.layer.conv.weight)
    torch.nn.init.zeros_(built.layer.conv.bias)
    x = torch.zeros(1, 1, 9, 9)
    x[0, 0, 4, 4] = 1
    built.eval()
    seen = built.layer(MaskedMaps.of(x, None)).values[0, 0] > 0.5
    assert sorted({int(row) for row in seen.nonzero()[:, 0]}) == [2, 3, 4, 5]
    assert sorted({int(frame) for frame in seen.nonzero()[:, 1]}) == [3, 4]


@pytest.mark.parametrize("settings", [{"shape": [0, 2]}, {"shape": [2]}, {"shape": 2}, {"channels": 0}])
def test_shapes_that_are_none_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="shape|channels"):
        validate(FilterShapeCnnSettings, settings, "settings")
