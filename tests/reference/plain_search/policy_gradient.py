"""Policy gradient, plain (Zoph and Le 2017, section 3.2): an LSTM over the choices so far draws, and learns by PPO.

Every 20 scores: Schulman et al. 2017, eq. 7, 9, 11; discount 1, lambda 0.95, clipping at 0.2, weights 0.5 and 0.01.
"""

import random

import torch
from torch import nn
from torch.distributions import Categorical


class Policy(nn.Module):
    def __init__(self, sizes, hidden=64):
        super().__init__()
        self.masked = torch.arange(max(sizes)) >= torch.tensor(sizes)[:, None]
        self.places, self.embedding = torch.eye(len(sizes) + 2)[: len(sizes)], nn.Embedding(max(sizes) + 1, hidden)
        self.lstm = nn.LSTM(hidden + len(sizes) + 2, hidden, batch_first=True)
        self.mixed, self.actor, self.critic = (nn.Linear(hidden, k) for k in (hidden, max(sizes), 1))

    def forward(self, points):  # (points, choices), of which only earlier choices are seen
        tokens = torch.cat((torch.zeros_like(points[:, :1]), points[:, :-1] + 1), 1)
        inputs = torch.cat((self.embedding(tokens), self.places.expand(len(points), -1, -1)), -1)
        features = torch.relu(self.mixed(self.lstm(inputs)[0]))
        return Categorical(logits=self.actor(features).masked_fill(self.masked, -1e9)), self.critic(features)[..., 0]

    def learn(self, optimiser, points, scores):
        with torch.no_grad():
            (chances, values), gain, n = self(points), torch.zeros(len(points), points.shape[1] + 1), points.numel()
            old, after = chances.log_prob(points), torch.cat((values[:, 1:], scores[:, None]), 1)
            for t in reversed(range(points.shape[1])):
                gain[:, t] = after[:, t] - values[:, t] + 0.95 * gain[:, t + 1]
        for rows in (rows for _ in range(10) for rows in torch.randperm(n).tensor_split((*range(32, n - n % 32, 32),))):
            (chances, now), better = self(points), gain[:, :-1].flatten()[rows]
            ratio = (chances.log_prob(points) - old).exp().flatten()[rows]
            better = (better - better.mean()) / (better.std() + 1e-8)
            surrogate = torch.min(ratio * better, ratio.clamp(0.8, 1.2) * better).mean()
            error = ((gain[:, :-1] + values - now) ** 2).flatten()[rows].mean()
            optimiser.zero_grad()
            (0.5 * error - surrogate - 0.01 * chances.entropy().flatten()[rows].mean()).backward()
            optimiser.step()


def search(sizes, score, n, seed, name=tuple):
    torch.manual_seed(seed)
    rng, found, policy = random.Random(seed), {}, Policy(sizes)
    optimiser = torch.optim.Adam(policy.parameters(), 3e-3)
    while len(found) < n:
        drawn = torch.zeros(1, len(sizes), dtype=torch.long)
        for t in range(len(sizes)):
            drawn[0, t] = policy(drawn)[0].sample()[0, t]
        point = tuple(drawn[0].tolist())
        while name(point) in found:  # changed in one choice after another until it is new
            i = rng.choice([i for i, size in enumerate(sizes) if size > 1])
            point = point[:i] + (rng.choice([o for o in range(sizes[i]) if o != point[i]]),) + point[i + 1 :]
        found[name(point)] = point, score(point)
        if len(found) % 20 == 0:
            policy.learn(optimiser, *map(torch.tensor, zip(*list(found.values())[-20:], strict=True)))
    return [score for _, score in found.values()]
