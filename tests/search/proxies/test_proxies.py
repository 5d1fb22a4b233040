"""Zero-cost proxies against their formulas, on networks small enough to write them out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from audionas.errors import SettingsError
from audionas.models import build_model, n_parameters
from audionas.ops import CNN_OPS, build_cnn_op
from audionas.search.proxies import GATES, PROXIES, check_proxy, compute, refuse_network, suited_proxy
from audionas.search.proxies.suited import GATED
from audionas.spaces import load_search_space
from audionas.training.ledger import Ledger
from audionas.training.tasks import TASKS

TASK = TASKS["classification"]


def batch(n: int = 4, size: int = 3, lengths: Tensor | None = None) -> Any:
    rng = np.random.default_rng(0)
    x = torch.from_numpy(rng.normal(size=(n, size)).astype(np.float32))
    return x, torch.arange(n) % 2, torch.tensor([1.0, 2.0] * (n // 2)), lengths


def tiny(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, 2))


def arrays(network: nn.Sequential) -> tuple[np.ndarray, ...]:
    first, last = network[0], network[3]
    return tuple(p.detach().double().numpy() for p in (first.weight, first.bias, last.weight, last.bias))


def test_synflow_is_the_flow_of_ones_through_absolute_weights_layer_by_layer() -> None:
    network = tiny()
    w1, b1, w2, _ = (np.abs(each) for each in arrays(network))
    # R = sum(W2 (W1 1 + b1)) + sum(b2): W1 gets sum(W2 W1 1) of it, W2 gets sum(W2 (W1 1 + b1))
    ones = np.ones(3)
    expected = (w2 @ w1 @ ones).sum() + (w2 @ (w1 @ ones + b1)).sum()
    assert compute("synflow", network, batch(), TASK) == pytest.approx(math.log(expected))


def test_synflow_does_not_read_the_clips_and_nothing_flows_through_a_dead_layer() -> None:
    x, *rest = batch()
    assert compute("synflow", tiny(), batch(), TASK) == compute("synflow", tiny(), (9 * x, *rest), TASK)
    dead = tiny()
    nn.init.zeros_(dead[3].weight)
    nn.init.zeros_(dead[0].weight)
    nn.init.zeros_(dead[0].bias)
    assert compute("synflow", dead, batch(), TASK) == -math.inf


def test_naswot_is_the_log_determinant_of_agreements_of_relu_codes() -> None:
    network = tiny()
    x, *_ = batch()
    w1, b1, _, _ = arrays(network)
    hidden = x.double().numpy() @ w1.T + b1
    bits = hidden > hidden.mean(axis=0)  # batch norm in train mode: on where above the batch's mean
    kernel = [[(a == b).sum() for b in bits] for a in bits]
    expected = math.log(abs(np.linalg.det(np.array(kernel, dtype=float))))
    assert compute("naswot", network, batch(), TASK) == pytest.approx(expected)


def test_clips_with_equal_codes_cannot_be_told_apart() -> None:
    x, *rest = batch()
    same = torch.cat([x[:2], x[:2]])
    assert compute("naswot", tiny(), (same, *rest), TASK) == -math.inf


def test_grad_norm_adds_the_norms_of_the_gradients_of_each_weight_matrix() -> None:
    torch.manual_seed(1)
    network = nn.Sequential(nn.Linear(3, 5), nn.Linear(5, 2))
    x, targets, weights, _ = batch()
    w1, b1, w2, b2 = (p.detach().double().numpy() for p in network.parameters())
    inputs = x.double().numpy()
    hidden = inputs @ w1.T + b1
    logits = hidden @ w2.T + b2
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    share = weights.double().numpy() / float(weights.sum())
    error = (scores - np.eye(2)[targets.numpy()]) * share[:, None]  # of the weighted mean cross-entropy
    expected = np.linalg.norm(error.T @ hidden) + np.linalg.norm((error @ w2).T @ inputs)
    assert compute("grad_norm", network, batch(), TASK) == pytest.approx(expected, rel=1e-5)


def test_parameters_are_counted() -> None:
    assert compute("parameters", tiny(), batch(), TASK) == n_parameters(tiny()) == 3 * 5 + 5 + 2 * 5 + 5 * 2 + 2


@pytest.mark.parametrize("name,forward,backward", [("synflow", 1, 1), ("naswot", 4, 0), ("grad_norm", 4, 4),
                                                   ("parameters", 0, 0)])  # fmt: skip
def test_what_a_proxy_costs_is_counted(name: str, forward: int, backward: int) -> None:
    ledger = Ledger("search", "cpu", {}, lambda _: None)
    with ledger.working():
        compute(name, tiny(), batch(), TASK)
    assert ledger.record()["clip_passes"] == {"forward": forward, "backward": backward}


def network_of(space: str, shape: tuple[int, int, int] = (1, 16, 16)) -> nn.Module:
    genotype = load_search_space(space).random(np.random.default_rng(0))
    return build_model(genotype, input_shape=shape, n_classes=2)


@pytest.mark.parametrize("name", ["synflow", "naswot"])
def test_recurrent_cells_are_refused_where_a_proxy_has_no_meaning(name: str) -> None:
    match = f"proxy '{name}' has no meaning for recurrent cells, .*; take grad_norm or parameters"
    with pytest.raises(SettingsError, match=match):
        refuse_network(name, network_of("nas_bench_nlp_rnn"))
    with pytest.raises(SettingsError, match=match):
        check_proxy(name, "recurrent_catalogue")
    with pytest.raises(SettingsError, match=match):
        check_proxy(name, "darts_recurrent")
    check_proxy(name, "cnn_cell")


def test_gates_are_refused_by_synflow_and_networks_without_relu_by_naswot() -> None:
    with pytest.raises(SettingsError, match="'synflow' has no meaning for cells with GLU, which are not linear"):
        compute("synflow", nn.Sequential(nn.Linear(3, 4), nn.GLU()), batch(), TASK)
    with pytest.raises(SettingsError, match="'naswot' has no meaning for networks without ReLU"):
        compute("naswot", nn.Linear(3, 2), batch(), TASK)


def test_an_unknown_proxy_suggests_the_nearest() -> None:
    with pytest.raises(SettingsError, match=r"unknown zero-cost proxy 'synflo' \(did you mean 'synflow'\?\)"):
        check_proxy("synflo")


@pytest.mark.parametrize("name", PROXIES)
def test_every_proxy_has_a_finite_value_on_cells_and_those_with_meaning_on_recurrent_ones_too(name: str) -> None:
    x = torch.from_numpy(np.random.default_rng(0).normal(size=(4, 1, 16, 16)).astype(np.float32))
    _, targets, weights, _ = batch()
    assert math.isfinite(compute(name, network_of("darts_cnn_small"), (x, targets, weights, None), TASK))
    if not PROXIES[name].cnn_only:
        lengths = torch.tensor([16, 9, 3, 16])
        assert compute(name, network_of("nas_bench_nlp_rnn"), (x, targets, weights, lengths), TASK) > 0


def test_auto_is_synflow_where_every_network_of_a_space_lets_it_through() -> None:
    expected = {
        "darts_cnn": "synflow", "darts_cnn_small": "synflow", "time_frequency_cnn": "grad_norm",
        "nas_bench_nlp_rnn": "grad_norm", "nas_bench_nlp_catalogue": "grad_norm", "darts_rnn": "grad_norm",
    }  # fmt: skip
    assert {name: suited_proxy("auto", load_search_space(name)) for name in expected} == expected
    assert suited_proxy("naswot", load_search_space("time_frequency_cnn")) == "naswot"


@pytest.mark.parametrize("op", CNN_OPS)
def test_the_operations_with_gates_are_those_that_auto_knows(op: str) -> None:
    network = build_cnn_op(op, 4, 1, True)
    assert any(isinstance(module, GATES) for module in network.modules()) == (op in GATED)
