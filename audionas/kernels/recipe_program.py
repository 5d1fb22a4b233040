"""A recipe as the products and operations of one frame, in levels.

A node's level is the number of products with weights that wait for each other before it: of a level the products come
first, and then all operations of a clip, one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from itertools import count, takewhile

INPUT, STATE, OUTPUT, LINEAR = "x", "h_prev_", "h_new_", "linear"
Recipe = tuple[tuple[str, str, tuple[str, ...]], ...]


class Code(IntEnum):
    """What an operation computes; as in `csrc/recipe_program.h`."""

    PRODUCT = 0
    SUM = 1
    BLEND = 2
    TANH = 3
    SIGMOID = 4
    LEAKY_RELU = 5
    COPY = 6
    HAND_ON = 7


CODES = {
    "elementwise_prod": Code.PRODUCT,
    "elementwise_sum": Code.SUM,
    "blend": Code.BLEND,
    "activation_tanh": Code.TANH,
    "activation_sigm": Code.SIGMOID,
    "activation_leaky_relu": Code.LEAKY_RELU,
}


@dataclass(frozen=True)
class Operation:
    """One elementwise operation of at most three inputs."""

    name: str
    code: Code
    inputs: tuple[str, ...]
    level: int


@dataclass(frozen=True)
class Product:
    """What the linear node in block `slot` reads of a source; `weights` are numbers of weights, summed if several."""

    slot: int
    source: str
    weights: tuple[int, ...]
    level: int


@dataclass(frozen=True)
class Linear:
    """A linear node: its name, the number of its bias, and the numbers of its weights on each source."""

    name: str
    bias: int
    weights: dict[str, tuple[int, ...]]

    @property
    def on_input(self) -> tuple[int, ...]:
        """Numbers of the weights on x."""
        return self.weights.get(INPUT, ())

    @property
    def sources(self) -> list[str]:
        """What it reads beside x."""
        return [source for source in self.weights if source != INPUT]


class Program:
    """One frame of a valid recipe, whose nodes are given as (name, operation, inputs) in topological order.

    `linear` nodes stand in the order of their blocks, those that read x first. Nodes that no output needs are left
    out. Sums and products of more than two inputs are chains. A linear node that is an output, or that another
    linear node reads, is copied under its name: its own block takes up its gradient.
    """

    def __init__(self, recipe: Recipe) -> None:
        names = {name for name, _, _ in recipe}
        self.outputs = list(takewhile(names.__contains__, (f"{OUTPUT}{k}" for k in count())))
        self.states = [f"{STATE}{k}" for k in range(len(self.outputs))]
        nodes = _needed(recipe, self.outputs)
        read = {source for _, op, inputs in nodes if op == LINEAR for source in inputs}
        needed = {name for name, _, _ in nodes}
        all_linear = list(_linear(recipe))
        self.n_biases = len(all_linear)
        linear = sorted((node for node in all_linear if node.name in needed), key=_order)
        self._levels = dict.fromkeys(self.states, 0)
        self.operations = self._operations(nodes, {n.name for n in linear if n.name in read or n.name in self.outputs})
        self.products = self._products(linear)
        self.linear = [Linear(self._block_name(n.name), n.bias, n.weights) for n in linear]
        self.n_reading = sum(bool(node.on_input) for node in self.linear)

    @property
    def n_levels(self) -> int:
        """How many levels there are."""
        return 1 + max(self._levels.values())

    def level(self, name: str) -> int:
        """The level of a node."""
        return self._levels[name]

    def _operations(self, nodes: Recipe, copied: set[str]) -> list[Operation]:
        found: list[Operation] = []
        for name, op, inputs in nodes:
            if op == LINEAR:
                level = max((self._after(source) for source in inputs), default=0)
                if name in copied:
                    self._levels[_behind(name)] = level
                    found.append(Operation(name, Code.COPY, (_behind(name),), level))
            else:
                level = max(self._levels[source] for source in inputs)
                found += _chain(name, CODES[op], inputs, level)
            self._levels[name] = level
        return sorted(found, key=lambda operation: operation.level)

    def _products(self, linear: list[Linear]) -> list[Product]:
        products = [
            Product(slot, source, node.weights[source], self._after(source))
            for slot, node in enumerate(linear)
            for source in node.sources
        ]
        return sorted(products, key=lambda product: product.level)

    def _after(self, source: str) -> int:
        """The level of a product that reads a source."""
        return 0 if source == INPUT or source in self.states else self._levels[source] + 1

    def _block_name(self, name: str) -> str:
        return _behind(name) if _behind(name) in self._levels else name


def _behind(name: str) -> str:
    """What the block of a copied linear node is called."""
    return f"{name}\0"


def _needed(recipe: Recipe, outputs: list[str]) -> Recipe:
    needed = set(outputs)
    for name, _, inputs in reversed(recipe):
        if name in needed:
            needed.update(inputs)
    return tuple(node for node in recipe if node[0] in needed)


def _linear(recipe: Recipe) -> Iterator[Linear]:
    """Linear nodes with the numbers of biases and weights, which count all (linear node, input)."""
    number = count()
    for bias, (name, _, inputs) in enumerate(node for node in recipe if node[1] == LINEAR):
        weights: dict[str, tuple[int, ...]] = {}
        for source in inputs:
            weights[source] = (*weights.get(source, ()), next(number))
        yield Linear(name, bias, weights)


def _order(node: Linear) -> tuple[bool, int]:
    """Readers of x first; then such that readers of the first state, and of the second, are neighbours."""
    first, second = f"{STATE}0" in node.weights, f"{STATE}1" in node.weights
    return not node.on_input, 2 * second - first if first or second else 9


def _chain(name: str, code: Code, inputs: tuple[str, ...], level: int) -> Iterator[Operation]:
    if code not in (Code.PRODUCT, Code.SUM):
        yield Operation(name, code, inputs, level)
        return
    result = inputs[0]
    for k, source in enumerate(inputs[1:], start=2):
        so_far = name if k == len(inputs) else f"{name}\0{k}"
        yield Operation(so_far, code, (result, source), level)
        result = so_far
