"""The JSON Schema of a pydantic record, as an editor should see it; and of files that one key tells apart."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

JsonObject = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def record_schema(model: type[BaseModel]) -> tuple[JsonObject, JsonObject]:
    """The schema of a record, and those of the records inside it by name.

    The record's `name` is left out: the name of a YAML is that of its file.
    """
    schema: JsonObject = without_titles(model.model_json_schema())
    inside: JsonObject = schema.pop("$defs", {})
    schema["properties"].pop("name", None)
    return schema, inside


def told_apart(key: str, cases: Mapping[str, JsonObject], inside: Mapping[str, JsonObject], what: str) -> JsonObject:
    """A file whose other keys depend on the value of one.

    `if` and `then` in place of `oneOf`: an editor then tells the mistake in the case at hand, and not in all of them.

    Args:
        cases: value of the key -> schema of the whole file.
        inside: records that the cases refer to.
        what: one line on the file.
    """
    definitions = {**inside, **{f"{key}:{value}": schema for value, schema in cases.items()}}
    told = "; ".join(f"{value}: {_first_line(schema)}" for value, schema in cases.items())
    return {
        "$schema": DIALECT,
        "title": what,
        "type": "object",
        "properties": {key: {"enum": list(cases), "description": told}},
        "required": [key],
        "allOf": [case_of(key, value, {"$ref": f"#/$defs/{key}:{value}"}) for value in cases],
        "$defs": definitions,
    }


def case_of(key: str, value: str, then: JsonObject) -> JsonObject:
    """What holds where a key has a value."""
    return {"if": {"properties": {key: {"const": value}}, "required": [key]}, "then": then}


def without_titles(value: Any) -> Any:
    """A schema without the titles that pydantic makes of names, with descriptions as running text."""
    if isinstance(value, list):
        return [without_titles(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {key: without_titles(item) for key, item in value.items() if key != "title" or not isinstance(item, str)}
    if isinstance(kept.get("description"), str):
        kept["description"] = " ".join(inspect.cleandoc(kept["description"]).split())
    return kept


def _first_line(schema: JsonObject) -> str:
    """The first sentence of a description."""
    return str(schema.get("description", "")).split(". ")[0].rstrip(".")
