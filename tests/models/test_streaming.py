"""Recurrent networks chunk by chunk: the same logits as all frames at once give, at every moment."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from audionas.errors import SettingsError
from audionas.models import build_model
from audionas.models.baselines import named_baseline
from audionas.models.frame_pooling import FRAME_POOLINGS, build_frame_pooling
from audionas.models.running_pooling import running_pooling
from audionas.models.streaming import FrameStream
from audionas.spaces import RecurrentMacro, load_search_space
from audionas.spaces.reference_recipes import reference_recipe

CHUNKS = (1, 4, 2, 7, 1)


def recurrent(recipe: str, **macro: object) -> nn.Module:
    torch.manual_seed(1)
    values = RecurrentMacro(**{"hidden": 5, "bidirectional": False, "n_layers": 2, **macro})
    return build_model(reference_recipe(recipe).within(values), input_shape=(2, 6, 15), n_classes=3).eval()


def frames(n: int) -> Tensor:
    return torch.randn(2, 2, 6, n, generator=torch.Generator().manual_seed(5))


def check(network: nn.Module) -> None:
    x, stream = frames(sum(CHUNKS)), FrameStream(network)
    for chunk, until in zip(x.split(CHUNKS, dim=3), torch.tensor(CHUNKS).cumsum(0).tolist(), strict=True):
        with torch.no_grad():
            torch.testing.assert_close(stream.push(chunk), network(x[..., :until]), rtol=1e-5, atol=1e-6)
        assert stream.n_frames == until


@pytest.mark.parametrize("pooling", sorted(FRAME_POOLINGS))
def test_a_recipe_gives_chunk_by_chunk_what_it_gives_at_once(pooling: str) -> None:
    check(recurrent("lstm", pooling=pooling, emit="h0+h1"))


@pytest.mark.parametrize("channels", ["stack", "weighted_sum"])
def test_any_number_of_channels_streams(channels: str) -> None:
    check(recurrent("gru", channels=channels))


def test_the_lstm_of_torch_streams() -> None:
    torch.manual_seed(1)
    settings = {"hidden": "5", "n_layers": "2", "pooling": "statistics"}
    check(build_model(named_baseline("lstm", settings), input_shape=(2, 6, 15), n_classes=3).eval())


@pytest.mark.parametrize("name", sorted(FRAME_POOLINGS))
def test_a_running_pooling_is_that_of_all_values_so_far(name: str) -> None:
    """Also where later energies and values are much larger than earlier ones."""
    torch.manual_seed(2)
    pooling = build_frame_pooling(name, 4)
    x = torch.randn(3, 9, 4) * torch.tensor([1.0, 30.0, 0.1, 100.0, 1.0, 5.0, 1.0, 300.0, 2.0])[None, :, None]
    running = running_pooling(pooling)
    assert running is not None
    for chunk in x.split((2, 3, 4), dim=1):
        running.update(chunk)
    torch.testing.assert_close(running.value(), pooling(x), rtol=1e-5, atol=1e-5)


def test_networks_that_need_the_whole_clip_are_refused() -> None:
    with pytest.raises(SettingsError, match="runs over the clip in both directions; only recurrent networks of one"):
        FrameStream(recurrent("gru", bidirectional=True))
    with pytest.raises(SettingsError, match="in both directions"):
        FrameStream(build_model(named_baseline("bigru", {"hidden": "2"}), input_shape=(2, 6, 15), n_classes=3))
    genotype = load_search_space("darts_cnn_small").random(np.random.default_rng(0))
    with pytest.raises(SettingsError, match=r"this network \(GenotypeNetwork\) needs the whole clip"):
        FrameStream(build_model(genotype, input_shape=(1, 8, 8), n_classes=3))


def test_frames_of_another_width_are_refused() -> None:
    with pytest.raises(SettingsError, match="this network expects 2"):
        FrameStream(recurrent("gru")).push(torch.zeros(1, 1, 6, 3))
