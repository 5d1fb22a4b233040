"""What an ONNX file of audionas says of itself: one JSON text among the metadata of the model, under `audionas`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from audionas.audio.manifest import Task
from audionas.errors import SettingsError
from audionas.exchange.scored_input import ScoredInput
from audionas.records import Record

KEY = "audionas"
SCHEMA_VERSION = 1
SCORES = "scores"  # the output with the mean over all networks


class ParityCheck(Record):
    """How far onnxruntime was from torch when the file was made.

    `largest_difference` is that of any score; of a regression in standard deviations of the training targets.
    """

    on: str
    largest_difference: float = Field(ge=0)
    accepted: float = Field(gt=0)


class OnnxDescription(Record):
    """All that `audionas predict` needs beside the graph. The normaliser is in the graph."""

    schema_version: Literal[1]
    audionas: str
    task: Task
    labels: tuple[str, ...] = Field(min_length=1)
    inputs: tuple[ScoredInput, ...] = Field(min_length=1)
    genotypes: dict[str, dict[str, Any]]
    longest_s: float = Field(gt=0)
    normaliser: Literal["in the graph"] = "in the graph"
    expected: dict[str, Any] | None = None
    check: ParityCheck | None = None

    @field_validator("labels")
    @classmethod
    def _labels_differ(cls, labels: tuple[str, ...], _: ValidationInfo) -> tuple[str, ...]:
        if len(set(labels)) < len(labels):
            raise ValueError("a label stands twice")
        return labels


def need_onnx(*modules: str) -> None:
    """Refuse to go on without the packages of the extra.

    Raises:
        SettingsError: one is not installed.
    """
    from importlib.util import find_spec

    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise SettingsError(f"ONNX needs {', '.join(missing)}; install the extra: pip install 'audionas[onnx]'")
