"""The derived network: its size is the DARTS paper's, its drop-path keeps the mean, its file rebuilds it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from audionas.errors import SettingsError
from audionas.models import build_model, n_parameters
from audionas.models.cnn_from_genotype import GenotypeCell
from audionas.spaces import CnnGenotype, load_search_space
from audionas.spaces.darts_text import from_darts_text
from audionas.spaces.genotype_file import load_genotype, save_genotype
from tests.spaces.genotypes import DARTS_V2

CIFAR = {"input_shape": (3, 32, 32), "n_classes": 10, "n_cells": 20, "channels": 36}


def small_genotype(seed: int = 0) -> CnnGenotype:
    return load_search_space("darts_cnn_small").random(np.random.default_rng(seed))


def darts_v2_by_hand() -> int:
    """Parameters of DARTS_V2 at C=36, 20 cells, from the layer list; BN has 2 parameters a channel."""

    def sep_3x3(c: int) -> int:
        return 2 * (9 * c + c * c + 2 * c)

    def dil_3x3(c: int) -> int:
        return 9 * c + c * c + 2 * c

    def to_cell(c_in: int, c: int) -> int:  # 1x1 convolution or factorised reduction: as many weights
        return c_in * c + 2 * c

    total = 3 * 108 * 9 + 2 * 108  # stem: 3x3 convolution to 3 * 36 channels
    before = last = 108
    c = 36
    for cell in range(20):
        if cell in (6, 13):  # reduction: pools, and skips from node 2 at stride 1: no parameters
            c *= 2
            inside = 0
        else:  # five sep_conv_3x3, two skips at stride 1, one dil_conv_3x3
            inside = 5 * sep_3x3(c) + dil_3x3(c)
        total += to_cell(before, c) + to_cell(last, c) + inside
        before, last = last, 4 * c
    return total + last * 10 + 10


def test_darts_v2_for_cifar_has_the_parameters_that_its_paper_reports() -> None:
    with torch.device("meta"):
        found = n_parameters(build_model(from_darts_text(DARTS_V2), **CIFAR))
    assert found == darts_v2_by_hand() == 3_349_342
    assert f"{found / 1e6:.1f}" == "3.3"  # Liu et al. 2019, table 1


def test_the_auxiliary_classifier_is_off_unless_asked_for() -> None:
    genotype, shape = small_genotype(), (1, 16, 16)
    plain = build_model(genotype, input_shape=shape, n_classes=3)
    assert plain.auxiliary is None
    logits, extra = plain.forward_with_auxiliary(torch.randn(2, *shape))
    assert extra is None
    helped = build_model(genotype, input_shape=shape, n_classes=3, auxiliary=True)
    logits, extra = helped.forward_with_auxiliary(torch.randn(2, *shape))
    assert logits.shape == extra.shape == (2, 3)
    assert n_parameters(helped) > n_parameters(plain) + 128 * 768 * 4


def test_the_auxiliary_classifier_reads_cell_two_thirds() -> None:
    with torch.device("meta"):
        network = build_model(from_darts_text(DARTS_V2), auxiliary=True, **CIFAR)
    assert network.auxiliary_cell == 13  # DARTS release: 2 * layers // 3
    assert network.auxiliary[2].in_channels == 4 * 144


@pytest.mark.parametrize("shape,n_classes", [((1, 1, 5), 2), ((1, 33, 7), 3), ((4, 16, 40), 11)])
def test_any_input_shape_and_number_of_classes(shape: tuple[int, int, int], n_classes: int) -> None:
    for auxiliary in (False, True):
        network = build_model(small_genotype(), input_shape=shape, n_classes=n_classes, auxiliary=auxiliary)
        logits, _ = network.forward_with_auxiliary(torch.randn(2, *shape))
        assert logits.shape == (2, n_classes)


def test_outputs_may_be_some_nodes_only() -> None:
    edges = (("sep_conv_3x3", 0), ("skip_connect", 1), ("max_pool_3x3", 2), ("dil_conv_5x5", 0))
    genotype = CnnGenotype(edges, (3,), edges, (2, 3))
    network = build_model(genotype, input_shape=(1, 12, 13), n_classes=2, n_cells=6, auxiliary=True)
    logits, extra = network.forward_with_auxiliary(torch.randn(2, 1, 12, 13))
    assert logits.shape == extra.shape == (2, 2)


def test_a_cell_sums_the_edges_of_a_node_and_concatenates_its_outputs() -> None:
    edges = (("skip_connect", 0), ("skip_connect", 1), ("skip_connect", 2), ("max_pool_3x3", 0))
    cell = GenotypeCell(edges, (2, 3), 2, channels=1, stride=1)
    s0, s1 = torch.full((1, 1, 3, 3), 2.0), torch.full((1, 1, 3, 3), 5.0)
    y = cell(s0, s1)  # node 2 = s0 + s1 = 7; node 3 = node 2 + max(s0) = 9
    assert y[0, :, 1, 1].tolist() == [7.0, 9.0]


def convolution_cell(drop_path: float) -> GenotypeCell:
    torch.manual_seed(0)
    cell = GenotypeCell((("max_pool_3x3", 0), ("skip_connect", 1)), (2,), 2, channels=3, stride=1)
    cell.drop_path = drop_path
    return cell


def test_drop_path_drops_whole_clips_and_keeps_the_mean() -> None:
    n, p = 20_000, 0.3
    cell = convolution_cell(p).train()
    pooled, skipped = torch.full((n, 3, 2, 2), 2.0), torch.full((n, 3, 2, 2), 10.0)
    y = cell(pooled, skipped) - 10.0  # the identity edge is never dropped
    assert {round(v, 4) for v in y.flatten().tolist()} == {0.0, round(2 / (1 - p), 4)}
    per_clip = y.flatten(1)
    assert bool((per_clip == per_clip[:, :1]).all())
    dropped = float((per_clip[:, 0] == 0).float().mean())
    assert dropped == pytest.approx(p, abs=4 * (p * (1 - p) / n) ** 0.5)
    assert float(y.mean()) == pytest.approx(2.0, abs=4 * 2 * (p / (1 - p) / n) ** 0.5)


def test_drop_path_does_nothing_at_zero_and_in_eval() -> None:
    x = torch.randn(4, 3, 5, 5)
    dropping, plain = convolution_cell(0.5), convolution_cell(0.0)
    assert torch.equal(dropping.eval()(x, x), plain.eval()(x, x))
    assert torch.equal(plain.train()(x, x), plain.eval()(x, x))


def test_drop_path_of_a_network_can_be_raised_during_training() -> None:
    network = build_model(small_genotype(), input_shape=(1, 8, 8), n_classes=2, drop_path=0.1)
    cells = [module for module in network.modules() if isinstance(module, GenotypeCell)]
    assert [cell.drop_path for cell in cells] == [0.1, 0.1]
    network.set_drop_path(0.2)
    assert [cell.drop_path for cell in cells] == [0.2, 0.2]


def test_the_file_of_a_genotype_rebuilds_the_same_network(tmp_path: Path) -> None:
    genotype = small_genotype(1)
    save_genotype(genotype, tmp_path / "g.json")
    networks = []
    for found in (genotype, load_genotype(tmp_path / "g.json")):
        torch.manual_seed(7)
        networks.append(build_model(found, input_shape=(1, 16, 20), n_classes=4).eval())
    x = torch.randn(3, 1, 16, 20)
    assert str(networks[0]) == str(networks[1])
    assert torch.equal(networks[0](x), networks[1](x))


def test_pools_of_a_derived_network_are_not_normalised() -> None:
    with torch.device("meta"):
        network = build_model(from_darts_text(DARTS_V2), **CIFAR)
    assert {type(op) for op in network.cells[6].cell.ops} == {nn.MaxPool2d, nn.Identity}


def test_one_step_lowers_the_loss() -> None:
    torch.manual_seed(0)
    network = build_model(small_genotype(), input_shape=(1, 16, 16), n_classes=2)
    optimiser = torch.optim.SGD(network.parameters(), 0.01)
    x, y = torch.randn(8, 1, 16, 16), torch.arange(8) % 2
    losses = []
    for _ in range(2):
        loss = nn.functional.cross_entropy(network(x), y)
        losses.append(loss.item())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert losses[1] < losses[0]


@pytest.mark.parametrize(
    "macro,words",
    [({"n_cell": 3}, "unknown key 'n_cell'.*did you mean 'n_cells'"), ({"channels": 0}, "channels: got 0")],
)
def test_a_wrong_macro_value_is_refused(macro: dict[str, int], words: str) -> None:
    with pytest.raises(SettingsError, match=f"^macro: .*{words}"):
        build_model(small_genotype(), input_shape=(1, 8, 8), n_classes=2, **macro)


def test_a_masked_average_is_that_of_the_own_frames_alone() -> None:
    torch.manual_seed(0)
    network = build_model(small_genotype(), input_shape=(1, 8, 16), n_classes=3).eval()
    x = torch.randn(2, 1, 8, 16)
    features = network.cell_outputs(x)[-1]  # type: ignore[operator]
    assert features.shape[3] == 8  # one reduction cell: half the frames
    logits = network(x, torch.tensor([16, 5]))  # 5 of 16 frames are 2.5 of 8: three hold something of the clip
    expected = torch.stack([features[0].mean(dim=(1, 2)), features[1, :, :, :3].mean(dim=(1, 2))])
    torch.testing.assert_close(logits, network.classifier(expected))  # type: ignore[operator]
    torch.testing.assert_close(logits[0], network(x)[0])


@pytest.mark.parametrize("width", [35, 51, 64, 83])
def test_a_clip_that_fills_the_input_is_averaged_as_without_lengths(width: int) -> None:
    # float32: 18 * (35 / 35) is 18, but 35 * (18 / 35) is a little more, and its ceiling would be 19
    torch.manual_seed(0)
    network = build_model(small_genotype(), input_shape=(1, 8, width), n_classes=3).eval()
    x = torch.randn(2, 1, 8, width)
    torch.testing.assert_close(network(x, torch.tensor([width, width])), network(x))
