"""Frame statistics against numpy, and the two stages of `rnn_elm`."""

from __future__ import annotations

import numpy as np
import torch

from audionas.models.baselines.rnn_elm import RnnElm, RnnElmSettings, frame_statistics


def small() -> RnnElm:
    torch.manual_seed(0)
    return RnnElm(RnnElmSettings(hidden=6, elm_hidden=40), (2, 5, 30), 3)


def clips() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(3)
    return torch.randn(12, 2, 5, 30), torch.arange(12) % 3, torch.ones(12), torch.randint(5, 31, (12,))


def test_the_statistics_are_those_of_han_yu_and_tashev() -> None:
    torch.manual_seed(0)
    frames = torch.log_softmax(2 * torch.randn(2, 8, 4), dim=-1)
    lengths = torch.tensor([8, 3])
    given = frame_statistics(frames, lengths, threshold=0.2).numpy()
    for clip, n in enumerate(lengths.tolist()):
        own = np.exp(frames[clip, :n, 1:].numpy())
        wanted = np.concatenate([own.max(0), own.min(0), own.mean(0), (own > 0.2).mean(0)])
        assert np.allclose(given[clip], wanted, atol=1e-6)
    assert torch.equal(frame_statistics(frames, None, 0.2), frame_statistics(frames, torch.tensor([8, 8]), 0.2))


def test_logits_are_likelihoods_until_the_learning_machine_is_solved_and_in_training() -> None:
    network = small()
    x, targets, weights, lengths = clips()
    before = network(x, lengths)
    assert torch.allclose(network.eval()(x, lengths), before)
    network.solve([(x[:6], targets[:6], weights[:6], lengths[:6]), (x[6:], targets[6:], weights[6:], lengths[6:])])
    scores = network(x, lengths)
    log_probabilities = network.frames.frame_log_probabilities(x, lengths)
    assert torch.allclose(scores, network.elm(frame_statistics(log_probabilities, lengths, 0.2)), atol=1e-5)
    assert torch.allclose(network.train()(x, lengths), before)


def test_how_the_training_clips_are_batched_does_not_matter() -> None:
    x, targets, weights, lengths = clips()
    scores = []
    for size in (12, 5):
        network = small().eval()
        parts = [slice(start, start + size) for start in range(0, 12, size)]
        network.solve([(x[part], targets[part], weights[part], lengths[part]) for part in parts])
        scores.append(network(x, lengths).detach())
    assert torch.allclose(scores[0], scores[1], atol=1e-3)


def test_what_was_solved_is_in_the_state() -> None:
    x, targets, weights, lengths = clips()
    solved, other = small().eval(), RnnElm(RnnElmSettings(hidden=6, elm_hidden=40), (2, 5, 30), 3).eval()
    solved.solve([(x, targets, weights, lengths)])
    other.load_state_dict(solved.state_dict())
    assert torch.equal(other(x, lengths), solved(x, lengths))
