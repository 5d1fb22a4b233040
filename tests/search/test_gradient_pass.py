"""Passes that are captured give what passes by themselves give: losses, alphas, weights, statistics, costs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from audionas.errors import SettingsError
from audionas.experiment.prepare import PrepareOptions
from audionas.experiment.search import SearchRequest, search
from audionas.kernels import tell_of_kernels
from audionas.models import Supernet
from audionas.records import read_json, read_jsonl
from audionas.search import nni_darts
from audionas.search.gradient_pass import MOST_SHAPES, EagerRunner, GradientPass, GraphRunner, unchanged
from audionas.search.sparing import Sparing
from audionas.training.batches import Batch
from tests.experiment.conftest import make_tiny_corpus, make_tiny_space

SEARCHES = {
    "darts": "algorithm: darts\nsettings: {}\n",
    "fair_darts": "algorithm: fair_darts\nsettings: {}\n",
    "pc_darts": "algorithm: pc_darts\nsettings: {partial: 2, warmup: 0.4}\n",
    "darts_second_order": "algorithm: darts_second_order\nsettings: {}\n",
    "noise": "algorithm: darts\nsettings: {}\nrecipe: {augmentation: {time_mask: 0.3, feature_mask: 0.3}}\n",
}


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    folder = tmp_path_factory.mktemp("captured")
    return folder, make_tiny_corpus(folder), make_tiny_space(folder)


def run(places: tuple[Path, Path, Path], name: str, out: str) -> tuple[list[dict[str, Any]], dict[str, Tensor], Any]:
    """Epochs without times, the last checkpoint's tensors, and clip-passes."""
    folder, corpus, space = places
    strategy = folder / f"{name}.yaml"
    parts = "batch_size: 5\nparts: {weights: 0.5, alphas: 0.5}\nbudget: {epochs: 3}\n"
    strategy.write_text(SEARCHES[name] + parts)
    made = search(
        SearchRequest(
            corpus,
            str(space),
            str(strategy),
            threads=1,
            out=folder / out,
            preparation=PrepareOptions(group_from="^(s[0-9])", folds="3"),
        )
    )
    epochs = [
        {key: value for key, value in line.items() if key != "seconds"} for line in read_jsonl(made / "epochs.jsonl")
    ]
    state = torch.load(made / "checkpoint" / "last.pt", weights_only=True)
    return epochs, state["module"], read_json(made / "run.json", "run")["cost"]["clip_passes"]


@pytest.mark.parametrize("name", SEARCHES)
def test_a_captured_search_is_the_search(
    places: tuple[Path, Path, Path], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = run(places, name, f"{name}-plain")
    captures: list[int] = []

    class Counted(EagerRunner):
        def capture(self, *given: Any) -> Any:
            captures.append(1)
            return super().capture(*given)

    monkeypatch.setattr("audionas.search.nni_darts.graph_runner", lambda _: Counted())
    captured = run(places, name, f"{name}-captured")
    assert captured[0] == plain[0]
    assert captured[1].keys() == plain[1].keys()
    assert all(torch.equal(captured[1][key], plain[1][key]) for key in plain[1])
    assert captured[2] == plain[2]
    kinds = 4 if name == "darts_second_order" else 2  # the ordinary weight pass, and three of its own
    assert kinds <= len(captures) <= 2 * kinds  # in batches of one or two sizes


@pytest.mark.parametrize("algorithm", ["gumbel_darts", "proxyless"])
def test_what_draws_on_the_host_is_not_captured(
    places: tuple[Path, Path, Path], algorithm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SEARCHES, algorithm, f"algorithm: {algorithm}\nsettings: {{}}\n")
    monkeypatch.setattr("audionas.search.nni_darts.graph_runner", lambda _: pytest.fail("captured"))
    assert len(run(places, algorithm, algorithm)[0]) == 3


def test_graphs_are_of_cards_and_can_be_turned_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nni_darts, "GraphRunner", lambda device: device)
    card = torch.device("cuda")
    assert (nni_darts.graph_runner(card), nni_darts.graph_runner(torch.device("cpu"))) == (card, None)
    monkeypatch.setenv("AUDIONAS_GRAPHS", "off")
    assert nni_darts.graph_runner(card) is None
    monkeypatch.setenv("AUDIONAS_GRAPHS", "no")
    with pytest.raises(SettingsError, match="AUDIONAS_GRAPHS: got 'no'; accepted: on, off"):
        nni_darts.graph_runner(card)


class Counter(Supernet):
    """A loss with a statistic and noise."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3))
        self.norm = nn.BatchNorm1d(3)

    def gradients(self, batch: Batch) -> Tensor:
        loss = (self.norm(batch[0]) * self.weight + torch.rand(3)).square().mean()
        loss.backward()
        return loss.detach()


def batch(n: int) -> Batch:
    return torch.randn(n, 3), torch.zeros(n), torch.ones(n), None


def test_warming_up_leaves_statistics_and_noise_as_they_were() -> None:
    network, given = Counter(), batch(4)
    torch.manual_seed(1)
    expected = (float(torch.rand(1)), network.norm.running_mean.clone())  # type: ignore[union-attr]
    torch.manual_seed(1)
    with unchanged(network):
        network.gradients(given)
    assert (network.norm.running_mean == expected[1]).all()  # type: ignore[union-attr]
    assert float(torch.rand(1)) == expected[0]


def test_more_shapes_than_are_kept_run_uncaptured() -> None:
    network = Counter()
    captured = GradientPass(network.gradients, [network.weight], network, EagerRunner(), Sparing(network))
    for n in range(2, 2 + MOST_SHAPES + 2):
        given = batch(n)
        torch.manual_seed(n)
        loss = captured(given)
        gradient = network.weight.grad
        network.weight.grad = None
        torch.manual_seed(n)
        assert loss == network.gradients(given)
        assert torch.equal(gradient, network.weight.grad)  # type: ignore[arg-type]
    assert len(captured._known) == MOST_SHAPES


def test_what_cannot_be_captured_runs_uncaptured_and_says_so_once() -> None:
    class Refuses(EagerRunner):
        def capture(self, *_: Any) -> Any:
            raise RuntimeError("operation not permitted when stream is capturing\nmore")

    said: list[str] = []
    tell_of_kernels(said.append)
    network = Counter()
    captured = GradientPass(network.gradients, [network.weight], network, Refuses(), Sparing(network))
    losses = [float(captured(batch(3))) for _ in range(3)]
    assert len(set(losses)) == 3
    assert said == [
        "search: its passes cannot be captured as CUDA graphs (operation not permitted when stream is capturing); "
        "they run uncaptured, which is slower"
    ]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_graphs_on_a_card_give_what_the_pass_gives() -> None:
    network = Counter().cuda()
    runner = GraphRunner(torch.device("cuda"))
    captured = GradientPass(network.gradients, [network.weight], network, runner, Sparing(network))
    for n in (4, 5, 4, 5):
        given = tuple(None if each is None else each.cuda() for each in batch(n))
        loss, gradient = captured(given), network.weight.grad  # type: ignore[arg-type]
        assert torch.isfinite(loss)
        assert gradient is not None
        assert torch.isfinite(gradient).all()
