"""After a step of two alphas the shares of all others are what they were."""

from __future__ import annotations

import numpy as np
import torch

from audionas.search.rescaled_pairs import rescale_pair


def test_shares_of_candidates_that_were_not_drawn_stay() -> None:
    before = torch.tensor([[0.2, -1.0, 0.7, 0.1], [0.0, 1.0, 2.0, 3.0]], dtype=torch.float64)
    pair = torch.tensor([[True, False, True, False], [False, True, True, False]])
    after = before + pair * torch.tensor([[0.5, 0.0, -0.3, 0.0], [0.0, 1.0, 0.2, 0.0]], dtype=torch.float64)
    step = (after[0, 0] - after[0, 2]).item()
    rescale_pair(after, before, pair)
    shares = [np.exp(each.numpy()) / np.exp(each.numpy()).sum(1, keepdims=True) for each in (before, after)]
    np.testing.assert_allclose(shares[0][~pair.numpy()], shares[1][~pair.numpy()], rtol=1e-12)
    assert not np.allclose(shares[0], shares[1])
    assert (after[0, 0] - after[0, 2]).item() == step, "between the two the step stands"


def test_a_decision_of_a_recurrent_cell_is_one_row() -> None:
    before, pair = torch.tensor([0.2, -1.0, 0.7], dtype=torch.float64), torch.tensor([True, False, True])
    after = before + torch.tensor([0.5, 0.0, -0.3], dtype=torch.float64)
    rescale_pair(after, before, pair)
    shares = [np.exp(each.numpy()) / np.exp(each.numpy()).sum() for each in (before, after)]
    assert abs(shares[0][1] - shares[1][1]) < 1e-12
    assert shares[1][0] > shares[0][0]
