"""Policy gradient: a recurrent network proposes candidates, choice after choice, and learns from their scores by PPO.

Source: Zoph and Le 2017, "Neural Architecture Search with Reinforcement Learning", section 3.2, with REINFORCE replaced
by the PPO of Schulman et al. 2017, as Zoph et al. 2018 (NASNet) do. Needs the extra `rl`.
"""

from __future__ import annotations

from typing import Any


def build(
    *,
    seed: int,
    samples_per_update: int = 20,
    policy_learning_rate: float = 3.0e-3,
    hidden: int = 64,
    repeats: int = 10,
) -> Any:
    """NNI's PolicyBasedRL.

    Args:
        samples_per_update: candidates after which the policy is updated.
        policy_learning_rate: of Adam.
        hidden: units of the policy's LSTM.
        repeats: how often an update passes over its candidates.

    Raises:
        SettingsError: the extra `rl` is not installed.
    """
    from audionas.search.extra_rl import check

    check("policy_gradient")
    from audionas.search.nni_policy import KeyedPolicy

    return KeyedPolicy(
        seed, samples_per_update=samples_per_update, learning_rate=policy_learning_rate, hidden=hidden, repeats=repeats
    )
