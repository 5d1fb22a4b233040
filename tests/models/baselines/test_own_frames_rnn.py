"""Recurrent layers over own frames against torch's bidirectional layers on clips that stand alone."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from audionas.models.baselines.own_frames_rnn import OwnFramesRnn, frames_of

LENGTHS = torch.tensor([7, 1, 4])


def twin(rnn: OwnFramesRnn, kind: str, n_inputs: int, n_layers: int) -> nn.Module:
    """Torch's own layers with the same weights."""
    layers = {"lstm": nn.LSTM, "gru": nn.GRU}[kind](
        n_inputs, rnn.hidden, n_layers, batch_first=True, bidirectional=bool(rnn.back)
    )
    weights = {}
    for number in range(n_layers):
        for suffix, direction in (("", rnn.ahead), ("_reverse", rnn.back)):
            if direction:
                for name, value in direction[number].state_dict().items():
                    weights[name.replace("_l0", f"_l{number}{suffix}")] = value
    layers.load_state_dict(weights)
    return layers


@pytest.mark.parametrize("kind", ["lstm", "gru"])
@pytest.mark.parametrize(("n_layers", "bidirectional"), [(1, False), (1, True), (2, True)])
def test_outputs_and_last_states_are_torchs_of_each_clip_alone(kind: str, n_layers: int, bidirectional: bool) -> None:
    torch.manual_seed(0)
    rnn = OwnFramesRnn(kind, 5, 3, n_layers=n_layers, bidirectional=bidirectional)
    layers = twin(rnn, kind, 5, n_layers)
    x = torch.randn(3, 7, 5)
    outputs = rnn(x, LENGTHS)
    last = rnn.last_states(outputs, LENGTHS)
    assert last.shape == (3, rnn.n_outputs)
    for clip, n in enumerate(LENGTHS.tolist()):
        wanted, states = layers(x[clip : clip + 1, :n])
        final = (states[0] if kind == "lstm" else states)[-(2 if bidirectional else 1) :].flatten()
        assert torch.allclose(outputs[clip, :n], wanted[0], atol=1e-6)
        assert torch.allclose(last[clip], final, atol=1e-6)


def test_without_lengths_all_frames_are_own() -> None:
    torch.manual_seed(0)
    rnn = OwnFramesRnn("lstm", 5, 3, n_layers=2)
    x = torch.randn(2, 6, 5)
    full = torch.tensor([6, 6])
    assert torch.equal(rnn(x, None), rnn(x, full))
    assert torch.equal(rnn.last_states(rnn(x, None), None), rnn.last_states(rnn(x, full), full))


def test_dropout_is_between_layers_and_in_training_only() -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 6, 5)
    one = OwnFramesRnn("gru", 5, 3, n_layers=1, dropout=0.5)
    two = OwnFramesRnn("gru", 5, 3, n_layers=2, dropout=0.5)
    assert torch.equal(one(x, None), one(x, None))
    assert not torch.equal(two(x, None), two(x, None))
    assert torch.equal(two.eval()(x, None), two(x, None))


def test_a_frame_is_all_channels_side_by_side() -> None:
    maps = torch.arange(12.0).reshape(1, 2, 3, 2)
    assert frames_of(maps)[0].tolist() == [[0, 2, 4, 6, 8, 10], [1, 3, 5, 7, 9, 11]]
