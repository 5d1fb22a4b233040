"""The network and the PPO of NNI's policy gradient, without what they compute several times over.

NNI runs its LSTM over a whole trajectory for every choice that is drawn, for every row of a minibatch and for actor and
critic each, and wraps every choice in deep copies; on a space of 24 choices that is most of a tabular search. Here a
draw takes the LSTM one step further, rows of one trajectory share a pass, and so do actor and critic. Draws, losses
and updates are those of tianshou 0.5.1 and NNI 3.0 but for rounding, which a test compares.

Source: Schulman et al. 2017, "Proximal Policy Optimization Algorithms", eq. 7 and 9.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from nni.nas.strategy._rl_impl import Actor, Critic, Preprocessor
from tianshou.data import Batch, ReplayBuffer, to_torch
from tianshou.policy import PPOPolicy
from torch import Tensor
from torch.distributions import Categorical
from torch.nn.functional import pad


class SharedPasses(Preprocessor):  # type: ignore[misc]
    """NNI's LSTM over the choices so far. It looks back only, so one pass serves every step of a trajectory."""

    def forward(self, obs: Any) -> Tensor:
        """(rows, hidden), float32, of rows with `action_history` (rows, choices) and `cur_step` (rows,)."""
        steps = obs["cur_step"].long()
        histories, places = torch.unique(obs["action_history"].long(), dim=0, return_inverse=True)
        n_steps = int(steps.max()) + 1
        tokens = pad(histories + 1, (1, 0))[:, :n_steps]  # 0 begins
        features, _ = self.rnn(self._inputs(tokens, torch.arange(n_steps)))
        return self.fc(features[places, steps])  # type: ignore[no-any-return]

    def step(self, token: int, number: int, state: Any) -> tuple[Tensor, Any]:
        """(1, hidden) of one step more, and the state after it; `token` is the choice before plus 1, or 0."""
        inputs = self._inputs(torch.tensor([[token]]), torch.tensor([number]))[:, 0]
        zeros = torch.zeros(1, self.hidden_dim)
        state = torch.lstm_cell(inputs, state or (zeros, zeros), *self.rnn.all_weights[0])
        return self.fc(state[0]), state

    def _inputs(self, tokens: Tensor, numbers: Tensor) -> Tensor:
        """(rows, steps, hidden + step_dim) of tokens (rows, steps) and the numbers of the steps (steps,)."""
        places = torch.eye(self.step_dim)[numbers].expand(len(tokens), -1, -1)
        return torch.cat((self.embedding(tokens), places), dim=-1)


class SharedPpo(PPOPolicy):  # type: ignore[misc]
    """tianshou's PPO with its defaults, where actor and critic are linear layers over one network."""

    def learn(self, batch: Any, batch_size: int, repeat: int, **_: Any) -> dict[str, Any]:
        """Pass `repeat` times over shuffled minibatches."""
        rows, obs = Batch(place=np.arange(len(batch))), to_torch(batch.obs)
        for _pass in range(repeat):
            for part in rows.split(batch_size, merge_last=True):
                places = torch.from_numpy(part.place)
                loss = self._loss(obs[places], batch.act[places], batch.logp_old[places], batch.adv[places],
                                  batch.returns[places])  # fmt: skip
                self.optim.zero_grad()
                torch.autograd.backward(loss)
                self.optim.step()
        return {}

    def _loss(self, obs: Any, act: Tensor, logp_old: Tensor, advantages: Tensor, returns: Tensor) -> Tensor:
        """Clipped surrogate, half the squared error of the value, and 0.01 of the entropy; of each (rows,)."""
        features = self.actor.preprocess(obs)
        chances: Any = Categorical(_probabilities(self.actor, features, obs["action_dim"]), validate_args=False)
        advantages = (advantages - advantages.mean()) / (advantages.std() + self._eps)
        ratio: Tensor = (chances.log_prob(act) - logp_old).exp()
        clipped = ratio.clamp(1.0 - self._eps_clip, 1.0 + self._eps_clip)
        surrogate = torch.min(ratio * advantages, clipped * advantages).mean()
        error = (returns - self.critic.linear(features).flatten()).pow(2).mean()
        entropy: Tensor = chances.entropy().mean()
        return torch.sub(self._weight_vf * error, surrogate + self._weight_ent * entropy)


def make_policy(environment: Any, learning_rate: float, hidden: int) -> SharedPpo:
    """NNI's default policy over the shared network, its parameters in a fixed order (NNI hands Adam a `set`)."""
    network = SharedPasses(environment.observation_space, hidden)
    actor, critic = Actor(environment.action_space, network), Critic(network)
    parameters = list(dict.fromkeys([*actor.parameters(), *critic.parameters()]))
    return SharedPpo(
        actor, critic, torch.optim.Adam(parameters, learning_rate, fused=True), Categorical,
        discount_factor=1.0, action_space=environment.action_space,
    )  # fmt: skip


@torch.no_grad()
def draw(policy: SharedPpo, n_options: Sequence[int]) -> list[int]:
    """The number of an option of each choice, drawn one after another; from torch's global generator."""
    network, taken, token, state = policy.actor.preprocess, [], 0, None
    for number, n in enumerate(n_options):
        features, state = network.step(token, number, state)
        token = 1 + int(torch.multinomial(_probabilities(policy.actor, features, torch.tensor([n])), 1))
        taken.append(token - 1)
    return taken


def trajectory(taken: Sequence[int], n_options: Sequence[int], reward: float) -> ReplayBuffer:
    """What a policy learns from one candidate: each choice a transition, the score as the reward of the last."""
    n = len(taken)
    history, steps = np.tile(np.asarray(taken, dtype=np.int32), (n, 1)), np.arange(n)
    is_last = steps == n - 1
    return ReplayBuffer.from_data(
        obs=Batch(action_history=history, cur_step=steps, action_dim=np.asarray(n_options)),
        act=np.asarray(taken),
        rew=np.where(is_last, reward, 0.0),
        terminated=is_last,
        truncated=np.zeros(n, dtype=bool),
        done=is_last,
        obs_next=Batch(action_history=history, cur_step=steps + 1,
                       action_dim=np.asarray([*n_options[1:], max(n_options)])),
    )  # fmt: skip


def _probabilities(actor: Actor, features: Tensor, n_options: Tensor) -> Tensor:
    """(rows, most options), float32: 0 for what a row's choice does not have."""
    logits = actor.linear(features)
    is_none = torch.arange(logits.shape[1]) >= n_options[:, None]
    return torch.softmax(logits.masked_fill(is_none, -torch.inf), dim=-1)
