"""The plan of a recipe: in which rows and blocks its values and their gradients live.

Linear nodes have blocks side by side, so that x gives all of them their part in one product for all frames, and their
weights get gradients in one product behind the loop. What the reverse pass does not need is overwritten by the next
frame.
"""

from __future__ import annotations

import ctypes
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property, lru_cache

from audionas.kernels.recipe_program import Code, Linear, Operation, Product, Program, Recipe

ACTIVATIONS = (Code.TANH, Code.SIGMOID, Code.LEAKY_RELU)
_NOWHERE = (0, 0)


class Buffer(IntEnum):
    """Whose rows hold a value or a gradient; as in `csrc/recipe_program.h`."""

    LINEAR = 0
    KEPT = 1
    STATE = 2
    PREVIOUS = 3
    PASSING = 4
    CARRY = 5
    GRADIENT = 6
    EMITTED = 7


@dataclass(frozen=True, order=True)
class Place:
    """A block of `hidden` numbers in the rows of a buffer."""

    buffer: Buffer
    block: int


@dataclass(frozen=True)
class Run:
    """Linear nodes with neighbouring blocks that read one source; for each the numbers of its weights on it."""

    source: Place
    slot: int
    weights: tuple[tuple[int, ...], ...]


@lru_cache(maxsize=256)
def recipe_plan(recipe: Recipe, n_emitted: int) -> RecipePlan:
    """The plan of a valid recipe: (name, operation, inputs) of each node in topological order.

    Args:
        n_emitted: how many states, from the first on, leave the cell.
    """
    return RecipePlan(Program(recipe), n_emitted)


class RecipePlan:
    """Places of all values and gradients; nothing here depends on widths, the batch or the type of numbers."""

    def __init__(self, program: Program, n_emitted: int) -> None:
        self.program, self.n_emitted, self.n_states = program, n_emitted, len(program.states)
        operations, products = program.operations, program.products
        self._reads = Counter(source for operation in operations for source in operation.inputs)
        self._multiplied = {product.source for product in products}
        self._blocks = Counter({Buffer.LINEAR: len(program.linear), Buffer.EMITTED: n_emitted})
        self._blocks.update(dict.fromkeys((Buffer.STATE, Buffer.PREVIOUS, Buffer.CARRY), self.n_states))
        self._values = self._places_of_values()
        self._gradients = self._places_of_gradients()

    @property
    def linear(self) -> list[Linear]:
        """Linear nodes in the order of their blocks, those that read x first."""
        return self.program.linear

    @property
    def reading(self) -> list[Linear]:
        """Linear nodes that read x."""
        return self.program.linear[: self.program.n_reading]

    def n_blocks(self, buffer: Buffer) -> int:
        """How many blocks a row of the buffer has."""
        return self._blocks[buffer]

    @cached_property
    def runs(self) -> list[Run]:
        """All products, those of neighbouring blocks with one source together."""
        runs: list[Run] = []
        for product in sorted(self.program.products, key=lambda p: (self._values[p.source], p.slot)):
            source, last = self._values[product.source], runs[-1] if runs else None
            if last and last.source == source and last.slot + len(last.weights) == product.slot:
                runs[-1] = Run(source, last.slot, (*last.weights, product.weights))
            else:
                runs.append(Run(source, product.slot, (product.weights,)))
        return runs

    @cached_property
    def table(self) -> ctypes.Array[ctypes.c_int32]:
        """The plan as `csrc/recipe_program.h` reads it."""
        given: set[str] = set(self.program.outputs)  # has a gradient already, in the order of the reverse pass
        operations, products = [], []
        for level in reversed(range(self.program.n_levels)):
            operations += [self._operation(o, given) for o in reversed(list(self._of_level(level)))]
            of_level = [(k, p) for k, p in enumerate(self.program.products) if p.level == level]
            products += [self._product(k, p, given) for k, p in reversed(of_level)]
        head = [self.n_blocks(buffer) for buffer in Buffer]
        head += [self.program.n_levels, self.n_states, self.program.n_reading, len(operations), len(products)]
        head += [int(state in given) for state in self.program.states]
        head += [self._gradients[output].block for output in self.program.outputs]
        flat = [*head, *(number for row in (*reversed(operations), *reversed(products)) for number in row)]
        return (ctypes.c_int32 * len(flat))(*flat)

    def _of_level(self, level: int) -> Iterator[Operation]:
        """Operations of a level, and before them, so last in the reverse pass, gradients that are handed on."""
        for node in self.linear:
            if self.program.level(node.name) == level and self._gradients[node.name].buffer != Buffer.LINEAR:
                yield Operation(node.name, Code.HAND_ON, (), level)
        yield from (operation for operation in self.program.operations if operation.level == level)

    def _operation(self, operation: Operation, given: set[str]) -> list[int]:
        inputs, result = operation.inputs, self._values[operation.name]
        gradients = [[*_pair(self._gradients[source]), _adds(source, given)] for source in inputs]
        if operation.code == Code.HAND_ON:
            gradients = [[*_pair(result), 0]]
        values = [_pair(self._values[source]) for source in inputs]
        row = [operation.code, operation.level, *_pair(result)]
        row += [number for place in [*values, *[_NOWHERE] * (3 - len(values))] for number in place]
        row += _pair(self._gradients[operation.name])
        return row + [number for gradient in [*gradients, *[[0, 0, 0]] * (3 - len(gradients))] for number in gradient]

    def _product(self, number: int, product: Product, given: set[str]) -> list[int]:
        source = product.source
        row = [product.level, product.slot, number, *_pair(self._values[source])]
        return [*row, *_pair(self._gradients[source]), _adds(source, given)]

    def _next(self, buffer: Buffer) -> Place:
        self._blocks[buffer] += 1
        return Place(buffer, self._blocks[buffer] - 1)

    def _places_of_values(self) -> dict[str, Place]:
        program = self.program
        places = {name: Place(Buffer.PREVIOUS, k) for k, name in enumerate(program.states)}
        places |= {name: Place(Buffer.STATE, k) for k, name in enumerate(program.outputs)}
        places |= {node.name: Place(Buffer.LINEAR, slot) for slot, node in enumerate(program.linear)}
        for operation in program.operations:
            if operation.name not in places:
                source = operation.inputs[0]
                is_alone = self._reads[source] == 1 and places[source].buffer == Buffer.LINEAR
                if is_alone and operation.code in ACTIVATIONS and operation.name not in self._multiplied:
                    places[operation.name] = places[source]
                else:
                    is_kept = operation.code in ACTIVATIONS or operation.name in self._wanted_back
                    places[operation.name] = self._next(Buffer.KEPT if is_kept else Buffer.PASSING)
        return places

    @cached_property
    def _wanted_back(self) -> set[str]:
        """Values that the reverse pass reads, beside results of activations."""
        readers = (o for o in self.program.operations if o.code in (Code.PRODUCT, Code.BLEND))
        return self._multiplied.union(*(operation.inputs for operation in readers))

    def _places_of_gradients(self) -> dict[str, Place]:
        program = self.program
        places = {name: Place(Buffer.CARRY, k) for k, name in enumerate(program.states)}
        for slot, node in enumerate(program.linear):
            is_direct = self._reads[node.name] == 1
            places[node.name] = Place(Buffer.LINEAR, slot) if is_direct else self._next(Buffer.GRADIENT)
        for operation in program.operations:
            places[operation.name] = self._next(Buffer.GRADIENT)
        return places


def _pair(place: Place) -> tuple[int, int]:
    return int(place.buffer), place.block


def _adds(name: str, given: set[str]) -> int:
    """Whether a gradient is added to what is there, and from now on it is."""
    is_there = name in given
    given.add(name)
    return int(is_there)
