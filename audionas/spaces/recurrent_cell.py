"""`RecurrentCellSpace`: recipes of a fixed number of nodes as string choices, of which every assignment is a recipe.

Source: Klyuchnikov et al. 2020 (NAS-Bench-NLP), section 3, whose rules hold for every genotype here: x is read by
linear nodes only, x and every h_prev_i are used, no h_new_i reads an h_prev_i directly. Differences: any earlier
node may feed a linear, and a linear needs no activation on top; `generate` draws as the release does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from pydantic import Field, ValidationInfo, field_validator

from audionas.errors import GenotypeError, unknown
from audionas.ops.recurrent import LINEAR
from audionas.records import Record
from audionas.seeding import derive
from audionas.spaces.recipe_draft import RecipeDraft, mended, problem, states_of
from audionas.spaces.recipe_generator import generate_recipe
from audionas.spaces.recipe_space import RecipeSpace
from audionas.spaces.recurrent_genotype import INPUT, MAX_STATES, RecurrentGenotype

NOTHING = "none"
SLOTS = ("a", "b", "c")
_ATTEMPTS = 1000
Sample = Mapping[str, str]


class RecurrentNodes(Record):
    """How many nodes a recipe has at most, and how many inputs a linear node takes: two, or two or three."""

    max: int = Field(default=14, ge=2, le=64)
    linear_inputs: tuple[int, ...] = (2, 3)

    @field_validator("linear_inputs")
    @classmethod
    def _two_or_three(cls, linear_inputs: tuple[int, ...]) -> tuple[int, ...]:
        if sorted(linear_inputs) not in ([2], [2, 3]):
            raise ValueError("must be [2] or [2, 3]")
        return tuple(sorted(linear_inputs))


class RecurrentCellSpace(RecipeSpace):
    """Recipes of up to `nodes.max` nodes and `states` hidden states.

    A sample says of each node n<i> its operation (`n<i>_op`) and what it reads (`n<i>_a`, `_b`, `_c`: x, a state,
    an earlier node), and of each state s which node is its next value (`out_<s>`). What an operation has no use
    for is ignored, and what no output needs is left out of the genotype.
    """

    kind: Literal["recurrent_cell"] = "recurrent_cell"
    states: int = Field(default=2, ge=1, le=MAX_STATES)
    nodes: RecurrentNodes = RecurrentNodes()

    @field_validator("nodes")
    @classmethod
    def _room_for_states(cls, nodes: RecurrentNodes, info: ValidationInfo) -> RecurrentNodes:
        states = info.data.get("states", 1)
        if nodes.max < 2 * states:
            raise ValueError(f"max is {nodes.max} for {states} states, must be at least {2 * states}")
        return nodes

    def choices(self) -> dict[str, tuple[str, ...]]:
        """Every decision of a search: label -> its options, all text."""
        table: dict[str, tuple[str, ...]] = {}
        for i in range(self.nodes.max):
            sources = self._sources(i)
            table |= {f"n{i}_op": self.ops, f"n{i}_a": sources, f"n{i}_b": sources, f"n{i}_c": (NOTHING, *sources)}
        names = tuple(f"n{i}" for i in range(self.nodes.max))
        return table | {f"out_{s}": names for s in range(self.states)}

    def repair(self, sample: Sample) -> dict[str, str]:
        """The canonical sample of the same genotype; a pure function, and idempotent.

        Outputs come to stand on distinct nodes, inputs become distinct and allowed, x and every state are used;
        what the genotype does not need has one fixed filling. See `audionas/spaces/recipe_draft.py`.
        """
        return self._encoded(self._mended(sample))

    def genotype(self, sample: Sample) -> RecurrentGenotype:
        """The genotype of a sample (label -> option), repaired; a pure function."""
        return RecurrentGenotype.from_recipe(self._mended(sample).recipe()).within(self.macro, self.name)

    def sample(self, genotype: RecurrentGenotype) -> dict[str, str]:
        """The sample whose genotype has the same recipe up to isomorphism.

        Raises:
            GenotypeError: the recipe is not of this space.
        """
        self.check(genotype)
        return self._encoded(RecipeDraft.of(genotype, self.nodes.max))

    def random(self, rng: np.random.Generator) -> RecurrentGenotype:
        """A genotype drawn uniformly over the choices, repaired."""
        return self.genotype({label: str(rng.choice(options)) for label, options in self.choices().items()})

    def generate(self, seed: int) -> RecurrentGenotype:
        """The first recipe of this space that the release's generator draws from a seed, with this macro.

        Raises:
            GenotypeError: none of 1000 draws is of this space, as when an operation that every draw needs is missing.
        """
        for attempt in range(_ATTEMPTS):
            key = seed if attempt == 0 else derive(seed, "generate", attempt)
            genotype = generate_recipe(key, self.states, self.nodes.max)
            if not self._problem(genotype):
                return genotype.within(self.macro, self.name)
        raise GenotypeError(
            f"space {self.name!r}: none of {_ATTEMPTS} recipes of the NAS-Bench-NLP generator is of this space; "
            "allow more operations or nodes, or use random()"
        )

    def check(self, genotype: object) -> None:
        """Refuse a genotype that this space does not contain.

        Raises:
            GenotypeError: with its first fault.
        """
        fault = self._problem(genotype)
        if fault:
            raise GenotypeError(f"genotype is not of space {self.name!r}: {fault}")

    def _problem(self, genotype: object) -> str:
        if not isinstance(genotype, RecurrentGenotype):
            return "it is not a recurrent one"
        if genotype.n_states != self.states:
            return f"{genotype.n_states} hidden states, expected {self.states}"
        if len(genotype.nodes) > self.nodes.max:
            return f"{len(genotype.nodes)} nodes, at most {self.nodes.max} are accepted"
        for node in genotype.nodes:
            if node.op not in self.ops:
                return f"node {node.name!r}: {unknown('operation', node.op, self.ops)}"
        return problem(genotype, self.nodes.linear_inputs)

    def _sources(self, i: int) -> tuple[str, ...]:
        return (INPUT, *states_of(self.states), *(f"n{k}" for k in range(i)))

    def _mended(self, sample: Sample) -> RecipeDraft:
        nodes = []
        for i in range(self.nodes.max):
            inputs = [sample[f"n{i}_{slot}"] for slot in SLOTS]
            nodes.append((sample[f"n{i}_op"], tuple(source for source in inputs if source != NOTHING)))
        outputs = tuple(int(sample[f"out_{s}"].removeprefix("n")) for s in range(self.states))
        return mended(RecipeDraft(tuple(nodes), outputs), max(self.nodes.linear_inputs))

    def _encoded(self, draft: RecipeDraft) -> dict[str, str]:
        """The sample of a draft: a node that nothing needs, and an input that is not read, are filled in one way."""
        sample: dict[str, str] = {}
        needed = draft.needed()
        for i, (op, inputs) in enumerate(draft.nodes):
            if i not in needed:
                op, inputs = LINEAR, (INPUT, states_of(1)[0])
            sample[f"n{i}_op"] = op
            for k, slot in enumerate(SLOTS):
                filler = NOTHING if slot == "c" else INPUT
                sample[f"n{i}_{slot}"] = inputs[k] if k < len(inputs) else filler
        return sample | {f"out_{s}": f"n{node}" for s, node in enumerate(draft.outputs)}
