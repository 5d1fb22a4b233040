"""The schema of a YAML of augmented copies, which may also stand under `augment` in a strategy."""

from __future__ import annotations

from audionas.augmentations import WaveformAugmentation
from audionas.yaml_schemas.record_schema import DIALECT, JsonObject, record_schema

_NOT_TRANSFORMS = ("copies", "seed")


def augmentation_schema() -> JsonObject:
    """A file of augmentation: one transform or more."""
    schema, inside = record_schema(WaveformAugmentation)
    given = [name for name in WaveformAugmentation.model_fields if name not in _NOT_TRANSFORMS]
    at_least_one = [{"required": [name], "properties": {name: {"type": "object"}}} for name in given]
    title = "Augmented copies of training clips of audionas"
    return {"$schema": DIALECT, "title": title, **schema, "anyOf": at_least_one, "$defs": inside}
