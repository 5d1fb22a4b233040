"""Receptive fields against gradients: an input position is read exactly when the output changes with it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from audionas.models import GenotypeNetwork, build_model
from audionas.models.receptive_field import FEATURES, FRAMES, positions_read, receptive_fields, shapes_only
from audionas.ops import CNN_OPS
from audionas.ops.gating import SqueezeExcitation
from audionas.ops.layer_taps import layers_of
from audionas.ops.padding import CausalAveragePool2d, CausalMaxPool2d
from audionas.spaces import CnnCellSpace, CnnGenotype, CnnMacro
from audionas.spaces.darts_text import from_darts_text
from tests.spaces.genotypes import DARTS_V2

LOCAL_OPS = tuple(name for name in CNN_OPS if name != "squeeze_excitation")


def random_genotype(seed: int, *, ops: tuple[str, ...] = LOCAL_OPS, causal: bool = False) -> CnnGenotype:
    rng = np.random.default_rng(seed)
    n_cells = int(rng.integers(1, 4))
    reduction_at = [(), ("0/1",), ("1/2",), ("1/3", "2/3")][seed % 4]
    macro = CnnMacro(n_cells=n_cells, channels=2, stem_multiplier=1, reduction_at=reduction_at, causal=causal)
    return CnnCellSpace(nodes=int(rng.integers(1, 4)), ops=ops, macro=macro).random(rng)


def positive(network: nn.Module) -> nn.Module:
    """All weights positive, so that nothing cancels; a mean in place of each maximum, whose gradient has one place."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.abs_().add_(0.1)
    for module in list(network.modules()):
        for name, part in module.named_children():
            if isinstance(part, nn.MaxPool2d):
                setattr(module, name, nn.AvgPool2d(part.kernel_size, part.stride, part.padding))
            elif isinstance(part, CausalMaxPool2d):
                setattr(module, name, CausalAveragePool2d(part.kernel, part.stride))
    return network.double().eval()


def read_by_gradient(
    network: GenotypeNetwork, size: tuple[int, int], cell: int | None, at: tuple[int, int]
) -> np.ndarray:
    """The input positions, (features, frames) bool, on which a position of a cell's output depends."""
    x = torch.ones(1, 1, *size, dtype=torch.float64, requires_grad=True)
    output = network.stem(x) if cell is None else network.cell_outputs(x)[cell]
    output[0, :, at[0], at[1]].sum().backward()
    assert x.grad is not None
    return np.asarray(x.grad[0, 0] != 0)


def built(genotype: CnnGenotype, size: tuple[int, int]) -> GenotypeNetwork:
    torch.manual_seed(0)
    network = build_model(genotype, input_shape=(1, *size), n_classes=2)
    positive(network)
    assert isinstance(network, GenotypeNetwork)
    return network


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_exactly_what_has_a_gradient_is_read(seed: int, causal: bool) -> None:
    size = [(23, 37), (16, 31), (27, 40)][seed % 3]
    genotype = random_genotype(seed, causal=causal)
    network, shapes = built(genotype, size), shapes_only(genotype, size)
    last = genotype.macro.n_cells - 1
    with torch.no_grad():
        rows, columns = network.cell_outputs(torch.ones(1, 1, *size, dtype=torch.float64))[last].shape[2:]
    middle = ((rows - 1) // 2, (columns - 1) // 2)
    read = read_by_gradient(network, size, last, middle)
    features, _ = positions_read(shapes, size, last, FEATURES, middle[0])
    frames, _ = positions_read(shapes, size, last, FRAMES, middle[1])
    np.testing.assert_array_equal(features, read.any(axis=1))
    np.testing.assert_array_equal(frames, read.any(axis=0))
    for column in (0, columns - 1):  # the rims of an axis, in the middle of the other one
        read = read_by_gradient(network, size, last, (middle[0], column))
        frames, _ = positions_read(shapes, size, last, FRAMES, column)
        np.testing.assert_array_equal(frames, read.any(axis=0))


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("name", CNN_OPS)
def test_every_operation_tells_what_it_reads(name: str, stride: int, causal: bool) -> None:
    torch.manual_seed(0)
    op = CNN_OPS[name](4, stride, True, causal)
    layers = layers_of(op)
    if isinstance(op, SqueezeExcitation):
        op = op.reduce
    wrapped = positive(nn.Sequential(op))
    size = (9, 21)
    x = torch.ones(1, 4, *size, dtype=torch.float64, requires_grad=True)
    y = wrapped(x)
    y[0, :, 2, 5].sum().backward()
    read = np.asarray(x.grad[0].sum(dim=0) != 0) if x.grad is not None else np.zeros(size, dtype=bool)
    for axis, position in ((FEATURES, 2), (FRAMES, 5)):
        found = np.zeros(y.shape[2 + axis], dtype=bool)
        found[position] = True
        sizes = [size]
        for layer in layers:
            sizes.append((-(-sizes[-1][0] // layer.stride), -(-sizes[-1][1] // layer.stride)))
        for layer, before in zip(reversed(layers), reversed(sizes[:-1]), strict=True):
            found = layer.read(found, before, axis)
        np.testing.assert_array_equal(found, read.any(axis=1 - axis))


def test_the_spans_are_those_of_the_formula() -> None:
    """A 3x3 stem, then two cells of one separable 5x5 (5 wide, twice); the second one reduces."""
    cell = (("sep_conv_5x5", 1), ("skip_connect", 1))
    macro = CnnMacro(n_cells=2, channels=2, stem_multiplier=1, reduction_at=("1/2",))
    genotype = CnnGenotype(cell, (2,), cell, (2,), 2, macro)
    stem, normal, reduction = receptive_fields(genotype)
    assert (stem.frames.width, stem.features[1].width) == (3, 3)
    assert (normal.frames.width, normal.features[1].width) == (3 + 4 + 4, 3 + 4 + 4)
    # The first 5x5 of the reduction has stride 2, so that a step of the second one is two frames wide.
    assert reduction.frames.width == 3 + 4 + 4 + 4 + 2 * 4
    assert (normal.kind, reduction.kind, reduction.cell) == ("normal", "reduce", 1)


def test_a_small_input_is_read_whole_and_low_and_high_rows_read_their_side() -> None:
    cell = (("sep_conv_3x3", 0), ("skip_connect", 1))
    macro = CnnMacro(n_cells=1, channels=2, stem_multiplier=1, reduction_at=())
    genotype = CnnGenotype(cell, (2,), cell, (2,), 2, macro)
    found = receptive_fields(genotype, (40, 5))[-1]
    assert found.size == (40, 5)
    assert found.frames.is_whole
    low, middle, high = found.features
    assert (low.first, low.last) == (0, 3)  # 3 + 2 + 2 = 7 wide, of which 3 lie below row 0
    assert (middle.first, middle.last, middle.width) == (16, 22, 7)
    assert (high.first, high.last) == (36, 39)
    assert not middle.is_whole


def test_only_edges_that_lead_to_the_output_count() -> None:
    """Node 2 has the wide operation and is not part of the output."""
    cell = (("dil_conv_5x5", 0), ("dil_conv_5x5", 1), ("skip_connect", 0), ("skip_connect", 1))
    macro = CnnMacro(n_cells=1, channels=2, stem_multiplier=1, reduction_at=())
    wide = CnnGenotype(cell, (2, 3), cell, (2, 3), 2, macro)
    narrow = CnnGenotype(cell, (3,), cell, (3,), 2, macro)
    assert receptive_fields(narrow)[-1].frames.width == 3
    assert receptive_fields(wide)[-1].frames.width == 3 + 8


def test_gates_that_read_the_whole_map_are_told_apart() -> None:
    cell = (("squeeze_excitation", 0), ("skip_connect", 1))
    macro = CnnMacro(n_cells=2, channels=2, stem_multiplier=1, reduction_at=("1/2",))
    genotype = CnnGenotype(cell, (2,), cell, (2,), 2, macro)
    stem, first, last = receptive_fields(genotype, (12, 30))
    assert not stem.has_gates
    assert first.has_gates
    assert last.has_gates
    assert not last.frames.is_whole
    assert read_by_gradient(built(genotype, (12, 30)), (12, 30), 1, (3, 7)).all()


def test_without_an_input_the_field_is_that_of_one_which_it_does_not_fill() -> None:
    """DARTS_V2, three cells: stem 3, two 3x3 in turn twice (+ 8), and a 3x3 pool at each scale (+ 2, + 4)."""
    found = receptive_fields(from_darts_text(DARTS_V2, "test"))[-1]
    large = receptive_fields(from_darts_text(DARTS_V2, "test"), (500, 700))[-1]
    assert found.frames.width == found.features[1].width == 17
    assert large.frames.width == large.features[1].width == 17


def test_an_unknown_layer_is_an_error_that_names_it() -> None:
    with pytest.raises(TypeError, match="Softmax: not known here which positions it reads"):
        layers_of(nn.Softmax(dim=1))
