"""What every space has whose samples say the nodes of a recipe."""

from __future__ import annotations

from math import prod
from typing import Any

from pydantic import Field, ValidationInfo, field_validator

from audionas.errors import unknown
from audionas.ops.recurrent import LINEAR, RNN_OPS
from audionas.records import Record
from audionas.spaces.recipe_node import MAX_STATES
from audionas.spaces.recurrent_genotype import RecurrentMacro


class RecipeSpace(Record):
    """States, operations and macro values of recipes; a kind of space adds its nodes and its `choices`."""

    kind: str
    name: str = "unnamed"
    features: str = "log_mel_frames"
    states: int = Field(default=1, ge=1, le=MAX_STATES)
    nodes: Any = None
    ops: tuple[str, ...] = tuple(RNN_OPS)
    macro: RecurrentMacro = RecurrentMacro()

    @field_validator("ops")
    @classmethod
    def _known_ops(cls, ops: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [unknown("operation", op, RNN_OPS) for op in ops if op not in RNN_OPS]
        if len(set(ops)) < len(ops):
            wrong.append("an operation stands twice")
        if LINEAR not in ops:
            wrong.append(f"{LINEAR!r} is missing; no other operation reads x")
        if wrong:
            raise ValueError("; ".join(wrong))
        return ops

    @field_validator("macro")
    @classmethod
    def _two_states_to_emit(cls, macro: RecurrentMacro, info: ValidationInfo) -> RecurrentMacro:
        if macro.emit == "h0+h1" and info.data.get("states", 2) < 2:
            raise ValueError("emit: h0+h1 needs two states")
        return macro

    def choices(self) -> dict[str, tuple[str, ...]]:
        """Every decision of a search: label -> its options, all text."""
        raise NotImplementedError

    def size(self) -> int:
        """The number of assignments: the product of the numbers of options. Many give the same recipe."""
        return prod(len(options) for options in self.choices().values())

    def to_settings(self) -> dict[str, Any]:
        """The mapping that the space's YAML holds."""
        return self.model_dump(mode="json", exclude={"name"})
