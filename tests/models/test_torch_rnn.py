"""Torch's recurrent layers over clips of different lengths, against each clip alone and turned round by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from audionas.models.macs import n_macs
from audionas.models.torch_rnn import TorchFrameNetwork, TorchRnn, direction_by_direction

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


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU])
def test_without_packing_each_clip_gets_what_packed_sequences_give_it(
    kind: type[nn.LSTM] | type[nn.GRU], bidirectional: bool
) -> None:
    torch.manual_seed(0)
    layers = kind(5, 7, 2, batch_first=True, bidirectional=bidirectional).double()
    x, lengths = torch.randn(4, 9, 5, dtype=torch.float64, requires_grad=True), torch.tensor([9, 3, 1, 6])
    packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    expected = nn.utils.rnn.pad_packed_sequence(layers(packed)[0], batch_first=True, total_length=9)[0]
    found = direction_by_direction(layers, x, lengths)
    assert (found - expected).abs().max() < 1e-14
    weights = [x, *layers.parameters()]
    pairs = zip(*(torch.autograd.grad(y.square().sum(), weights) for y in (found, expected)), strict=True)
    assert max(float((one - other).abs().max()) for one, other in pairs) < 1e-12
