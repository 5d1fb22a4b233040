"""What a position of a CNN's feature map can read of the input: every path followed backwards, tap by tap.

Followed are the layers of the built network: stem, preprocessing, the edges that lead to a cell's output, strides,
dilations and zeros, also causal ones. Each axis stands for itself, at a position in the middle of the other one: what
is read at a map's rim can be less there. ReLU and maximum count as reading all that they may choose from. The gates of
squeeze-excitation read the whole map; they are told apart (`has_gates`) and are no part of a span.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from audionas.models.cnn_from_genotype import GenotypeCell, GenotypeNetwork
from audionas.models.cnn_network import PreparedCell
from audionas.ops.gating import SqueezeExcitation
from audionas.ops.layer_taps import Layer, layers_of
from audionas.spaces import CnnGenotype

FEATURES, FRAMES = 0, 1
_SURELY_WIDE = 128  # positions of an input that is made larger until it holds a whole field
_WIDEST = 2**14
Size = tuple[int, int]  # features, frames


@dataclass(frozen=True)
class Span:
    """Positions `first` to `last` of an input of `n_inputs`, along one axis."""

    first: int
    last: int
    n_inputs: int

    @property
    def width(self) -> int:
        """How many positions there are from first to last."""
        return self.last - self.first + 1

    @property
    def is_whole(self) -> bool:
        """Whether it is the whole input."""
        return self.width == self.n_inputs


@dataclass(frozen=True)
class MapField:
    """What is read by positions of one map: after the stem (`cell` None) or after a cell (its index).

    `features` are the spans of its lowest, middle and highest row, `frames` is that of its middle frame.
    """

    cell: int | None
    kind: str
    size: Size
    features: tuple[Span, Span, Span]
    frames: Span
    has_gates: bool


def receptive_fields(genotype: CnnGenotype, input_size: Size | None = None) -> tuple[MapField, ...]:
    """The fields of the map after the stem and after each cell; the last one is that before the global pooling.

    Args:
        input_size: features and frames; without it that of an input so large that the middle of the last map reads to
            no rim of it (then only the widths of the middle spans mean something).
    """
    network = shapes_only(genotype, input_size or (_SURELY_WIDE, _SURELY_WIDE))
    if input_size is not None:
        return _fields(network, input_size)
    side = _SURELY_WIDE
    while True:
        found = _fields(network, (side, side))
        inner = (found[-1].features[1], found[-1].frames)
        if side >= _WIDEST or not any(span.first == 0 or span.last == side - 1 for span in inner):
            return found
        side *= 2


def shapes_only(genotype: CnnGenotype, input_size: Size) -> GenotypeNetwork:
    """The network without values, on torch's meta device."""
    with torch.device("meta"):
        return GenotypeNetwork(genotype, genotype.macro, (1, *input_size), 2, auxiliary=False, drop_path=0.0)


def positions_read(
    network: GenotypeNetwork, input_size: Size, cell: int | None, axis: int, position: int
) -> tuple[np.ndarray, bool]:
    """Which positions of the input's axis a position of a map reads, (positions,) bool; and whether a gate is between.

    Args:
        cell: index of the cell whose output is meant, None for the stem's.
        axis: `FEATURES` or `FRAMES`.
    """
    sizes = map_sizes(network, input_size)
    # The maps that cells read, by number: 0 and 1 are the stem's output (it is c_{k-2} and c_{k-1} of the first
    # cell), k + 2 is the output of cell k.
    places = [sizes[0], *sizes]
    wanted = [np.zeros(size[axis], dtype=bool) for size in places]
    top = 1 if cell is None else cell + 2
    wanted[top][position] = True
    has_gates = False
    for index in range(top - 2, -1, -1):
        prepared = network.cells[index]
        assert isinstance(prepared, PreparedCell)
        passed = _through_cell(prepared, wanted[index + 2], (places[index], places[index + 1]), axis)
        wanted[index] |= passed[0]
        wanted[index + 1] |= passed[1]
        has_gates |= passed[2]
    return _backwards(layers_of(network.stem), wanted[0] | wanted[1], input_size, axis), has_gates


def map_sizes(network: GenotypeNetwork, input_size: Size) -> list[Size]:
    """Features and frames of the map after the stem and after each cell."""
    sizes = [input_size]
    for cell in network.cells:
        stride = 2 if cell.kind == "reduce" else 1
        sizes.append((-(-sizes[-1][0] // stride), -(-sizes[-1][1] // stride)))
    return sizes


def _fields(network: GenotypeNetwork, input_size: Size) -> tuple[MapField, ...]:
    found = []
    for number, size in enumerate(map_sizes(network, input_size)):
        cell = number - 1 if number else None
        rows = sorted((0, (size[FEATURES] - 1) // 2, size[FEATURES] - 1))
        features = [_span(network, input_size, cell, FEATURES, row) for row in rows]
        frames = _span(network, input_size, cell, FRAMES, (size[FRAMES] - 1) // 2)
        kind = str(network.cells[number - 1].kind) if number else "stem"
        spans = (features[0][0], features[1][0], features[2][0])
        found.append(MapField(cell, kind, size, spans, frames[0], frames[1]))
    return tuple(found)


def _span(network: GenotypeNetwork, input_size: Size, cell: int | None, axis: int, position: int) -> tuple[Span, bool]:
    read, has_gates = positions_read(network, input_size, cell, axis, position)
    places = np.flatnonzero(read)
    return Span(int(places[0]), int(places[-1]), len(read)), has_gates


def _through_cell(
    prepared: PreparedCell, wanted: np.ndarray, inputs: tuple[Size, Size], axis: int
) -> tuple[np.ndarray, np.ndarray, bool]:
    """What a cell's output reads of the outputs of the two cells before, and whether a gate is on the way."""
    cell = prepared.cell
    assert isinstance(cell, GenotypeCell)
    own = inputs[1]  # both inputs have this size once they are preprocessed
    after = (-(-own[0] // 2), -(-own[1] // 2)) if prepared.kind == "reduce" else own
    states = [np.zeros(own[axis], dtype=bool) for _ in range(2)]
    states += [np.zeros(after[axis], dtype=bool) for _ in cell.nodes]
    for node in cell.concat:
        states[node] = states[node] | wanted
    has_gates = False
    ops = list(cell.ops)
    for node in range(len(states) - 1, 1, -1):
        for _, source in reversed(cell.nodes[node - 2]):
            op = ops.pop()
            if states[node].any():
                size = own if source < 2 else after
                states[source] = states[source] | _backwards(layers_of(op), states[node], size, axis)
                has_gates |= any(isinstance(part, SqueezeExcitation) for part in op.modules())
    read = [
        _backwards(layers_of(layer), state, size, axis)
        for layer, state, size in zip((prepared.preprocess0, prepared.preprocess1), states, inputs, strict=False)
    ]
    return read[0], read[1], has_gates


def _backwards(layers: Sequence[Layer], wanted: np.ndarray, size: Size, axis: int) -> np.ndarray:
    """The positions that a chain of layers reads for those wanted of its output; `size` is that of its input."""
    sizes = [size]
    for layer in layers:
        sizes.append((-(-sizes[-1][0] // layer.stride), -(-sizes[-1][1] // layer.stride)))
    for layer, before in zip(reversed(layers), reversed(sizes[:-1]), strict=True):
        wanted = layer.read(wanted, before, axis)
    return wanted
