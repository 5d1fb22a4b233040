"""The schema of a search space's YAML: its keys by `kind`, with the names that the tables of the code know."""

from __future__ import annotations

from collections.abc import Callable

from audionas.models.baselines import BASELINES
from audionas.ops import CNN_OPS, NONE
from audionas.ops.recurrent import LINEAR, RNN_OPS
from audionas.spaces import SPACES
from audionas.spaces.catalogue_file import shipped_catalogues
from audionas.yaml_schemas.features_schema import features_name
from audionas.yaml_schemas.record_schema import JsonObject, case_of, record_schema, told_apart

# A place in the network: YAML reads 1/3 as text, 0 and 0.5 as numbers.
_FRACTION: JsonObject = {
    "anyOf": [
        {"type": "string", "pattern": "^(0|0?\\.[0-9]+|[0-9]+/[1-9][0-9]*)$"},
        {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
    ]
}


def space_schema() -> JsonObject:
    """A file of a search space: `kind` says which keys there are."""
    cases: dict[str, JsonObject] = {}
    inside: JsonObject = {}
    for kind, record in SPACES.items():
        schema, more = record_schema(record)
        schema["properties"] |= {"kind": {"const": kind}, "features": features_name()}
        _NAMES[kind](schema, more)
        cases[kind] = schema
        inside |= more
    return told_apart("kind", cases, inside, "Search space of audionas")


def _cnn_cell(schema: JsonObject, inside: JsonObject) -> None:
    schema["properties"]["ops"] |= {"items": {"enum": list(CNN_OPS)}, "uniqueItems": True}
    schema["properties"]["ops"]["contains"] = {"not": {"const": NONE}}
    _macro(inside)


def _cnn_macro(schema: JsonObject, inside: JsonObject) -> None:  # noqa: ARG001
    """Options are values of the keys of two records; edges are operations that a genotype may keep."""
    from audionas.spaces.cnn_macro import MacroOptions, record_of

    options = inside["MacroOptions"]["properties"]
    for key in MacroOptions.model_fields:
        own = record_schema(record_of(key))[0]["properties"][key]
        options[key] = {"type": "array", "items": own, "minItems": 1, "uniqueItems": True}
    options["reduction_at"]["items"] = {"type": "array", "items": _FRACTION}
    inside["MacroOptions"]["minProperties"] = 1
    for cell in ("normal", "reduce"):
        edge = inside["MacroCells"]["properties"][cell]["items"]["prefixItems"]
        edge[0] = {"enum": [op for op in CNN_OPS if op != NONE]}
        edge[1] = {"type": "integer", "minimum": 0}
    _macro(inside)


def _macro(inside: JsonObject) -> None:
    inside["CnnMacro"]["properties"]["reduction_at"]["items"] = _FRACTION


def _recipes(schema: JsonObject, inside: JsonObject) -> None:
    schema["properties"]["ops"] |= {"items": {"enum": list(RNN_OPS)}, "uniqueItems": True}
    schema["properties"]["ops"]["contains"] = {"const": LINEAR}
    if "RecurrentNodes" in inside:
        inputs = inside["RecurrentNodes"]["properties"]["linear_inputs"]
        inputs |= {"items": {"enum": [2, 3]}, "contains": {"const": 2}, "uniqueItems": True}
    _one_direction(inside)


def _catalogue(schema: JsonObject, inside: JsonObject) -> None:
    schema["properties"]["catalogue"] = {
        "description": "a shipped catalogue, the path of a JSON file, or the recipes themselves",
        "default": "nas_bench_nlp",
        "anyOf": [
            {"enum": sorted(shipped_catalogues())},
            {"type": "string", "pattern": r"(\.json$|/)"},
            {"type": ["array", "object"]},
        ],
    }
    _one_direction(inside)


def _one_direction(inside: JsonObject) -> None:
    """A causal network has no backward cell."""
    causal = {"properties": {"causal": {"const": True}}, "required": ["causal"]}
    forwards = {"properties": {"bidirectional": {"const": False}}, "required": ["bidirectional"]}
    inside["RecurrentMacro"] |= {"if": causal, "then": forwards}


def _baseline(schema: JsonObject, inside: JsonObject) -> None:
    """Settings and options of each hand-made system."""
    schema["properties"]["baseline"] = {"enum": list(BASELINES)}
    schema["allOf"] = []
    for name, baseline in BASELINES.items():
        settings, more = record_schema(baseline.settings)
        inside |= more
        options = {"propertyNames": {"enum": list(settings["properties"])}}
        schema["allOf"].append(case_of("baseline", name, {"properties": {"settings": settings, "options": options}}))


_NAMES: dict[str, Callable[[JsonObject, JsonObject], None]] = {
    "cnn_cell": _cnn_cell,
    "cnn_macro": _cnn_macro,
    "recurrent_cell": _recipes,
    "darts_recurrent": _recipes,
    "recurrent_catalogue": _catalogue,
    "baseline": _baseline,
}
