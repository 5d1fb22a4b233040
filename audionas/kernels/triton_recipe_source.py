"""Source of Triton kernels for one recipe: all frames of a batch in one launch, forward and back.

A program takes some clips through all frames. Within a frame it goes level by level, as `recipe_program` orders them:
the products of a level, tile of columns by tile, and then the level's operations on the same tile. What another tile
reads goes through global memory, with a barrier between levels. The text is made of numbers and of the operations of
`Code`; names of nodes do not enter it.

With several programs for the same clips (`N_SPLIT`) each has its share of the tiles, so that several processors read
weights at once. A barrier is then a counter in global memory, and all programs have to be resident. No interpreter can
run that form, and it has never run on a card.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from audionas.kernels.recipe_program import STATE, Code, Operation, Program

HEAD = '''"""Made by audionas for one recipe; not to be edited."""

import triton
import triton.language as tl


@triton.jit
def _meet(counter, target, N_SPLIT: tl.constexpr):
    tl.debug_barrier()
    if N_SPLIT > 1:
        tl.atomic_add(counter, 1, sem="acq_rel")
        while tl.atomic_add(counter, 0, sem="acq_rel") < target:
            pass
        tl.debug_barrier()


@triton.jit
def _product(
    source, weight, acc, rows, is_clip, n0,
    H: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr, PRECISION: tl.constexpr,
):
    columns = n0 + tl.arange(0, BN)
    for k0 in range(0, H, BK):
        inner = k0 + tl.arange(0, BK)
        known = is_clip[:, None] & (inner < H)[None, :]
        a = tl.load(source + rows[:, None] * H + inner[None, :], mask=known, other=0.0, cache_modifier=".cg")
        there = (inner < H)[:, None] & (columns < H)[None, :]
        w = tl.load(weight + inner[:, None] * H + columns[None, :], mask=there, other=0.0)
        acc = tl.dot(a, w, acc, input_precision=PRECISION)
    return acc

'''

ARGUMENTS = (
    "T, B, H: tl.constexpr, BB: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr, N_SPLIT: tl.constexpr, "
    "PRECISION: tl.constexpr"
)
START = """    block = tl.program_id(0)
    share = tl.program_id(1)
    clips = block * BB + tl.arange(0, BB)
    is_clip = clips < B
    rows = clips.to(tl.int64)
    length = tl.load(LENGTHS + clips, mask=is_clip, other=0)
    counter = COUNTERS + block
    frame = (B * H).to(tl.int64)
    block_of_value = T * frame
    met = 0
"""


OF_PRODUCT = "rows, is_clip, n0, H, BN, BK, PRECISION"
ZEROS = "tl.zeros((BB, BN), tl.float32)"
MEET = ("        met += N_SPLIT", "        _meet(counter, met, N_SPLIT)")
TILE = (
    "columns = n0 + tl.arange(0, BN)",
    "at = rows[:, None] * H + columns[None, :]",
    "inside = is_clip[:, None] & (columns < H)[None, :]",
)


def _tiles(lines: Iterable[str]) -> Iterator[str]:
    """What is done on each tile of columns; nothing where nothing is."""
    body = list(lines)
    if body:
        yield "        for n0 in range(share * BN, H, N_SPLIT * BN):"
        yield from (f"            {line}" for line in (*TILE, *body))


class RecipeKernels:
    """Numbers of a recipe's values in the kernels' buffers, and the kernels' text.

    Values, (values, frames, clips, hidden): blocks of linear nodes first, then results of operations. States, (states,
    frames + 1, clips, hidden), those before the first frame first.
    """

    def __init__(self, program: Program, n_emitted: int) -> None:
        self.program, self.n_emitted = program, n_emitted
        names = [node.name for node in program.linear] + [operation.name for operation in program.operations]
        self.number = {name: k for k, name in enumerate(names)}
        self.n_values = len(names)

    @property
    def text(self) -> str:
        """A module with `forward` and `backward`."""
        return HEAD + "\n".join([*self._forward(), "", *self._backward(), ""])

    def _forward(self) -> Iterator[str]:
        yield f"@triton.jit\ndef forward(V, ST, WT, LENGTHS, COUNTERS, {ARGUMENTS}):"
        yield START.rstrip()
        yield "    for t in range(T):"
        yield "        here = t * frame"
        yield "        is_own = is_clip & (t < length)"
        for level in range(self.program.n_levels):
            yield from _tiles(self._level_forward(level))
            yield from MEET
        yield from _tiles(self._new_states())
        yield from MEET

    def _new_states(self) -> Iterator[str]:
        """States of clips that have ended stay."""
        for k, output in enumerate(self.program.outputs):
            yield f"new = {self._load(self.number[output])}"
            yield f"old = tl.load(ST + {self._state(k)} + at, mask=inside, other=0.0)"
            yield f"tl.store(ST + {self._state(k, 1)} + at, tl.where(is_own[:, None], new, old), mask=inside)"

    def _level_forward(self, level: int) -> Iterator[str]:
        """Sums of linear nodes as far as this level, then its operations, on one tile."""
        for slot in range(len(self.program.linear)):
            products = [(k, p) for k, p in enumerate(self.program.products) if p.slot == slot and p.level == level]
            if products:
                yield f"acc = {self._load(slot)}"
                for k, product in products:
                    yield f"acc = _product({self._source(product.source)}, WT + {k} * H * H, acc, {OF_PRODUCT})"
                yield self._store(slot, "acc")
        known: set[str] = set()
        for operation in self.program.operations:
            if operation.level == level:
                for source in operation.inputs:
                    if source not in known:
                        known.add(source)
                        yield f"{self._name(source)} = {self._tile(source)}"
                known.add(operation.name)
                yield f"{self._name(operation.name)} = {self._compute(operation)}"
                yield self._store(self.number[operation.name], self._name(operation.name))

    def _backward(self) -> Iterator[str]:
        """Gradients of linear nodes, (blocks, frames, clips, hidden); scratch for those of one frame's operations."""
        given: set[str] = set()
        yield f"@triton.jit\ndef backward(V, ST, W, LENGTHS, COUNTERS, DOUT, DL, DV, CARRY, {ARGUMENTS}):"
        yield START.rstrip()
        yield "    for back in range(T):"
        yield "        t = T - 1 - back"
        yield "        here = t * frame"
        yield "        is_own = is_clip & (t < length)"
        yield from _tiles(self._take_over(given))
        for level in reversed(range(self.program.n_levels)):
            operations = [operation for operation in self.program.operations if operation.level == level]
            yield from _tiles(line for o in reversed(operations) for line in self._reverse(o, given))
            yield from MEET
            yield from _tiles(self._products_back(level, given))
            yield from MEET

    def _take_over(self, given: set[str]) -> Iterator[str]:
        """The gradient of each new state; of clips that have ended it passes on to the old one."""
        for k, output in enumerate(self.program.outputs):
            yield f"g = tl.load(CARRY + {k} * frame + at, mask=inside, other=0.0)"
            if k < self.n_emitted:
                own = "inside & is_own[:, None]"
                yield f"g += tl.load(DOUT + {k} * block_of_value + here + at, mask={own}, other=0.0)"
            yield self._put_gradient(output, "tl.where(is_own[:, None], g, 0.0)", given)
            yield f"tl.store(CARRY + {k} * frame + at, tl.where(is_own[:, None], 0.0, g), mask=inside)"
        given.update(self.program.states)
        for node in self.program.linear:
            yield f"tl.store({self._gradient(node.name)}, {ZEROS}, mask=inside)"
        given.update(node.name for node in self.program.linear)

    def _products_back(self, level: int, given: set[str]) -> Iterator[str]:
        products = [(k, p) for k, p in enumerate(self.program.products) if p.level == level]
        for source in dict.fromkeys(product.source for _, product in products):
            at = self._gradient(source)
            yield f"acc = tl.load({at}, mask=inside, other=0.0)" if source in given else f"acc = {ZEROS}"
            for k, product in products:
                if product.source == source:
                    gradient = f"DL + {product.slot} * block_of_value + here"
                    yield f"acc = _product({gradient}, W + {k} * H * H, acc, {OF_PRODUCT})"
            yield f"tl.store({at}, acc, mask=inside)"
            given.add(source)

    def _reverse(self, operation: Operation, given: set[str]) -> Iterator[str]:
        """What an operation gives its inputs."""
        if operation.name not in given:  # nothing that counts reads it
            yield f"g = {ZEROS}"
        else:
            yield f"g = tl.load({self._gradient(operation.name)}, mask=inside, other=0.0)"
        x, y, z = (*operation.inputs, None, None)[:3]
        if operation.code in (Code.TANH, Code.SIGMOID, Code.LEAKY_RELU):
            yield f"v = {self._load(self.number[operation.name])}"
            slope = {
                Code.TANH: "g * (1.0 - v * v)",
                Code.SIGMOID: "g * v * (1.0 - v)",
                Code.LEAKY_RELU: "tl.where(v > 0, g, 0.01 * g)",
            }
            yield self._put_gradient(str(x), slope[operation.code], given)
        elif operation.code in (Code.PRODUCT, Code.BLEND):
            yield f"a = {self._tile(str(x))}"
            yield f"b = {self._tile(str(y))}"
            if operation.code == Code.PRODUCT:
                yield self._put_gradient(str(x), "g * b", given)
                yield self._put_gradient(str(y), "g * a", given)
            else:
                yield f"c = {self._tile(str(z))}"
                yield self._put_gradient(str(x), "g * (b - c)", given)
                yield self._put_gradient(str(y), "g * a", given)
                yield self._put_gradient(str(z), "g * (1.0 - a)", given)
        else:
            for source in operation.inputs:
                yield self._put_gradient(source, "g", given)

    def _put_gradient(self, name: str, value: str, given: set[str]) -> str:
        """Set a gradient, or add to it where there is one already."""
        at = self._gradient(name)
        if name in given:
            value = f"tl.load({at}, mask=inside, other=0.0) + {value}"
        given.add(name)
        return f"tl.store({at}, {value}, mask=inside)"

    def _gradient(self, name: str) -> str:
        if name.startswith(STATE):
            return f"CARRY + {self.program.states.index(name)} * frame + at"
        number = self.number[name]
        if number < len(self.program.linear):
            return f"DL + {number} * block_of_value + here + at"
        return f"DV + {number - len(self.program.linear)} * frame + at"

    def _source(self, name: str) -> str:
        if name.startswith(STATE):
            return f"ST + {self._state(self.program.states.index(name))}"
        return f"V + {self.number[name]} * block_of_value + here"

    def _tile(self, name: str) -> str:
        return f"tl.load({self._source(name)} + at, mask=inside, other=0.0)"

    def _load(self, number: int) -> str:
        return f"tl.load(V + {number} * block_of_value + here + at, mask=inside, other=0.0)"

    def _store(self, number: int, value: str) -> str:
        return f"tl.store(V + {number} * block_of_value + here + at, {value}, mask=inside)"

    @staticmethod
    def _state(number: int, later: int = 0) -> str:
        """Where a state stands before frame t, or `later` frames after that."""
        return f"{number} * (block_of_value + frame) + here + {later} * frame"

    def _name(self, name: str) -> str:
        if name.startswith(STATE):
            return f"s{self.program.states.index(name)}"
        return f"v{self.number[name]}"

    def _compute(self, operation: Operation) -> str:
        x, y, z = (*(self._name(source) for source in operation.inputs), "", "")[:3]
        return {
            Code.PRODUCT: f"{x} * {y}",
            Code.SUM: f"{x} + {y}",
            Code.BLEND: f"{x} * {y} + (1.0 - {x}) * {z}",
            Code.TANH: f"2.0 * tl.sigmoid(2.0 * {x}) - 1.0",
            Code.SIGMOID: f"tl.sigmoid({x})",
            Code.LEAKY_RELU: f"tl.where({x} > 0, {x}, 0.01 * {x})",
            Code.COPY: x,
        }[operation.code]
