"""Networks of every kind in onnxruntime and in torch: the same scores, whatever the number of clips and frames."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import nn

from audionas.errors import RunError
from audionas.exchange.onnx_graph import onnx_model
from audionas.exchange.onnx_scorer import run_session, session_of
from audionas.exchange.scored_input import Fed, ScoredInput
from audionas.exchange.scoring_network import ScoringEnsemble, ScoringNetwork
from audionas.exchange.torch_scorer import TorchScorer
from audionas.experiment.chosen_networks import takes_any_length
from audionas.models import build_model
from audionas.models.baselines import named_baseline
from audionas.spaces import RecurrentMacro, load_search_space
from audionas.spaces.reference_recipes import reference_recipe
from audionas.training.batches import Normaliser
from audionas.training.multilabel import Multilabel
from audionas.training.regression import Regression
from audionas.training.tasks import Classification, TaskSeam

SHAPE = (1, 8, 12)
SMALL: dict[str, dict[str, str]] = {
    "attention_pooling_cnn": {"channels": "[4, 6]", "pool_after": "[2]"},
    "bigru": {"hidden": "3"},
    "cnn_blstm": {"filters": "4", "hidden": "3", "attention_hidden": "4", "heads": "2"},
    "cnn_gru": {"channels": "[2, 3, 3, 4]", "hidden": "3", "dense": "4"},
    "cnn_lstm": {"channels": "[2, 3, 3]", "hidden": "3"},
    "ctc_rnn": {"hidden": "3"},
    "fop": {"width": "8", "n_heads": "2", "inner": "8"},
    "lstm": {"hidden": "4", "n_layers": "2"},
    "plain_cnn": {"channels": "[3, 4]"},
    "resnet18_slim_8": {"width": "2"},
    "rnn_elm": {"hidden": "3", "elm_hidden": "5"},
    "pcnse_sadrn_ctc": {"channels": "[2, 3]", "width": "4", "dilations": "[1, 2]", "n_heads": "2"},
}


def hand_made(name: str) -> nn.Module:
    return build_model(named_baseline(name, SMALL[name]), input_shape=SHAPE, n_classes=3)


def recurrent(recipe: str, **macro: object) -> nn.Module:
    genotype = reference_recipe(recipe).within(RecurrentMacro(hidden=4, **macro))
    return build_model(genotype, input_shape=SHAPE, n_classes=3)


def cells(space: str) -> nn.Module:
    genotype = load_search_space(space).random(np.random.default_rng(3))
    return build_model(genotype, input_shape=SHAPE, n_classes=3, n_cells=2, channels=2)


def as_trained(network: nn.Module) -> nn.Module:
    """With statistics of batch norm that are not those of the start."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2.0)
    return network


def scorer_of(
    networks: Sequence[Sequence[nn.Module]], *, masked: Sequence[bool], task: TaskSeam | None = None
) -> TorchScorer:
    """Networks by the input that they read; every one with a normaliser of its own."""
    groups, inputs = [], []
    for number, (group, is_masked) in enumerate(zip(networks, masked, strict=True), start=1):
        end = "" if len(networks) == 1 else f"_{number}"
        normalisers = [Normaliser(np.full((1, 8, 1), 0.5 * k, np.float32), np.full((1, 8, 1), 2.0, np.float32))
                       for k in range(len(group))]  # fmt: skip
        groups.append([
            ScoringNetwork(as_trained(network), normaliser, task or Classification())
            for network, normaliser in zip(group, normalisers, strict=True)
        ])  # fmt: skip
        inputs.append(ScoredInput(
            features=f"features{end}", lengths=f"lengths{end}" if is_masked else None, scores=f"scores{end}",
            settings={}, shape=SHAPE, networks=tuple(f"n{k}" for k in range(len(group))),
            is_any_length=all(takes_any_length(network, is_masked) for network in group),
        ))  # fmt: skip
    ensemble = ScoringEnsemble(groups, masked).eval()
    return TorchScorer("classification", ("a", "b", "c"), tuple(inputs), 1.0, ensemble)


def fed(scorer: TorchScorer, n_rows: int, n_frames: int, seed: int = 0) -> list[Fed]:
    rng = np.random.default_rng(seed)
    found: list[Fed] = []
    for given in scorer.inputs:
        x = rng.normal(size=(n_rows, 1, 8, n_frames)).astype(np.float32)
        found.append((x, None if given.lengths is None else rng.integers(1, n_frames + 1, n_rows)))
    return found


def largest_difference(scorer: TorchScorer) -> float:
    """Over batches of 1 to 5 clips, and over numbers of frames where the graph takes any."""
    session = session_of(onnx_model(scorer.ensemble, scorer.inputs), "test")
    names = [value.name for value in session.get_outputs()]
    is_any = all(given.is_any_length for given in scorer.inputs)
    apart = []
    for n_rows, n_frames in ((1, 12), (5, 12), *(((2, 7), (3, 31), (1, 1)) if is_any else ())):
        rows = fed(scorer, n_rows, n_frames)
        pairs = zip(run_session(session, scorer.inputs, rows, names), scorer.outputs(rows), strict=True)
        apart += [float(np.abs(found - expected).max()) for found, expected in pairs]
    return max(apart)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def test_cells_of_a_cnn_with_masked_padding() -> None:
    assert largest_difference(scorer_of([[cells("darts_cnn_small")]], masked=[True])) < 1e-5


@pytest.mark.parametrize("bidirectional", [pytest.param(False, marks=pytest.mark.slow), True])
def test_a_recurrent_recipe_over_any_number_of_frames(bidirectional: bool) -> None:
    macro = {"n_layers": 2 - bidirectional, "pooling": "attention", "emit": "h0+h1"}
    network = recurrent("lstm", bidirectional=bidirectional, **macro)
    assert largest_difference(scorer_of([[network]], masked=[True])) < 1e-5


def test_an_ensemble_of_two_inputs_averages_all_networks() -> None:
    """Three networks, two on one input; the outputs of each input are the mean of its own."""
    scorer = scorer_of([[hand_made("lstm"), recurrent("gru", bidirectional=False)], [cells("darts_cnn_small")]],
                       masked=[True, False])  # fmt: skip
    assert largest_difference(scorer) < 1e-5
    everything, first, second = scorer.outputs(fed(scorer, 4, 12))
    np.testing.assert_allclose(everything, (2 * first + second) / 3, rtol=1e-6)
    (x, own), (y, _) = fed(scorer, 4, 12)
    alone = [
        torch.softmax(each.network((torch.from_numpy(x) - 0.5 * k) / 2 * _mask(own), torch.from_numpy(own)), 1)
        for k, each in enumerate(scorer.ensemble.networks[0])
    ]
    np.testing.assert_allclose(first, torch.stack(alone).mean(0).detach().numpy(), rtol=1e-5)
    third = scorer.ensemble.networks[1][0].network(torch.from_numpy(y) / 2)
    np.testing.assert_allclose(second, torch.softmax(third, 1).detach().numpy(), rtol=1e-5)


def _mask(own: np.ndarray) -> torch.Tensor:
    return torch.from_numpy((np.arange(12)[None, :] < own[:, None]).astype(np.float32))[:, None, None, :]


WITHOUT_MASKS = ("cnn_lstm", "pcnse_sadrn_ctc", "resnet18_slim_8", "rnn_elm")  # with masks they take minutes


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SMALL))
def test_hand_made_systems(name: str) -> None:
    masked = name not in WITHOUT_MASKS
    assert largest_difference(scorer_of([[hand_made(name)]], masked=[masked])) < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "last_step"),
    [
        (Multilabel(), lambda logits: 1 / (1 + np.exp(-logits))),
        (Regression((1.0, 2.0, 3.0), (2.0, 4.0, 8.0)), lambda logits: logits * [2.0, 4.0, 8.0] + [1.0, 2.0, 3.0]),
    ],
)
def test_the_last_step_of_a_task_is_in_the_graph(task: TaskSeam, last_step: object) -> None:
    network = hand_made("plain_cnn")
    scorer = scorer_of([[network]], masked=[False], task=task)
    assert largest_difference(scorer) < 1e-5
    ((x, _),) = fed(scorer, 3, 12)
    with torch.no_grad():
        logits = network(torch.from_numpy(x) / 2).double().numpy()
    np.testing.assert_allclose(scorer.outputs([(x, None)])[0], last_step(logits), rtol=1e-5)  # type: ignore[operator]


@pytest.mark.slow
@pytest.mark.parametrize("space", ["time_frequency_cnn", "cnn_macro"])
def test_cells_without_masks_over_any_number_of_frames(space: str) -> None:
    assert largest_difference(scorer_of([[cells(space)]], masked=[False])) < 1e-5


class Undecided(nn.Module):
    """Takes another way by the values that it is given, which no graph can."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean(dim=(2, 3)) if float(x.sum()) > 0 else x.amax(dim=(2, 3))


def test_a_network_that_cannot_be_exported_is_one_line() -> None:
    scorer = scorer_of([[Undecided()]], masked=[False])
    with pytest.raises(RunError, match=r"^this network cannot be exported to ONNX \([^\n]+\)$"):
        onnx_model(scorer.ensemble, scorer.inputs)


def test_nothing_of_this_machine_is_in_the_graph() -> None:
    model = onnx_model(scorer_of([[Plain()]], masked=[False]).ensemble, scorer_of([[Plain()]], masked=[False]).inputs)
    assert b".py" not in model
    assert b"site-packages" not in model


class Plain(nn.Module):
    """Means of the first three features."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, 0, :3].mean(dim=2)
