"""The policy's network and its updates are those of NNI and tianshou, with fewer passes."""

from __future__ import annotations

from typing import Any

import nni
import numpy as np
import pytest
import torch

from audionas.search import extra_rl
from audionas.search.nni_quiet import import_nni

if not extra_rl.is_installed():
    pytest.skip("the extra rl is not installed", allow_module_level=True)
import_nni()
extra_rl.policy_based_rl()

OPTIONS = {"a": ["p", "q", "r"], "b": ["x"], "c": ["s", "t"], "d": ["u", "v", "w"]}
SIZES = [3, 1, 2, 3]


def both() -> tuple[Any, Any, Any]:
    """A space, tianshou's PPO over NNI's network, and ours with the same weights."""
    from nni.mutable import MutableList
    from nni.nas.strategy._rl_impl import TuningEnvironment, default_policy_fn

    from audionas.search.nni_policy_network import make_policy

    environment = TuningEnvironment(SIZES)
    theirs, ours = default_policy_fn(environment, 3e-3, 16), make_policy(environment, 3e-3, 16)
    ours.load_state_dict(theirs.state_dict())
    return MutableList([nni.choice(label, options) for label, options in OPTIONS.items()]), theirs, ours


def test_a_draw_is_that_of_nni() -> None:
    from nni.nas.strategy._rl_impl import TuningTrajectoryGenerator

    from audionas.search.nni_policy_network import draw

    space, theirs, ours = both()
    drawn = set()
    for seed in range(20):
        torch.manual_seed(seed)
        sample = TuningTrajectoryGenerator(space, theirs).next_sample()
        torch.manual_seed(seed)
        taken = draw(ours, SIZES)
        assert [options[k] for options, k in zip(OPTIONS.values(), taken, strict=True)] == list(sample.values())
        drawn.add(tuple(taken))
    assert len(drawn) > 5


def test_updates_are_those_of_tianshou_on_the_trajectories_of_nni() -> None:
    from nni.nas.strategy._rl_impl import TuningTrajectoryGenerator
    from tianshou.data import ReplayBuffer

    from audionas.search.nni_policy_network import trajectory

    space, theirs, ours = both()
    before = {name: values.clone() for name, values in theirs.actor.state_dict().items()}
    for update in range(3):
        buffers = ReplayBuffer(40), ReplayBuffer(40)
        for number in range(10):
            torch.manual_seed(100 * update + number)
            generator = TuningTrajectoryGenerator(space, theirs)
            sample = generator.next_sample()
            taken = [options.index(sample[label]) for label, options in OPTIONS.items()]
            reward = float(np.cos(number))
            buffers[0].update(generator.send_reward(reward))
            buffers[1].update(trajectory(taken, SIZES, reward))
        for policy, buffer in zip((theirs, ours), buffers, strict=True):
            policy.train()
            np.random.seed(update)  # noqa: NPY002 - what tianshou shuffles with
            policy.update(0, buffer, batch_size=16, repeat=4)
    for name, values in ours.state_dict().items():
        torch.testing.assert_close(values, theirs.state_dict()[name], rtol=1e-3, atol=1e-4)
    moved = [float((values - before[name]).abs().max()) for name, values in ours.actor.state_dict().items()]
    assert max(moved) > 0.02, "a hundred times what the comparison lets pass"
