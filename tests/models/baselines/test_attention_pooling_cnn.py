"""The attention-pooling CNN of Li et al. 2018: its sizes, its formulas, padding, its maps."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from audionas.errors import SettingsError
from audionas.models.baselines.attention_pooling_cnn import AttentionPoolingCnn, AttentionPoolingCnnSettings
from audionas.records import validate

PAPER = (1, 400, 200)
SMALL = (1, 12, 17)
POOLINGS = ("attention", "gap", "bilinear")


def network(shape: tuple[int, int, int] = PAPER, n_classes: int = 4, **settings: Any) -> AttentionPoolingCnn:
    torch.manual_seed(0)
    return AttentionPoolingCnn(AttentionPoolingCnnSettings(**settings), shape, n_classes)


def scored(shape: tuple[int, int, int] = SMALL, n_classes: int = 3, **settings: Any) -> AttentionPoolingCnn:
    """In eval mode, with running statistics of BN that are not the trivial ones."""
    built = network(shape, n_classes, **settings)
    with torch.no_grad():
        for layer in built.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.running_mean.uniform_(-0.5, 0.5)  # type: ignore[union-attr]
                layer.running_var.uniform_(0.5, 2.0)  # type: ignore[union-attr]
                layer.bias.uniform_(-0.5, 0.5)
    return built.eval()


def size(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(("pooling", "head"), [("attention", 405), ("gap", 324), ("bilinear", 25_604)])
def test_parameters_are_as_many_as_the_paper_s_layers_have(pooling: str, head: int) -> None:
    """Convolutions 288 + 4,608 + 13,824 + 27,648 + 46,080, their biases 240, BN 480; heads as 80:4 and 6400:4 have."""
    built = network(pooling=pooling)
    assert size(built.pooling) == head
    assert size(built) - head == 288 + 4608 + 13_824 + 27_648 + 46_080 + 240 + 480 == 93_168


def test_the_paper_s_spectrogram_becomes_a_map_of_100_x_50_with_80_channels() -> None:
    maps = network().eval().feature_maps(torch.zeros(1, *PAPER))
    assert maps.values.shape == (1, 80, 100, 50)


def test_the_first_filters_are_10_features_by_2_frames_and_2_by_8_with_8_channels_each() -> None:
    shapes = [tuple(layer.conv.weight.shape) for layer in network().first]  # type: ignore[union-attr]
    assert shapes == [(8, 1, 10, 2), (8, 1, 2, 8)]


SHAPES = ["2x2", "10x2", "100x2", "2x8", "2x80", "3x5"]


def scanned(filters: str, shape: tuple[int, int, int], channels: int = 16) -> AttentionPoolingCnn:
    """The network of figure 2."""
    return network(shape, pooling="gap", channels=(channels,), pool_after=(), filters=filters)


@pytest.mark.parametrize("filters", SHAPES)
def test_the_network_of_figure_2_is_one_convolution_bn_and_a_16_to_4_layer(filters: str) -> None:
    height, width = map(int, filters.split("x"))
    assert size(scanned(filters, PAPER)) == 16 * height * width + 16 + 32 + 16 * 4 + 4


@pytest.mark.parametrize("filters", SHAPES)
def test_filters_of_any_shape_leave_the_padding_out(filters: str) -> None:
    built = scanned(filters, (1, 12, 30)).eval()
    clip, batch = torch.randn(1, 1, 12, 11), torch.randn(2, 1, 12, 30)
    batch[1, :, :, :11] = clip
    scores = built(batch, torch.tensor([30, 11]))
    torch.testing.assert_close(scores[1:], built(clip))
    torch.testing.assert_close(scores[:1], built(batch[:1]))


def test_an_even_filter_reads_one_place_more_after_than_before() -> None:
    """So the maps of an impulse, under a filter of ones, have one place more before it."""
    built = scanned("4x2", (1, 9, 9), channels=1).eval()
    layer: Any = built.first[0]
    torch.nn.init.ones_(layer.conv.weight)
    torch.nn.init.zeros_(layer.conv.bias)
    x = torch.zeros(1, 1, 9, 9)
    x[0, 0, 4, 4] = 1
    seen = (built.feature_maps(x).values[0, 0] > 0.5).nonzero()
    assert sorted({int(row) for row, _ in seen}) == [2, 3, 4, 5]
    assert sorted({int(frame) for _, frame in seen}) == [3, 4]


def test_the_network_is_the_paper_s_layers_written_out() -> None:
    built = scored()
    x = torch.randn(2, *SMALL)

    def layer(module: Any, y: Tensor) -> Tensor:
        height, width = module.conv.kernel_size
        padded = functional.pad(y, ((width - 1) // 2, width // 2, (height - 1) // 2, height // 2))
        convolved = functional.conv2d(padded, module.conv.weight, module.conv.bias)
        norm = module.norm
        return torch.relu(
            functional.batch_norm(convolved, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=1e-5)
        )

    y = torch.cat([layer(module, x) for module in built.first], dim=1)
    for number, module in enumerate(built.others, start=2):
        y = layer(module, y)
        if number in (2, 3):
            y = functional.max_pool2d(y, 2, ceil_mode=True)
    torch.testing.assert_close(built.feature_maps(x).values, y)
    pooling: Any = built.pooling
    top_down = (
        torch.einsum("bcij,kc->bkij", y, pooling.top_down.weight[:, :, 0, 0]) + pooling.top_down.bias[:, None, None]
    )
    energy = torch.einsum("bcij,c->bij", y, pooling.bottom_up.weight[0, :, 0, 0]) + pooling.bottom_up.bias
    attention = energy.exp() / energy.exp().sum(dim=(1, 2), keepdim=True)
    torch.testing.assert_close(built(x), (top_down * attention[:, None]).sum(dim=(2, 3)))


def test_reduce_mean_divides_by_the_positions_of_the_map() -> None:
    x = torch.randn(2, *SMALL)
    torch.testing.assert_close(scored(reduce="mean")(x), scored()(x) / (3 * 5))
    lengths = torch.tensor([17, 9])  # 9 frames become 5, then 3
    places = 3 * torch.tensor([[5.0], [3.0]])
    torch.testing.assert_close(scored(reduce="mean")(x, lengths), scored()(x, lengths) / places)


def test_global_average_pooling_is_a_linear_layer_on_the_means() -> None:
    built, x = scored(pooling="gap"), torch.randn(2, *SMALL)
    head: Any = built.pooling
    means = built.feature_maps(x).values.mean(dim=(2, 3))
    torch.testing.assert_close(built(x), means @ head.classifier.weight.T + head.classifier.bias)


@pytest.mark.parametrize("order", ["norm_first", "root_first"])
def test_bilinear_pooling_is_the_product_of_the_map_with_itself(order: str) -> None:
    built, x = scored(pooling="bilinear", bilinear_order=order), torch.randn(2, *SMALL)
    y = built.feature_maps(x).values
    products = torch.einsum("bcij,bdij->bcd", y, y).flatten(1)
    head: Any = built.pooling
    if order == "norm_first":
        values = (products / products.norm(dim=1, keepdim=True)).sqrt()
    else:
        values = products.sqrt() / products.sqrt().norm(dim=1, keepdim=True)
    expected = values @ head.classifier.weight.T + head.classifier.bias
    torch.testing.assert_close(built(x), expected, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("n_own", [1, 2, 5, 8, 16])
def test_a_padded_clip_scores_as_it_does_alone(pooling: str, n_own: int) -> None:
    built = scored(pooling=pooling)
    clip = torch.randn(1, 1, 12, n_own)
    batch = torch.randn(3, *SMALL)  # what stands in the padding must not matter either
    batch[1, :, :, :n_own] = clip
    scores = built(batch, torch.tensor([17, n_own, 4]))
    torch.testing.assert_close(scores[1:2], built(clip))
    torch.testing.assert_close(scores[:1], built(batch[:1]))


@pytest.mark.parametrize("pooling", POOLINGS)
def test_gradients_reach_every_parameter_and_are_finite_on_silence(pooling: str) -> None:
    built = network(SMALL, 3, pooling=pooling)
    built(torch.randn(4, *SMALL)).square().sum().backward()
    # A bias before BN and one before a softmax change nothing, and so have no gradient but rounding.
    assert all(parameter.grad is not None for parameter in built.parameters())
    assert all(p.grad.abs().max() > 0 for n, p in built.named_parameters() if "weight" in n)  # type: ignore[union-attr]
    built.zero_grad()
    built(torch.zeros(2, *SMALL)).square().sum().backward()
    assert all(p.grad.isfinite().all() for p in built.parameters())  # type: ignore[union-attr]


def test_attention_maps_say_what_each_position_adds_to_a_score() -> None:
    built, x = scored(), torch.randn(2, *SMALL)
    lengths = torch.tensor([17, 7])
    maps = built.attention_maps(x, lengths)
    assert maps.class_agnostic.shape == (2, 3, 5)
    assert maps.class_specific.shape == (2, 3, 3, 5)
    torch.testing.assert_close(maps.class_agnostic.sum(dim=(1, 2)), torch.ones(2))
    assert (maps.class_agnostic[1, :, 2:] == 0).all()
    torch.testing.assert_close(maps.products.sum(dim=(2, 3)), built(x, lengths))


def test_only_attention_has_attention_maps() -> None:
    built = scored(pooling="gap")
    assert not built.has_attention_maps
    assert scored().has_attention_maps
    with pytest.raises(TypeError, match="with GlobalAveragePooling has no attention maps"):
        built.attention_maps(torch.zeros(1, *SMALL))


@pytest.mark.parametrize(("settings", "what"), [
    ({"channels": (15, 32)}, "channels: the first, 15, must be a multiple of the 2 filters"),
    ({"channels": ()}, "channels"),
    ({"pool_after": (0, 2, 6)}, r"pool_after: got \[0, 6\], must be from 1 to 5, the convolutions"),
    ({"pooling": "max"}, "pooling: got 'max'"),
    ({"filters": "0x2"}, "filters: got '0x2'"),
    ({"filters": "10x2+"}, "filters: got '10x2\\+'"),
    ({"filters": "10x2,2x8"}, "filters: got '10x2,2x8'"),
    ({"filters": "10x513"}, "filters: got '10x513', must be features x frames, 1 to 512 each, as 10x2, several"),
    ({"width": 3}, "unknown key 'width'"),
])  # fmt: skip
def test_settings_that_build_nothing_are_refused(settings: dict[str, Any], what: str) -> None:
    with pytest.raises(SettingsError, match=what):
        validate(AttentionPoolingCnnSettings, settings, "settings")
