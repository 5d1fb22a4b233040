"""The controller of ENAS: its probabilities are those that it draws by, REINFORCE is the formula, and it learns."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from audionas.errors import RunError
from audionas.search.controller import Controller, Drawn, load_controller

CHOICES = {"a": ("x", "y", "z"), "only": ("one",), "b": ("0", "1")}


def draws(controller: Controller, n: int) -> list[Drawn]:
    with torch.no_grad():
        return [controller(seed) for seed in range(n)]


def test_probabilities_of_all_samples_sum_to_one_and_are_the_frequencies_of_the_draws() -> None:
    controller = Controller(CHOICES, seed=0)
    for parameter in controller.parameters():
        parameter.data.mul_(10)  # far from uniform
    drawn = draws(controller, 1500)
    probability = {tuple(each.sample.values()): math.exp(each.log_probability) for each in drawn}
    assert len(probability) == 3 * 2
    assert sum(probability.values()) == pytest.approx(1, abs=1e-5)
    counts = Counter(tuple(each.sample.values()) for each in drawn)
    for sample, p in probability.items():
        assert counts[sample] / 1500 == pytest.approx(p, abs=4 * math.sqrt(p * (1 - p) / 1500))
    assert max(probability.values()) > 0.3, "or the test could not tell it from a uniform draw"


def test_the_mean_entropy_of_draws_is_the_entropy_of_their_distribution() -> None:
    drawn = draws(Controller(CHOICES, seed=0), 2000)
    p = np.array(list({tuple(d.sample.values()): math.exp(d.log_probability) for d in drawn}.values()))
    assert np.mean([d.entropy for d in drawn]) == pytest.approx(-(p * np.log(p)).sum(), abs=0.01)


def test_a_seed_gives_one_sample_whatever_was_drawn_before_and_samples_hold_every_choice() -> None:
    first, second = Controller(CHOICES, seed=0), Controller(CHOICES, seed=0)
    draws(first, 5)
    assert first.drawn(7) == second.drawn(7)
    assert first.drawn(7)["only"] == "one"
    assert list(first.drawn(7)) == list(CHOICES)
    assert len({tuple(first.drawn(seed).items()) for seed in range(50)}) > 1


def test_the_baseline_is_the_moving_average_of_mean_rewards_and_starts_at_the_first() -> None:
    controller = Controller(CHOICES, seed=0)
    assert controller.advantage([0.25, 0.75], decay=0.5) == pytest.approx([-0.25, 0.25])
    assert controller.advantage([1.0], decay=0.5) == pytest.approx([1 - 0.75])  # 0.5 x 0.5 + 0.5 x 1
    assert controller.advantage([0.0], decay=0.75) == pytest.approx([-0.5625])  # 0.75 x 0.75


def test_the_loss_is_that_of_reinforce() -> None:
    controller = Controller(CHOICES, seed=0)
    drawn = draws(controller, 2)
    loss = controller.reinforce(drawn, [0.2, 0.6], decay=0.9)
    first, second = (float(each.log_probability) for each in drawn)
    assert float(loss) == pytest.approx(-((0.2 - 0.4) * first + (0.6 - 0.4) * second) / 2, abs=1e-6)


def test_what_is_rewarded_becomes_likely() -> None:
    controller = Controller(CHOICES, seed=0)
    adam = torch.optim.Adam(controller.parameters(), 0.01)
    for step in range(100):
        drawn = [controller(10_000 + 2 * step + k) for k in range(2)]
        rewards = [float(each.sample["a"] == "z" and each.sample["b"] == "1") for each in drawn]
        adam.zero_grad()
        controller.reinforce(drawn, rewards, decay=0.9).backward()
        adam.step()
    found = Counter((each.sample["a"], each.sample["b"]) for each in draws(controller, 200))
    assert found["z", "1"] > 120, "1 in 6 before: 33"
    assert controller.likeliest() == {"a": "z", "only": "one", "b": "1"}


def test_a_controller_without_a_checkpoint_or_of_another_space_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"last\.pt: missing, so the controller is not known; search again"):
        load_controller(tmp_path, CHOICES)
    saved = {f"controller.{key}": value for key, value in Controller(CHOICES, seed=3).state_dict().items()}
    (tmp_path / "checkpoint").mkdir()
    state = {"epoch": 1, "module": saved, "optimisers": [], "schedules": []}
    torch.save(state, tmp_path / "checkpoint" / "last.pt")
    assert load_controller(tmp_path, CHOICES).drawn(4) == Controller(CHOICES, seed=3).drawn(4)
    with pytest.raises(RunError, match="holds another controller than one of this run's space"):
        load_controller(tmp_path, {"a": ("x", "y")})
