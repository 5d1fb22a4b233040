"""JSON Schema of the YAML files that a user writes, made of the records that read them; for editors.

`schemas/*.json` of the repository are these schemas; a test keeps them equal.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from audionas.errors import SettingsError, unknown
from audionas.records import to_json, write_text
from audionas.yaml_schemas.augmentation_schema import augmentation_schema
from audionas.yaml_schemas.features_schema import features_schema
from audionas.yaml_schemas.record_schema import JsonObject
from audionas.yaml_schemas.space_schema import space_schema
from audionas.yaml_schemas.strategy_schema import strategy_schema

SCHEMAS: dict[str, Callable[[], JsonObject]] = {
    "space": space_schema,
    "strategy": strategy_schema,
    "features": features_schema,
    "augmentation": augmentation_schema,
}


def schema_text(what: str) -> str:
    """The schema of a kind of file as JSON text.

    Raises:
        SettingsError: there is no such kind.
    """
    if what not in SCHEMAS:
        raise SettingsError(unknown("schema", what, SCHEMAS))
    return to_json(SCHEMAS[what](), indent=2) + "\n"


def write_schema(what: str, out: Path) -> Path:
    """Write the schema of a kind of file; returns the file.

    Raises:
        SettingsError: there is no such kind.
        RunError: the file cannot be written.
    """
    write_text(out, schema_text(what))
    return out


__all__ = ["SCHEMAS", "schema_text", "write_schema"]
