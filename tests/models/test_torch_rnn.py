"""Torch's recurrent layers over clips of different lengths, against each clip alone and turned round by hand."""

from __future__ import annotations

import pytest
import torch

from audionas.models.macs import n_macs
from audionas.models.torch_rnn import TorchFrameNetwork, TorchRnn

LENGTHS = torch.tensor([7, 3, 1])


@pytest.fixture
def frames() -> torch.Tensor:
    return torch.randn(3, 7, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize(("cell", "bidirectional"), [("lstm", False), ("lstm", True), ("gru", False), ("gru", True)])
def test_a_clip_in_a_batch_gives_what_it_gives_alone(cell: str, bidirectional: bool, frames: torch.Tensor) -> None:
    torch.manual_seed(0)
    rnn = TorchRnn(cell, 4, 5, 2, bidirectional=bidirectional).double()
    together = rnn(frames, LENGTHS)
    assert together.shape == (3, 7, rnn.n_outputs)
    for clip, n in enumerate(LENGTHS.tolist()):
        assert torch.allclose(together[clip, :n], rnn(frames[clip : clip + 1, :n])[0], atol=1e-12)
        assert together[clip, n:].abs().sum() == 0


def test_the_backward_direction_reads_a_clip_from_its_own_last_frame(frames: torch.Tensor) -> None:
    torch.manual_seed(0)
    both = TorchRnn("gru", 4, 5, 1, bidirectional=True).double()
    one = TorchRnn("gru", 4, 5, 1, bidirectional=False).double()
    backward = {name: value for name, value in both.layers.named_parameters() if name.endswith("_reverse")}
    one.layers.load_state_dict({name.removesuffix("_reverse"): value for name, value in backward.items()})
    expected = one(frames[1:2, :3].flip(1)).flip(1)[0]
    assert torch.allclose(both(frames, LENGTHS)[1, :3, 5:], expected, atol=1e-12)


def test_macs_are_the_products_of_all_gates_frame_by_frame() -> None:
    """Of each frame g h (i + h) in the layer, h h + h in the attention; at the end the head."""
    network = TorchFrameNetwork("lstm", 4, 3, bidirectional=False, hidden=6)
    assert n_macs(network, (1, 4, 5)) == 5 * (4 * 6 * (4 + 6) + 6 * 6 + 6) + 6 * 3
