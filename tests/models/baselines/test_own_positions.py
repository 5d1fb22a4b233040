"""Layers over maps of which some frames are padding, against torch's on clips that stand alone."""

from __future__ import annotations

import pytest
import torch

from audionas.errors import SettingsError
from audionas.models.baselines.own_positions import ConvBlock, OwnBatchNorm, own_maps
from audionas.models.masked_maps import masked_average

LENGTHS = torch.tensor([9, 4, 1])


@pytest.fixture
def maps() -> torch.Tensor:
    return torch.randn(3, 2, 5, 12, generator=torch.Generator().manual_seed(0))


def test_maps_are_cut_at_the_longest_clip_and_zero_in_the_padding(maps: torch.Tensor) -> None:
    own, lengths = own_maps(maps, LENGTHS, 2, 5)
    assert own.shape == (3, 2, 5, 9)
    assert lengths is LENGTHS
    assert torch.equal(own[1, :, :, :4], maps[1, :, :, :4])
    assert own[1, :, :, 4:].abs().max() == 0
    assert own_maps(maps, None, 2, 5)[0] is maps


@pytest.mark.parametrize(
    ("shape", "lengths", "text"),
    [
        ((3, 1, 5, 12), None, r"expects 2 channel\(s\) of 5 features"),
        ((3, 2, 5), None, r"expects 2 channel\(s\) of 5 features"),
        ((3, 2, 5, 0), None, "at least one frame"),
        ((3, 2, 5, 12), [12, 0, 3], "lengths from 0 to 12, must be 1 to 12"),
        ((3, 2, 5, 12), [13, 1, 3], "lengths from 1 to 13, must be 1 to 12"),
    ],
)
def test_maps_that_do_not_fit_are_refused(shape: tuple[int, ...], lengths: list[int] | None, text: str) -> None:
    given = None if lengths is None else torch.tensor(lengths)
    with pytest.raises(SettingsError, match=text):
        own_maps(torch.zeros(shape), given, 2, 5)


def test_the_mean_is_of_own_positions_only(maps: torch.Tensor) -> None:
    own, lengths = own_maps(maps, LENGTHS, 2, 5)
    assert torch.allclose(masked_average(own, lengths)[1], maps[1, :, :, :4].mean(dim=(1, 2)))
    assert torch.allclose(masked_average(maps, None), maps.mean(dim=(2, 3)))


def test_batch_norm_in_training_has_the_statistics_of_own_positions(maps: torch.Tensor) -> None:
    ours, torchs = OwnBatchNorm(2), torch.nn.BatchNorm2d(2)
    with torch.no_grad():
        for norm in (ours, torchs):
            norm.weight.copy_(torch.tensor([2.0, 0.5]))
            norm.bias.copy_(torch.tensor([0.3, -1.0]))
    own, lengths = own_maps(maps, LENGTHS, 2, 5)
    own = own.clone().requires_grad_()
    alone = torch.cat([maps[clip, :, :, :n] for clip, n in enumerate(LENGTHS)], dim=-1)[None].requires_grad_()
    normed, wanted = ours.of_own(own, lengths), torchs(alone)
    assert torch.allclose(normed[1, :, :, :4], wanted[0, :, :, 9:13], atol=1e-6)
    assert normed[1, :, :, 4:].abs().max() == 0
    assert torch.allclose(ours.running_mean, torchs.running_mean, atol=1e-7)
    assert torch.allclose(ours.running_var, torchs.running_var, atol=1e-7)
    assert ours.num_batches_tracked == 1
    (normed**3).sum().backward()
    (wanted**3).sum().backward()
    assert torch.allclose(own.grad[1, :, :, :4], alone.grad[0, :, :, 9:13], atol=1e-5)


@pytest.mark.parametrize("kernel", [(3, 3), (12, 16), (1, 9), (9, 1)])
@pytest.mark.parametrize("steps", [{}, {"stride": 2}, {"pool": (2, 2)}, {"dilation": 4}])
def test_a_block_gives_a_padded_clip_what_it_gets_alone(
    maps: torch.Tensor, kernel: tuple[int, int], steps: dict[str, int]
) -> None:
    torch.manual_seed(0)
    block = ConvBlock(2, 4, kernel, **steps).eval()
    with torch.no_grad():
        block.norm.bias.fill_(0.7)  # so that padding that was not masked would show
        together, left = block(*own_maps(maps, LENGTHS, 2, 5))
        for clip, n in enumerate(LENGTHS.tolist()):
            alone, _ = block(maps[clip : clip + 1, :, :, :n], None)
            assert alone.shape[-1] == left[clip]
            assert torch.allclose(together[clip, ..., : alone.shape[-1]], alone[0], atol=1e-6)
            assert together[clip, ..., alone.shape[-1] :].sum() == 0


@pytest.mark.filterwarnings("ignore:Using padding='same'")  # of even kernels; what is put after is what is asked
def test_a_block_is_torchs_same_convolution_batch_norm_and_relu(maps: torch.Tensor) -> None:
    torch.manual_seed(0)
    block = ConvBlock(2, 3, (4, 8)).eval()
    values = torch.nn.functional.conv2d(maps, block.conv.weight, padding="same")
    assert torch.allclose(block(maps, None)[0], (values / (1 + 1e-5) ** 0.5).relu(), atol=1e-6)
