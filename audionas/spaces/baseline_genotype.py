"""`BaselineGenotype`: a hand-made system as data, trained and scored by the code that trains found ones."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

Scalar = bool | int | float | str | None
Setting = Scalar | tuple[Scalar, ...]


@dataclass(frozen=True)
class BaselineGenotype:
    """The name of a hand-made system in `audionas.models.baselines`, and the settings that differ from its paper's.

    `settings` are (name, value) pairs in the order of their names. Whether they are accepted is checked where the
    network is built, since this layer knows no networks.
    """

    name: str
    settings: tuple[tuple[str, Setting], ...] = ()

    @staticmethod
    def of(name: str, settings: Mapping[str, Setting]) -> BaselineGenotype:
        """The genotype of a name and settings in any order."""
        own = {key: tuple(value) if isinstance(value, list) else value for key, value in settings.items()}
        return BaselineGenotype(name, tuple(sorted(own.items())))

    @cached_property
    def hash(self) -> str:
        """sha256 of name and settings."""
        body = {"baseline": self.name, "settings": dict(self.settings)}
        return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()

    def document(self) -> dict[str, Any]:
        """Name and settings as JSON values."""
        return {"name": self.name, "settings": dict(self.settings)}
