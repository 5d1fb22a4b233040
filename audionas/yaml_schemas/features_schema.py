"""The schema of a YAML of features; and what the key `features` of a space may hold."""

from __future__ import annotations

from audionas.features import EXTRACTORS, PRESETS, SHORT_FORMS
from audionas.yaml_schemas.record_schema import JsonObject, record_schema, told_apart

_FORMS = "|".join(sorted(SHORT_FORMS))


def features_schema() -> JsonObject:
    """A file of features: `extractor` says which, the other keys are its settings."""
    cases: dict[str, JsonObject] = {}
    inside: JsonObject = {}
    for kind, extractor in sorted(EXTRACTORS.items()):
        schema, more = record_schema(extractor)
        schema["properties"] = {"extractor": {"const": kind}, **schema["properties"]}
        cases[kind] = schema
        inside |= more
    return told_apart("extractor", cases, inside, "Features of audionas: an extractor and its settings")


def features_name() -> JsonObject:
    """The name of features, a short form, or the path of a YAML file."""
    return {
        "description": "features: a name, a short form such as pretrained:MODEL, or the path of a YAML file",
        "anyOf": [{"enum": list(PRESETS)}, {"type": "string", "pattern": rf"^(({_FORMS}):.+|.*\.ya?ml|.*/.*)$"}],
    }
