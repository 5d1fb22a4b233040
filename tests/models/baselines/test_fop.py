"""FOP as a classifier: its head, padding, and what its settings refuse."""

from __future__ import annotations

import pytest
import torch

from audionas.errors import SettingsError
from audionas.models.baselines.fop import FopClassifier, FopSettings, build
from audionas.records import validate


@pytest.fixture
def small() -> FopClassifier:
    torch.manual_seed(0)
    return build(FopSettings(width=8, n_heads=2, inner=7), (1, 5, 20), 3).eval()


def test_the_paper_s_head_has_1028_parameters() -> None:
    network = build(FopSettings(), (1, 80, 500), 4)
    assert sum(weight.numel() for weight in network.projection.parameters()) == 1028
    assert sum(weight.numel() for weight in network.parameters()) == 1_096_530 - 20_560 + 1028


def test_padding_changes_no_score(small: FopClassifier) -> None:
    clips = [torch.randn(1, 5, n) for n in (20, 7, 1)]
    lengths = torch.tensor([20, 7, 1])
    padded = torch.stack([torch.nn.functional.pad(clip, (0, 20 - clip.shape[2]), value=9.0) for clip in clips])
    with torch.no_grad():
        together = small(padded, lengths)
        for clip, score in zip(clips, together, strict=True):
            torch.testing.assert_close(small(clip[None])[0], score)
        torch.testing.assert_close(small(padded[1:], lengths[1:]), together[1:])


def test_scores_are_the_projected_mean_of_the_last_layer(small: FopClassifier) -> None:
    x = torch.randn(2, 1, 5, 6)
    with torch.no_grad():
        last = small.encoder(x[:, 0].transpose(1, 2))
        expected = last.mean(dim=1) @ small.projection.weight.T + small.projection.bias
        torch.testing.assert_close(small(x), expected)


def test_the_whole_network_is_trained(small: FopClassifier) -> None:
    small.train()
    small(torch.randn(3, 1, 5, 6), torch.tensor([6, 4, 2])).square().sum().backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in small.parameters())


def test_several_channels_are_refused() -> None:
    with pytest.raises(SettingsError, match=r"fop: features of 2 channels, must be 1; leave out deltas"):
        build(FopSettings(), (2, 80, 100), 4)


def test_heads_must_divide_the_width() -> None:
    with pytest.raises(SettingsError, match=r"width 10 must be a multiple of n_heads 4"):
        validate(FopSettings, {"width": 10}, "settings")
    with pytest.raises(SettingsError, match="pretrained"):
        validate(FopSettings, {"pretrained": "weights.safetensors"}, "settings")
